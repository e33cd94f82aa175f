internal import MailSyntax
internal import Policy

/// The values of conditions in words, for messages, the sample and the manual.
enum ConditionDescription {
    /// Names that people try, and the conditions that they mean.
    private static let aliases: [String: ConditionName] = [
        "client": .fact(.clients), "ip": .fact(.clients), "client_ip": .fact(.clients), "networks": .fact(.clients),
        "network": .fact(.clients), "sender": .fact(.senderDomains), "senders": .fact(.senderDomains),
        "mail_from": .fact(.senderDomains), "mailfrom": .fact(.senderDomains), "from": .fact(.fromDomains),
        "from_domain": .fact(.fromDomains), "header_from": .fact(.fromDomains), "recipient": .fact(.recipients),
        "rcpt": .fact(.recipients), "rcpt_to": .fact(.recipients), "to": .fact(.recipients),
        "sid": .result(.senderID), "senderid": .result(.senderID), "pra": .result(.senderID),
        "auth": .fact(.authenticated), "ptr": .result(.iprev), "rdns": .result(.iprev),
        "hostname": .fact(.clientNames), "client_name": .fact(.clientNames), "dmarc_p": .fact(.dmarcPolicy),
        "dkim_domain": .fact(.dkimDomains), "arc_sealer": .fact(.arcSealers), "arc_domains": .fact(.arcSealers),
        "spf_mailfrom": .result(.spf), "ehlo": .fact(.helo), "list": .fact(.listID), "listid": .fact(.listID),
        "list_ids": .fact(.listID), "mailing_list": .fact(.listVerified), "verified_list": .fact(.listVerified),
        "domain_whitelist": .fact(.permittedBy), "permits": .fact(.permittedBy), "spf_mechanism": .fact(.spfOpen),
        "open_spf": .fact(.spfOpen), "forwarder": .fact(.forwarded),
    ]

    /// The condition that people mean by a name that is none.
    static func meant(by name: String) -> ConditionName? { aliases[name] }

    /// The message about an unknown condition, and the accepted alternative.
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
    /// The possible results of the check behind the condition.
    var words: [ResultWord] { kind == .result ? checks.first?.words ?? [] : [] }

    /// Whether `{ file = … }` may be among the values.
    var takesLists: Bool {
        switch kind {
        case .network, .domain, .address: true
        case .result, .policy, .reading, .flag, .count: false
        }
    }

    /// The kind of one value.
    var valueKind: String {
        switch kind {
        case .result: "result of \(rawValue)"
        case .policy: "DMARC policy"
        case .reading: "way to read the author"
        case .network: "network"
        case .domain: "domain name"
        case .address: "mail address"
        case .flag: "boolean"
        case .count: "number"
        }
    }

    /// The words that may be values.
    var known: [String] {
        switch kind {
        case .result: words.map(\.rawValue)
        case .policy: DMARCPolicyWord.allCases.map(\.rawValue)
        case .reading: AuthorReading.allCases.map(\.rawValue)
        case .network, .domain, .address, .flag, .count: []
        }
    }

    /// The accepted values.
    var accepted: String {
        let known = known.map { "\"\($0)\"" }.joined(separator: ", ")
        return switch kind {
        case .result: known + ", each also with a leading \"!\""
        case .policy: known
        case .reading: known + "; the author's domain is from_domains"
        case .network: "networks, as \"192.0.2.0/24\" or \"2001:db8::/32\", or { file = \"/path\" }"
        case .domain where self == .fact(.permittedBy): "domain names, as \"example.org\", or { file = \"/path\" }"
        case .domain: "domain names, as \"example.org\", or \".example.org\" for all below it, or { file = \"/path\" }"
        case .address:
            "addresses, as \"user@example.org\", \"postmaster@\" or \"@example.org\", or { file = \"/path\" }"
        case .flag: "true or false"
        case .count: "a number or a comparison, as 2, \">1\" or \"!1\""
        }
    }

    /// Whether the text is an address or a network, where the names of clients are expected.
    func takesNoAddress(_ text: String) -> Bool { self == .fact(.clientNames) && IPNetwork(text) != nil }

    /// Whether the text is for everything below a name, where only a single name has a record to ask about.
    func takesNoneBelow(_ text: String) -> Bool { self == .fact(.permittedBy) && text.hasPrefix(".") }

    /// The message about an invalid value, and the accepted alternative.
    func unusable(_ text: String) -> (message: String, accepted: String) {
        if takesNoAddress(text) {
            let clients = ConditionName.fact(.clients).rawValue
            return (
                "\(TOMLText.quoted(text)) is no name of a client, but an address: that is for \(clients)",
                "\(clients) = \(TOMLText.quoted(text))"
            )
        }
        let message = "\(TOMLText.quoted(text)) is no \(valueKind)"
        return meant(by: text).map { (message + "; did you mean \"\($0)\"?", $0) } ?? (message, accepted)
    }

    private func meant(by text: String) -> String? {
        let alias = ["hardfail": "fail", "error": "temperror", "accept": "pass", "ok": "pass"][text.lowercased()]
        if let meant = alias ?? Suggestion.closest(to: text, of: known), known.contains(meant) {
            return meant
        }
        switch kind {
        case .network: return IPNetwork(text)?.canonical.description
        case .domain:
            if text.hasPrefix("*.") { return String(text.dropFirst()) }
            return text.lastIndex(of: "@").map { String(text[text.index(after: $0)...]) }
        case .result, .policy, .reading, .address, .flag, .count: return nil
        }
    }

    /// The meaning of the condition and the words it takes, for the sample and the manual.
    fileprivate var explanation: String {
        switch kind {
        case .result, .policy: "\(text) Words: \(known.joined(separator: ", "))."
        case .reading, .network, .domain, .address, .flag, .count: text
        }
    }

    /// The meaning of the condition.
    var text: String {
        switch self {
        case .result(let check): check.text
        case .fact(let fact): fact.text
        }
    }
}

extension ConditionName.Fact {
    fileprivate var text: String {
        switch self {
        case .senderIDAligned:
            "The same when that address is of the author's domain, or of one above or below it; \"none\" when it is anybody "
                + "else's, and when there is none."
        case .dkimAligned:
            "The result of the best DKIM signature whose domain is aligned with the author's. Only that domain can have it "
                + "\"pass\"; among the other words the sender chooses."
        case .dmarcPolicy:
            "The DMARC policy that applies to the author's domain: p=, or a parent's sp= or np=, one step milder "
                + "under t=y; \"absent\" when there is no record."
        case .dmarcPublished: "The same policy as it is published, whether or not t=y makes it milder."
        case .clients: "The client's address or network, as \"192.0.2.1\" or \"192.0.2.0/24\"."
        case .clientNames: "The client's names, once iprev has verified them; one of them must match."
        case .helo: "The name of HELO or EHLO. The client chooses it freely."
        case .senderDomains:
            "The domain of MAIL FROM or of the purported responsible address; one of them must match. The sender chooses both."
        case .fromDomains:
            "The domains of the authors in From; one of them must match. Of an author that is unreadable, domains that a "
                + "mail program might show, but not all: a rule about certain names needs one with author = \"unreadable\" "
                + "beside it."
        case .dkimDomains: "The domains of the DKIM signatures that passed; one of them must match."
        case .arcSealers:
            "The domain of the newest ARC seal (d=), if every seal passes and its sealer has signed From. Earlier sealers do "
                + "not count: whoever came last could change the message."
        case .permittedBy:
            "The domains, of those that are named here, whose SPF record permits the client (Domain_Whitelist of policyd-spf): "
                + "for a forwarder that has a record and no one name. All rules together may name 16: each is looked up for every "
                + "message."
        case .spfOpen:
            "Whether SPF passes by \"+all\", or by a network as large as a good part of the internet: such a pass is as good as "
                + "none. A record can be as open in ways that only its name server knows (exists)."
        case .listID:
            "The domain of List-Id (RFC 2919), as \"users.lists.example.org\". Anybody can write it: it is worth something with "
                + "list_verified = true beside it."
        case .listVerified:
            "Whether a passing DKIM signature that covers List-Id, or the client's verified name, is of the same organizational "
                + "domain as List-Id. Anybody can have a list of his own domain, so name the list with list_id."
        case .forwarded:
            "Whether a forwarder has sent the message: SPF is \"fail\" or \"softfail\", and the author's domain has signed the "
                + "message, unbroken or broken by a change that can be named, such as a footer. Who made the change is not known, "
                + "so it is no proof of the content."
        case .recipientDomains: "The recipient's domain."
        case .recipients:
            "The recipient's address, in any case of letters: \"user@example.org\", \"postmaster@\" at any domain, "
                + "\"@example.org\" with any name, \"@.example.org\" at any name below."
        case .authenticated: "Whether the client has authenticated or is in a trusted network."
        case .fromCount:
            "How many authors From has, over all its fields: 2, \">1\", \">=2\", \"<3\", \"<=1\" or \"!1\"."
        case .author:
            "How From was read: \"readable\", a list of addresses; \"repaired\", none, but one address alone can be "
                + "meant; \"unreadable\", anything else: no From or several, no address, or one that two programs read in two ways."
        }
    }
}

extension ConditionDescription {
    /// Each condition with its meaning, in lines.
    static var lines: [String] {
        SampleText.lines(ConditionName.allCases.map { ($0.rawValue, $0.explanation) })
    }
}
