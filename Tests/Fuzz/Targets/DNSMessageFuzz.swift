internal import DNSLookup
internal import DNSResolver
internal import MailSyntax

/// Reads an input as the reply to each question that can be asked about `name.example`.
func fuzzDNSMessage(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let octets = unsafe input(start, count)
    guard let name = try? DomainName("name.example") else { fatalError("no name") }
    for type in DNSRecordType.allCases {
        let question = DNSQuestion(name, type)
        guard let query = QueryMessage(question, identifier: 0, ednsSize: 1232) else { fatalError("no query") }
        _ = query.isAnswered(by: octets)
        guard case .answer(let answer, let deniesName) = ReplyMessage(octets, to: question) else { continue }
        expect(answer.question == question && answer.records.count <= 1024)
        expect(answer.records.allSatisfy { $0.type == type })
        expect((answer.status == .records) == !answer.records.isEmpty)
        expect(!deniesName || answer.status == .noSuchName)
        expect(answer.texts.reduce(0) { $0 + $1.count } <= octets.count)
    }
    return 0
}
