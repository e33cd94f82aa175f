import MailSyntax
import Policy
import TestSupport

@testable import RuleTrial

/// Facts, messages and rules that are the same in every run.
struct RandomFacts {
    var random: SeededGenerator

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    mutating func one<Value>(_ values: [Value]) -> Value { values[Int.random(in: 0..<values.count, using: &random)] }

    mutating func isRare(_ count: Int) -> Bool { Int.random(in: 0..<count, using: &random) == 0 }

    mutating func some<Value>(_ values: [Value]) -> [Value] { values.filter { _ in isRare(2) } }

    mutating func truth() -> Truth { one([.yes, .no, .unanswered]) }

    mutating func word() -> ResultWord? { isRare(8) ? nil : one(ResultWord.allCases) }

    static let texts = ["a.example", "b.example", "mail.b.example", "a\\.b", "\u{FFFD}.example", "[192.0.2.1]"]
    static let names =
        texts.prefix(3).compactMap { try? DomainName($0) }
        + [[0x2E, 0, 0xFF, 0x5C]].compactMap { try? DomainName(labels: [$0[...], [0x61]]) }
    static let addresses = texts.flatMap { ["x@" + $0, "postmaster@" + $0] } + ["", "nobody", "\"a@b\"@c.example"]

    mutating func address() -> MailAddress { MailAddress(mailbox: Octets(one(Self.addresses))) }

    mutating func facts() -> PolicyFacts {
        var facts = PolicyFacts()
        facts.client = one([nil, IPAddress("192.0.2.1"), IPAddress("2001:db8::1"), IPAddress("198.51.100.7")])
        facts.helo = one(Self.texts + [""])
        facts.mailFrom = address()
        facts.authenticated = isRare(6)
        facts.results.spf = word()
        facts.explanation = facts.results.spf == .fail && isRare(2) ? "see http://b.example \"why\"\u{7}" : nil
        facts.results.spfHelo = word()
        facts.results.iprev = word()
        if facts.results.iprev != nil {
            facts.clientNames = some(Self.names)
            facts.unansweredClientNames = isRare(4) ? some(Self.names) : []
        }
        fillContent(&facts)
        return facts
    }

    private mutating func fillContent(_ facts: inout PolicyFacts) {
        facts.fromDomains = some(Self.names)
        facts.fromCount = Int.random(in: 0...3, using: &random)
        facts.author = one(AuthorReading.allCases)
        facts.results.senderID = word()
        if facts.results.senderID != nil {
            facts.senderIDAligned = one(ResultWord.allCases)
            facts.senderIDExplanation = isRare(8) ? "no" : nil
            facts.pra = isRare(3) ? facts.mailFrom : address()
        }
        facts.results.dkim = word()
        if facts.results.dkim != nil {
            facts.dkimDomains = some(Self.names)
            facts.unansweredDKIMDomains = isRare(4) ? some(Self.names) : []
        }
        fillChain(&facts)
        facts.listDomains = some(Self.names)
        if facts.results.spf != nil { facts.spfOpen = truth() }
        if facts.results.dkim != nil, facts.results.iprev != nil { facts.listVerified = truth() }
        facts.results.dmarc = word()
        if facts.results.dmarc != nil, facts.results.dkim != nil, facts.results.spf != nil { facts.forwarded = truth() }
        if facts.results.dmarc != nil {
            facts.dkimAligned = one(ResultWord.allCases)
            let isKnown = facts.results.dmarc != .temperror || isRare(2)
            facts.dmarcPublished = isKnown ? one(DMARCPolicyWord.allCases) : nil
            facts.dmarcPolicy = isKnown ? one(DMARCPolicyWord.allCases) : nil
            // A record that was found says something.
            if facts.results.dmarc == .temperror, facts.dmarcPublished == .absent {
                facts.dmarcPublished = DMARCPolicyWord.none
            }
        }
    }

    private mutating func fillChain(_ facts: inout PolicyFacts) {
        guard isRare(2) else { return }
        facts.results.arc = one([ResultWord.none, .pass, .fail, .temperror])
        facts.arcSealers = facts.results.arc == .pass ? [one(Self.names)] : []
        facts.unansweredARCSealers = facts.results.arc == .temperror ? [one(Self.names)] : []
    }

    mutating func stored() -> StoredFacts {
        var stored = StoredFacts()
        stored.facts = facts()
        stored.hasContent = true
        stored.recipients = (0..<Int.random(in: 1...4, using: &random)).map { _ in address() }
        stored.recorded.mode = .enforce
        stored.isAnswered = !isRare(8)
        stored.obstacle = isRare(4) ? .putOffBefore : nil
        if isRare(3) {
            let places = some(Array(stored.recipients.indices))
            stored.early = [StoredFacts.Early(known: some([.spf, .spfHelo, .iprev]), recipients: places)]
        }
        return stored
    }

    mutating func engine() -> PolicyEngine {
        let rules = (0..<Int.random(in: 1...5, using: &random)).map { index in
            Rule(
                name: "r\(index)",
                when: conditions(),
                unless: isRare(2) ? [conditions()] : [],
                action: one(RuleAction.allCases),
                observe: isRare(5),
                location: PolicyLocation(file: "t", line: index)
            )
        }
        return PolicyEngine(
            rules: RuleSet(rules),
            mode: isRare(3) ? .observe : .enforce,
            mixed: one(MixedAction.allCases),
            undecided: one(UndecidedAction.allCases)
        )
    }

    /// All conditions but the one whose fact no event keeps.
    private static let conditionNames = ConditionName.allCases.filter { $0 != .fact(.permittedBy) }

    private mutating func conditions() -> [Condition] {
        (0..<Int.random(in: 1...2, using: &random)).map { _ in
            let name = isRare(3) ? ConditionName.result(one([.spf, .iprev])) : one(Self.conditionNames)
            return Condition(name, values(name), text: "\(random.next())", location: PolicyLocation(file: "t", line: 0))
        }
    }

    private mutating func values(_ name: ConditionName) -> Condition.Values {
        switch name.kind {
        case .result: return .words(choice(words(ResultWord.allCases), words(ResultWord.allCases)))
        case .policy: return .policies(choice(words(DMARCPolicyWord.allCases), words(DMARCPolicyWord.allCases)))
        case .reading: return .readings(choice(words(AuthorReading.allCases), words(AuthorReading.allCases)))
        case .network: return .networks(Choice(wanted: NetworkSet([IPNetwork("192.0.2.0/24")].compactMap { $0 })))
        case .domain: return .domains(choice(domains(), domains()))
        case .address: return .addresses(choice(addressSet(), addressSet()))
        case .flag: return .flag(isRare(2))
        case .count: return .counts(Choice(wanted: [CountTest(.above, 1)]))
        }
    }

    private mutating func choice<Set>(_ one: Set, _ other: Set) -> Choice<Set> {
        isRare(3) ? Choice(wanted: nil, excluded: one) : Choice(wanted: one, excluded: isRare(3) ? other : nil)
    }

    private mutating func words<Word: PolicyWord>(_ all: [Word]) -> WordSet<Word> {
        var set = WordSet<Word>()
        for word in some(all) { set.insert(word) }
        return set
    }

    private mutating func domains() -> DomainSet {
        var set = DomainSet()
        for text in some(["a.example", ".b.example", "b.example", "c.example"]) { try? set.insert(text) }
        return set
    }

    private mutating func addressSet() -> AddressSet {
        var set = AddressSet()
        for text in some(["x@a.example", "postmaster@", "@b.example"]) { try? set.insert(text) }
        return set
    }
}
