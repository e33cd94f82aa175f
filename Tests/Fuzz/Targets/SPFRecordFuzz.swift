internal import DNSLookup
internal import MailSyntax
internal import SPF

/// Reads an input as a record; what can be read is evaluated where every name that it leads to holds the same record.
func fuzzSPFRecord(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let text = unsafe input(start, count)
    guard let record = try? SPFRecord(parsing: text[...]) else { return 0 }
    expect(record.directives.count <= text.count)
    let resolver = EverywhereTheSame(text: text)
    for client in [IPAddress.v4(IPv4Address(0xC000_0202)), .v6(IPv6Address(high: 0x2001_0DB8 << 32, low: 2))] {
        let identity = SPFIdentity(mailFrom: Octets("a.b-c@d.example.org"), helo: Octets("e.example"))
        let inquiry = SPFInquiry(
            identity,
            scope: .mfrom,
            helo: Octets("e.example"),
            client: client,
            now: 0,
            selector: SPFVersion1()
        )
        guard let outcome = resolver.outcomeAtHand(of: inquiry) else { fatalError("an answer is missing") }
        expect(outcome.lookups <= 10 && outcome.voidLookups <= 3 && outcome.queries <= 160)
        expect(outcome.result != .temperror && outcome.result != .none)
        _ = outcome.trace.map(\.description)
        Outcomes.count("\(outcome.result.rawValue) \(outcome.lookups > 3 ? "deep" : "flat")")
    }
    return 0
}

/// Gives the same record for each TXT question, and one address, host or name for the others.
struct EverywhereTheSame: DNSResolving {
    let text: [UInt8]

    func answerAtHand(_ question: DNSQuestion) -> DNSReply? {
        let record: DNSRecord =
            switch question.type {
            case .a: .a(IPv4Address(0xC000_0201))
            case .aaaa: .aaaa(IPv6Address(high: 0x2001_0DB8_0000_0000, low: 1))
            case .mx: .mx(preference: 10, exchange: question.name)
            case .ptr: .ptr(question.name)
            case .txt: .txt(text)
            }
        return DNSReply(.success(DNSAnswer(question, records: [record], timeToLive: 1)), source: .zone)
    }

    func lookUp(_ question: DNSQuestion) async -> DNSReply {
        answerAtHand(question) ?? DNSReply(.failure(.timeout), source: .zone)
    }
}
