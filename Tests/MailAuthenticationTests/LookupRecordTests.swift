import DNSLookup
import MailAuthentication
import MailSyntax
import Testing

@Suite("The lookups of a message")
struct LookupRecordTests {
    @Test(
        "each question is kept once, in the order of the replies, be there few or many",
        arguments: [1, 15, 16, 17, 60]
    )
    func once(count: Int) async throws {
        let record = LookupRecord()
        let resolver = RecordingResolver(DNSZone(), record: record)
        let questions = try (0..<count).map { DNSQuestion(try DomainName("n\($0).example"), .txt) }
        for _ in 0..<2 {
            for question in questions { _ = resolver.answerAtHand(question) }
            for question in questions { _ = await resolver.lookUp(question) }
        }
        #expect(record.entries.map(\.question) == questions)
    }

    @Test("answers are read up to a bound; beyond it nothing is asked, and who asks again hears the same")
    func bounded() async throws {
        var zone = DNSZone()
        let questions = try (0..<6).map { DNSQuestion(try DomainName("n\($0).example"), .txt) }
        for question in questions { zone.add(.txt([UInt8](repeating: 0x61, count: 60_000)), at: question.name) }
        let record = LookupRecord()
        let resolver = RecordingResolver(zone, record: record)
        for _ in 0..<2 {
            for (number, question) in questions.enumerated() {
                let replies = [await resolver.lookUp(question), try #require(resolver.answerAtHand(question))]
                for reply in replies {
                    switch reply.result {
                    case .success: #expect(number < 4)
                    case .failure(let error): #expect(number >= 4 && error == .tooMuch && error.isLocal)
                    }
                }
            }
        }
        #expect(record.entries.map(\.question) == questions)
    }
}
