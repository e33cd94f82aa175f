import DNSLookup
import MailSyntax
import Testing

@testable import MailAuthentication

@Suite("The lookups of a message")
struct LookupRecordTests {
    @Test(
        "each question is kept once, in the order of the replies, be there few or many",
        arguments: [1, 15, 16, 17, 60]
    )
    func once(count: Int) async throws {
        let record = LookupRecord(DNSZone())
        let resolver = record.resolver(.keys)
        let questions = try (0..<count).map { DNSQuestion(try DomainName("n\($0).example"), .txt) }
        for _ in 0..<2 {
            for question in questions { _ = resolver.answerAtHand(question) }
            for question in questions { _ = await resolver.lookUp(question) }
        }
        #expect(record.entries.map(\.question) == questions)
    }

    /// A zone whose names have long texts, and a question for each.
    private func long(_ count: Int) throws -> (DNSZone, [DNSQuestion]) {
        var zone = DNSZone()
        let questions = try (0..<count).map { DNSQuestion(try DomainName("n\($0).example"), .txt) }
        for question in questions { zone.add(.txt([UInt8](repeating: 0x61, count: 20_000)), at: question.name) }
        return (zone, questions)
    }

    @Test("answers are read up to a bound; beyond it nothing is asked, and who asks again hears the same")
    func bounded() async throws {
        let (zone, questions) = try long(5)
        let record = LookupRecord(zone)
        let resolver = record.resolver(.mailFrom)
        for _ in 0..<2 {
            for (number, question) in questions.enumerated() {
                var replies = [await resolver.lookUp(question), try #require(resolver.answerAtHand(question))]
                await withCheckedContinuation { continuation in
                    _ = resolver.ask(question, for: nil) { _ in continuation.resume() }
                }
                replies.append(await resolver.lookUp(question))
                for reply in replies {
                    switch reply.result {
                    case .success: #expect(number < 3)
                    case .failure(let error): #expect(number >= 3 && error == .tooMuch && error.isLocal)
                    }
                }
            }
        }
        #expect(record.entries.map(\.question) == questions)
    }

    @Test("what one check has read up leaves the others theirs, also of the same names", arguments: [20, 4])
    func shares(count: Int) async throws {
        let (zone, questions) = try long(count)
        let record = LookupRecord(zone)
        for question in questions { _ = await record.resolver(.mailFrom).lookUp(question) }
        let last = try #require(questions.last)
        #expect(await record.resolver(.mailFrom).lookUp(last).result.error == .tooMuch)
        for share in LookupRecord.Share.allCases where share != .mailFrom {
            #expect(await record.resolver(share).lookUp(last).result.error == nil)
        }
        #expect(record.entries.map(\.question) == questions)
        // Whoever asks why a message was judged as it was has the answer that was read.
        #expect(try record.entries.last?.reply.result.get().texts.first?.count == 20_000)
    }
}

extension Result {
    fileprivate var error: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}
