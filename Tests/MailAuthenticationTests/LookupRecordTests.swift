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
}
