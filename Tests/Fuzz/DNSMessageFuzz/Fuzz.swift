internal import DNSLookup
internal import DNSMessage
internal import Driver
internal import MailSyntax

/// Reads an input as the reply to each question that can be asked about `name.example`.
func fuzzMessage(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let octets = unsafe input(start, count)
    guard let name = try? DomainName("name.example") else { preconditionFailure("no name") }
    for type in DNSRecordType.allCases {
        let question = DNSQuestion(name, type)
        guard let query = QueryMessage(question, identifier: 0, ednsSize: 1232) else { preconditionFailure("no query") }
        _ = query.isAnswered(by: octets)
        guard case .answer(let answer, let deniesName) = ReplyMessage(octets, to: question) else { continue }
        precondition(answer.question == question && answer.records.count <= 1024)
        precondition(answer.records.allSatisfy { $0.type == type })
        precondition((answer.status == .records) == !answer.records.isEmpty)
        precondition(!deniesName || answer.status == .noSuchName)
        precondition(answer.texts.reduce(0) { $0 + $1.count } <= octets.count)
    }
    return 0
}
