internal import MailSyntax
internal import Policy

/// What conditions take, in words: for messages, the sample and the manual.
enum ConditionDescription {
    /// Names that people try, with the condition they mean.
    private static let aliases: [String: ConditionName] = [
        "client": .clients, "ip": .clients, "client_ip": .clients, "networks": .clients, "network": .clients,
        "sender": .senderDomains, "senders": .senderDomains, "mail_from": .senderDomains, "mailfrom": .senderDomains,
        "from": .fromDomains, "from_domain": .fromDomains, "header_from": .fromDomains,
        "recipient": .recipients, "rcpt": .recipients, "rcpt_to": .recipients, "to": .recipients,
        "sid": .senderID, "senderid": .senderID, "pra": .senderID, "auth": .authenticated, "ptr": .iprev,
        "rdns": .iprev, "hostname": .clientNames, "client_name": .clientNames, "dmarc_p": .dmarcPolicy,
        "dkim_domain": .dkimDomains, "spf_mailfrom": .spf, "ehlo": .helo,
    ]

    /// What a message says of an unknown condition, and offers in its place.
    static func unknown(_ key: String) -> (message: String, accepted: String) {
        let plain = String(key.lowercased().map { $0 == "-" ? "_" : $0 })
        let names = ConditionName.allCases.map(\.rawValue)
        if let closest = aliases[plain]?.rawValue ?? Suggestion.closest(to: key, of: names) {
            return ("there is no such condition; did you mean \(closest)?", closest)
        }
        return ("there is no such condition", names.joined(separator: ", "))
    }
}

extension ConditionName {
    /// The results that the check behind the condition can have.
    var words: [ResultWord] {
        switch self {
        case .spf, .spfHelo, .senderID, .senderIDAligned:
            [.pass, .fail, .softfail, .neutral, .none, .temperror, .permerror]
        case .dkim, .dkimAligned: [.pass, .fail, .policy, .neutral, .none, .temperror, .permerror]
        case .dmarc: [.pass, .fail, .none, .temperror, .permerror]
        case .iprev: [.pass, .fail, .none, .temperror, .permerror]
        default: []
        }
    }

    /// Whether `{ file = … }` can stand among the values.
    var takesLists: Bool {
        switch self {
        case .clients, .clientNames, .helo, .senderDomains, .fromDomains, .dkimDomains, .recipientDomains, .recipients:
            true
        default: false
        }
    }

    /// What one value is.
    var valueKind: String {
        switch self {
        case .clients: "network"
        case .recipients: "mail address"
        case .fromCount: "number"
        case .dmarcPolicy, .dmarcPublished: "DMARC policy"
        case .author: "way to read the author"
        case .authenticated: "boolean"
        case .spf, .spfHelo, .senderID, .senderIDAligned, .dkim, .dkimAligned, .dmarc, .iprev: "result of \(rawValue)"
        default: "domain name"
        }
    }

    /// What is accepted.
    var accepted: String {
        switch self {
        case .clients: "networks, as \"192.0.2.0/24\" or \"2001:db8::/32\", or { file = \"/path\" }"
        case .recipients:
            "addresses, as \"user@example.org\", \"postmaster@\" or \"@example.org\", or { file = \"/path\" }"
        case .fromCount: "a number or a comparison, as 2, \">1\" or \"!1\""
        case .authenticated: "true or false"
        case .dmarcPolicy, .dmarcPublished:
            DMARCPolicyWord.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
        case .author:
            AuthorReading.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
                + "; the author's domain is from_domains"
        case .spf, .spfHelo, .senderID, .senderIDAligned, .dkim, .dkimAligned, .dmarc, .iprev:
            words.map { "\"\($0.rawValue)\"" }.joined(separator: ", ") + ", each also with a leading \"!\""
        default: "domain names, as \"example.org\", or \".example.org\" for all below it, or { file = \"/path\" }"
        }
    }

    /// What a message says of a value that is none, and offers in its place.
    func unusable(_ text: String) -> (message: String, accepted: String) {
        let message = "\(TOMLText.quoted(text)) is no \(valueKind)"
        return meant(by: text).map { (message + "; did you mean \"\($0)\"?", $0) } ?? (message, accepted)
    }

    private func meant(by text: String) -> String? {
        let known =
            switch self {
            case .dmarcPolicy, .dmarcPublished: DMARCPolicyWord.allCases.map(\.rawValue)
            case .author: AuthorReading.allCases.map(\.rawValue)
            default: words.map(\.rawValue)
            }
        let alias = ["hardfail": "fail", "error": "temperror", "accept": "pass", "ok": "pass"][text.lowercased()]
        if let meant = alias ?? Suggestion.closest(to: text, of: known), known.contains(meant) {
            return meant
        }
        if self == .clients { return IPNetwork(text)?.canonical.description }
        if valueKind == "domain name" {
            if text.hasPrefix("*.") { return String(text.dropFirst()) }
            if let at = text.lastIndex(of: "@") { return String(text[text.index(after: at)...]) }
        }
        return nil
    }

    /// What the condition means, for the sample and the manual.
    var text: String {
        switch self {
        case .spf:
            "The SPF result of MAIL FROM; of HELO where that is empty. The sender chooses the domain, its owner the result: "
                + "anybody can pass with a domain of his own."
        case .spfHelo: "The SPF result of the HELO name, which the client chooses."
        case .senderID:
            "The Sender ID result of the purported responsible address. The sender chooses the address: a Sender field of "
                + "his own domain passes, two are \"permerror\"."
        case .senderIDAligned:
            "The same when that address is of the author's domain, or of one above or below it; \"none\" when it is anybody "
                + "else's, and when there is none."
        case .dkim:
            "The result of the best DKIM signature. The sender chooses the word: a signature of any domain can be \"pass\", "
                + "and a broken one whatever he likes."
        case .dkimAligned:
            "The result of the best DKIM signature whose domain is aligned with the author's. Only that domain can have it "
                + "\"pass\"; among the other words the sender chooses."
        case .dmarc:
            "The DMARC result. Only the author's domain can have it \"pass\" or \"fail\"; a From that cannot be read is "
                + "\"permerror\", and that is the sender's choice."
        case .dmarcPolicy:
            "The DMARC policy that applies to the author's domain: p=, or a parent's sp= or np=, one step milder "
                + "under t=y; \"absent\" when there is no record."
        case .dmarcPublished: "The same policy as it is published, whether or not t=y makes it milder."
        case .iprev:
            "Whether the client's address has a name that leads back to it: \"fail\" where its names lead elsewhere, "
                + "\"permerror\" where it has none. Who owns the address chooses."
        case .clients: "The client's address."
        case .clientNames: "The client's name, once iprev has verified it."
        case .helo: "The name of HELO or EHLO. The client chooses it freely."
        case .senderDomains:
            "The domain of MAIL FROM or of the purported responsible address; one of them must match. The sender chooses both."
        case .fromDomains:
            "The domains of the authors in From; one of them must match. Of an author that is unreadable, every domain "
                + "that a mail program might show."
        case .dkimDomains: "The domains of the DKIM signatures that passed; one of them must match."
        case .recipientDomains: "The recipient's domain."
        case .recipients: "The recipient's address."
        case .authenticated: "Whether the client has authenticated or is trusted."
        case .fromCount: "How many authors From has, over all its fields."
        case .author:
            "How From was read: \"readable\", a list of addresses; \"repaired\", none, but one address alone can be "
                + "meant; \"unreadable\", anything else: no From or several, no address, or one that two programs read in two ways."
        }
    }
}

extension ConditionDescription {
    /// How long a line of the sample may be.
    private static let longestLine = 114

    /// Each condition with what it means, in lines; those that go on are indented.
    static var lines: [String] {
        let indentation = String(repeating: " ", count: 18)
        return ConditionName.allCases.flatMap { name in
            var done = [String]()
            var line = name.rawValue + indentation.dropFirst(name.rawValue.count)
            for word in name.text.split(separator: " ") {
                if line.count + word.count >= longestLine {
                    done.append(line)
                    line = indentation
                }
                line += " " + word
            }
            return done + [line]
        }
    }
}
