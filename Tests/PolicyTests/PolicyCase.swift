import MailSyntax
import Policy
import PosternConfiguration
import Testing

/// A case: rules as the configuration writes them, facts, and what must come out.
///
/// Facts that are not given have harmless values; `name=?` is never known, `~name=value` is known at the end of the
/// message only.
struct PolicyCase: Sendable, CustomTestStringConvertible {
    let group: String
    let rules: String
    let facts: String
    let expected: String

    var testDescription: String { "\(group): \(facts)" }

    var words: [String] { facts.split(separator: " ").map(String.init) }

    func engine() throws -> PolicyEngine {
        let words = words
        let mode: PolicyMode = words.contains("mode=observe") ? .observe : .enforce
        let mixed = words.lazy.compactMap { MixedAction(rawValue: String($0.dropFirst(6))) }.first
        let configuration = try Configuration.parse(rules, file: "t")
        let undecided: UndecidedAction = words.contains("undecided=accept") ? .accept : .tempfail
        return PolicyEngine(
            rules: configuration.rules,
            forwarders: configuration.forwarders,
            mode: mode,
            mixed: mixed ?? .junk,
            undecided: undecided
        )
    }

    /// What comes out when the MTA asks for each recipient and then at the end of the message.
    func outcome() throws -> String {
        let words = words
        let engine = try engine()
        let facts = try FactsText.facts(words, atEnd: true)
        let envelope = try FactsText.facts(words, atEnd: false)

        var notes = [String]()
        var remaining = RecipientKinds()
        var refusal: PolicyVerdict?
        let recipients = FactsText.recipients(words)
        for recipient in recipients {
            let kind = engine.kind(of: recipient)
            switch engine.atRecipient(envelope, recipient, kind) {
            case .proceed: remaining.append(recipient, kind)
            case .wait:
                notes.append("wait")
                remaining.append(recipient, kind)
            case .refuse(let verdict):
                refusal = verdict
                if recipients.count > 1 { notes.append("refused=\(recipient.text):\(verdict.text)") }
            }
        }
        if let refusal, remaining.count == 0 { return ([refusal.text] + notes).joined(separator: " ") }
        return ([engine.atEndOfMessage(facts, remaining).text] + notes).joined(separator: " ")
    }
}

extension PolicyVerdict {
    /// The verdict in the words of the table.
    var text: String {
        var words = [action.rawValue, stage.rawValue]
        if let rule { words.append(rule.name) }
        if let reply { words.append("\(reply.code) \(reply.enhanced)") }
        if let would { words.append("would=\(would.action.rawValue):\(would.rule.name)@\(would.stage.rawValue)") }
        words += observed.map { "trial=\($0.rule.name):\($0.action.rawValue)" }
        words += marks.map { "mark=\($0.name)" }
        words += exempted.map { "exempt=\($0.name)" }
        if let excuse { words.append("excused=\(excuse)") }
        words += undecided.map { "undecided=\($0)" }
        if let mixture {
            let outcomes = mixture.outcomes.map { outcome in
                "\(outcome.recipients.count):\(outcome.action.rawValue):\(outcome.rule?.name ?? "-")"
            }
            words.append("mixed=" + outcomes.joined(separator: ","))
            if mixture.isPutOff { words.append("put-off") }
        }
        return words.joined(separator: " ")
    }
}

/// Reads facts from words.
enum FactsText {
    struct Unreadable: Error {
        let word: String
    }

    static func facts(_ words: [String], atEnd: Bool) throws -> PolicyFacts {
        var facts = harmless
        for word in words where !["mode=", "mixed=", "undecided=", "to="].contains(where: word.hasPrefix) {
            let isLate = word.hasPrefix("~")
            let parts = word.drop { $0 == "~" }.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { throw Unreadable(word: word) }
            try set(&facts, parts[0], isLate && !atEnd ? "?" : parts[1])
        }
        return facts
    }

    /// The recipients: `to=none`, or addresses of which `a@b*3` stands for three.
    static func recipients(_ words: [String]) -> [MailAddress] {
        let text = words.first { $0.hasPrefix("to=") }?.dropFirst(3) ?? "b@example.net"
        guard text != "none" else { return [] }
        return text.split(separator: ",").flatMap { entry in
            let parts = entry.split(separator: "*")
            let count = parts.count > 1 ? Int(parts[1]) ?? 1 : 1
            return [MailAddress](repeating: MailAddress(String(parts.first ?? "")), count: count)
        }
    }

    private static let harmless: PolicyFacts = {
        var facts = PolicyFacts()
        facts.results.spf = ResultWord.none
        facts.results.spfHelo = ResultWord.none
        facts.results.senderID = ResultWord.none
        facts.senderIDAligned = ResultWord.none
        facts.results.dkim = ResultWord.none
        facts.dkimAligned = ResultWord.none
        facts.results.dmarc = ResultWord.none
        facts.dmarcPolicy = .absent
        facts.dmarcPublished = .absent
        facts.results.iprev = .pass
        facts.client = IPAddress("192.0.2.1")
        facts.clientNames = []
        facts.helo = "mail.example.com"
        facts.mailFrom = MailAddress("a@example.com")
        facts.pra = MailAddress("a@example.com")
        facts.fromDomains = [try? DomainName("example.com")].compactMap { $0 }
        facts.fromCount = 1
        facts.author = .readable
        facts.authenticated = false
        facts.dkimDomains = []
        facts.results.arc = ResultWord.none
        facts.arcSealers = []
        facts.listDomains = []
        (facts.listVerified, facts.forwarded, facts.spfOpen) = (.no, .no, .no)
        facts.permittedBy = []
        return facts
    }()

    private static func set(_ facts: inout PolicyFacts, _ name: String, _ value: String) throws {
        let isKnown = value != "?"
        func word() throws -> ResultWord? {
            guard isKnown else { return nil }
            guard let word = ResultWord(rawValue: value) else { throw Unreadable(word: value) }
            return word
        }
        func truth() throws -> Truth {
            guard let truth = ["?": .unknown, "yes": .yes, "no": .no, "open": .unanswered][value] as Truth? else {
                throw Unreadable(word: value)
            }
            return truth
        }
        func domains() throws -> [DomainName]? {
            isKnown ? try value.split(separator: ",").map { try DomainName(String($0)) } : nil
        }
        switch name {
        case "spf": facts.results.spf = try word()
        case "spf_helo": facts.results.spfHelo = try word()
        case "sender_id": facts.results.senderID = try word()
        case "sender_id_aligned": facts.senderIDAligned = try word()
        case "dkim": facts.results.dkim = try word()
        case "aligned": facts.dkimAligned = try word()
        case "dmarc": facts.results.dmarc = try word()
        case "arc": facts.results.arc = try word()
        case "list": facts.listDomains = try domains()
        case "verified": facts.listVerified = try truth()
        case "forwarded": facts.forwarded = try truth()
        case "spf_open": facts.spfOpen = try truth()
        case "permits": facts.permittedBy = try domains()
        case "open_permits": facts.unansweredPermits = try domains() ?? []
        case "open_names": facts.unansweredClientNames = try domains() ?? []
        case "sealers": facts.arcSealers = try domains()
        case "open_sealers": facts.unansweredARCSealers = try domains() ?? []
        case "iprev": facts.results.iprev = try word()
        case "p": facts.dmarcPolicy = isKnown ? DMARCPolicyWord(rawValue: value) : nil
        case "published": facts.dmarcPublished = isKnown ? DMARCPolicyWord(rawValue: value) : nil
        case "client": facts.client = isKnown ? IPAddress(value) : nil
        case "names": facts.clientNames = try domains()
        case "helo": facts.helo = isKnown ? value : nil
        case "from": facts.mailFrom = isKnown ? MailAddress(value) : nil
        case "pra": facts.pra = isKnown ? MailAddress(value) : nil
        case "author": facts.fromDomains = try domains()
        case "reading": facts.author = AuthorReading(rawValue: value)
        case "authors": facts.fromCount = Int(value)
        case "auth": facts.authenticated = isKnown ? value == "true" : nil
        case "unanswered": facts.unansweredDKIMDomains = try domains() ?? []
        case "signed": facts.dkimDomains = try domains()
        case "explains":
            facts.explanation = value.split(separator: "_").joined(separator: " ")
            facts.senderIDExplanation = facts.explanation
        default: throw Unreadable(word: name)
        }
    }
}
