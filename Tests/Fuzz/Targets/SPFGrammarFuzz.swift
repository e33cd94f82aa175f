internal import DNSLookup
internal import MailSyntax
internal import SPF

/// Takes an input as choices by which a zone of SPF records is written, and holds the result against an evaluator that
/// is written as RFC 7208 § 5 and § 6 are, term by term, for the mechanisms that the records are made of.
func fuzzSPFGrammar(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let zone = SPFGrammar(Choices(unsafe input(start, count)))
    let identity = SPFIdentity(mailFrom: Octets("a@d0.example"), helo: Octets("e.example"))
    let inquiry = SPFInquiry(
        identity,
        scope: .mfrom,
        helo: Octets("e.example"),
        client: .v4(IPv4Address(SPFGrammar.client)),
        now: 0,
        selector: SPFVersion1()
    )
    guard let outcome = zone.zone.outcomeAtHand(of: inquiry) else { fatalError("no answer") }
    var reference = SPFReference(zone: zone)
    let expected = reference.result(of: "d0")
    Outcomes.count("\(expected) \(reference.lookups > 3 ? "deep" : "flat")")
    expect(
        outcome.result.rawValue == expected,
        "\(outcome.result) is \(expected): \(zone.records) \(outcome.trace.map(\.description))"
    )
    return 0
}

/// Domains `d0.example` to `d4.example`, whose records lead to one another.
private struct SPFGrammar {
    static let client: UInt32 = 0xC000_0201

    /// A term as the reference reads it.
    enum Term: Equatable {
        case all, ip4(UInt32, Int), a(String, Int), mx(String, Int), include(String), exists(String), unknown
    }

    struct Directive {
        let qualifier: Character
        let term: Term
    }

    struct Record {
        var text = "v=spf1"
        var directives: [Directive] = []
        var redirect: String?
    }

    var zone = DNSZone()
    /// The records of each domain; one is usual.
    private(set) var records: [String: [Record]] = [:]
    private(set) var addresses: [String: UInt32] = [:]
    private(set) var exchanges: [String: [String]] = [:]

    init(_ choices: consuming Choices) {
        var choices = choices
        for index in 0..<5 {
            let name = "d\(index)"
            if choices.number(below: 4) > 0 { addresses[name] = Self.client ^ UInt32(choices.number(below: 4)) }
            if choices.number(below: 3) > 0 { exchanges[name] = ["d\(choices.number(below: 5))"] }
            let count = index == 0 || !choices.isRare(5) ? 1 : choices.one(of: [0, 2])
            records[name] = (0..<count).map { _ in Self.record(&choices) }
        }
        // An exchange without an address would be a lookup that finds nothing, which is counted in more than one way.
        for (name, hosts) in exchanges { exchanges[name] = hosts.filter { addresses[$0] != nil } }
        write()
    }

    private static func record(_ choices: inout Choices) -> Record {
        var record = Record()
        for _ in 0..<choices.number(below: 5) {
            let domain = "d\(choices.number(below: 6))"
            let bits = choices.one(of: [32, 31, 30, 24, 0])
            let suffix = bits == 32 ? "" : "/\(bits)"
            let qualifier = choices.one(of: ["", "-", "~", "?", "+"])
            let address = client ^ UInt32(choices.number(below: 4))
            let (text, term): (String, Term) =
                switch choices.number(below: 8) {
                case 0, 1: ("include:\(domain).example", .include(domain))
                case 2: ("a:\(domain).example\(suffix)", .a(domain, bits))
                case 3: ("mx:\(domain).example\(suffix)", .mx(domain, bits))
                case 4: ("exists:\(domain).example", .exists(domain))
                case 5: ("exists:%{d2}", .exists("%{d2}"))
                case 6: ("ip4:\(IPv4Address(address))\(suffix)", .ip4(address, bits))
                default: choices.isRare(16) ? ("allx", .unknown) : ("all", .all)
                }
            record.directives.append(Directive(qualifier: qualifier.first ?? "+", term: term))
            let spaces = String(repeating: " ", count: 1 + choices.number(below: 2))
            // RFC 7208 § 6: unknown modifiers are ignored, and § 4.6.1: the names are case-insensitive.
            if choices.isRare(6) { record.text += spaces + "x-\(choices.number(below: 9))=%{d}" }
            record.text += spaces + qualifier + (choices.isRare(3) && !text.contains("%") ? text.uppercased() : text)
        }
        if choices.isRare(3) {
            let domain = "d\(choices.number(below: 6))"
            record.redirect = domain
            record.text += " redirect=\(domain).example"
        }
        return record
    }

    private mutating func write() {
        for (label, records) in records {
            guard let name = try? DomainName(label + ".example") else { continue }
            zone.add(existing: name)
            for record in records { zone.add(.txt(Array(record.text.utf8)), at: name) }
            if let address = addresses[label] { zone.add(.a(IPv4Address(address)), at: name) }
            for host in exchanges[label] ?? [] {
                guard let exchange = try? DomainName(host + ".example") else { continue }
                zone.add(.mx(preference: 1, exchange: exchange), at: name)
            }
        }
    }
}

/// RFC 7208 in as few lines as the grammar needs.
private struct SPFReference {
    let zone: SPFGrammar
    var lookups = 0
    var voids = 0

    private struct PermanentError: Error {}

    mutating func result(of domain: String) -> String {
        do { return try check(domain) } catch { return "permerror" }
    }

    private mutating func check(_ domain: String) throws(PermanentError) -> String {
        let records = zone.records[domain] ?? []
        // § 4.5: no record is none, several are permerror.
        guard let record = records.first else { return "none" }
        // § 4.6: a syntax error anywhere in the record.
        guard records.count == 1, !record.directives.contains(where: { $0.term == .unknown }) else {
            throw PermanentError()
        }
        for directive in record.directives where try matches(directive.term, domain) {
            return ["-": "fail", "~": "softfail", "?": "neutral"][directive.qualifier] ?? "pass"
        }
        // § 5.1: beside "all", a redirect modifier means nothing; "all" matches always, so there is none here.
        guard let redirect = record.redirect else { return "neutral" }
        try count()
        let result = try check(redirect)
        // § 6.1: no record at the target is permerror.
        if result == "none" { throw PermanentError() }
        return result
    }

    /// § 4.6.4: the eleventh term that looks something up is too much.
    private mutating func count() throws(PermanentError) {
        lookups += 1
        guard lookups <= 10 else { throw PermanentError() }
    }

    /// § 4.6.4: and so is the third lookup that finds nothing.
    private mutating func found(_ isFound: Bool) throws(PermanentError) {
        if !isFound { voids += 1 }
        guard voids <= 2 else { throw PermanentError() }
    }

    private mutating func matches(_ term: SPFGrammar.Term, _ domain: String) throws(PermanentError) -> Bool {
        switch term {
        case .all: return true
        case .unknown: return false
        case .ip4(let address, let bits): return isClient(address, bits)
        case .a(let name, let bits):
            try count()
            let address = zone.addresses[name]
            try found(address != nil)
            return address.map { isClient($0, bits) } ?? false
        case .mx(let name, let bits):
            try count()
            let hosts = zone.exchanges[name] ?? []
            try found(!hosts.isEmpty)
            return hosts.contains { host in zone.addresses[host].map { isClient($0, bits) } ?? false }
        case .exists(let name):
            try count()
            let target = name == "%{d2}" ? domain : name
            try found(zone.addresses[target] != nil)
            return zone.addresses[target] != nil
        case .include(let name):
            try count()
            // § 5.2: none is permerror, pass matches.
            let result = try check(name)
            if result == "none" { throw PermanentError() }
            return result == "pass"
        }
    }

    private func isClient(_ address: UInt32, _ bits: Int) -> Bool {
        bits == 0 || address >> UInt32(32 - bits) == SPFGrammar.client >> UInt32(32 - bits)
    }
}
