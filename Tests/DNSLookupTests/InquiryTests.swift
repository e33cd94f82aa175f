import DNSLookup
import MailSyntax
import Synchronization
import Testing

/// A resolver that answers by a call, when the test says so.
private final class CallingResolver: DNSResolving {
    private let open = Mutex([(question: DNSQuestion, answered: @Sendable (DNSReply) -> Void)]())
    private let zone: DNSZone
    let cancelled = Mutex(0)

    init(_ zone: DNSZone) {
        self.zone = zone
    }

    var openCount: Int { open.withLock { $0.count } }

    func lookUp(_ question: DNSQuestion) async -> DNSReply { await zone.lookUp(question) }

    func ask(
        _ question: DNSQuestion,
        for asker: (any DNSAsker)?,
        answered: @escaping @Sendable (DNSReply) -> Void
    ) -> DNSInquiry? {
        open.withLock { $0.append((question, answered)) }
        return DNSInquiry {
            self.cancelled.withLock { $0 += 1 }
            answered(DNSReply(.failure(.cancelled), source: .server))
        }
    }

    /// Answers the question that was asked last.
    func answerLast() {
        guard let (question, answered) = open.withLock({ $0.popLast() }) else { return }
        answered(DNSReply(zone.answer(question), source: .server))
    }
}

@Suite("Several questions at once")
struct InquiryTests {
    private func zone() throws -> (DNSZone, [DNSQuestion]) {
        var zone = DNSZone()
        let names = try ["a.example", "b.example", "c.example"].map { try DomainName($0) }
        for name in names { zone.add(.txt(name.wire), at: name) }
        return (zone, names.map { DNSQuestion($0, .txt) })
    }

    @Test("all replies are there, each beside its question, whichever comes first")
    func replies() async throws {
        let (zone, questions) = try zone()
        let resolver = CallingResolver(zone)
        let task = Task { await resolver.lookUp(questions) }
        while resolver.openCount < 3 { await Task.yield() }
        for _ in 0..<3 { resolver.answerLast() }
        let replies = await task.value
        #expect(replies.map(\.question) == questions)
        for (question, reply) in replies { #expect(try reply.result.get().texts == [question.name.wire]) }
    }

    @Test("who is cancelled gives up what is open, and keeps what is there")
    func cancelled() async throws {
        let (zone, questions) = try zone()
        let resolver = CallingResolver(zone)
        let task = Task { await resolver.lookUp(questions) }
        while resolver.openCount < 3 { await Task.yield() }
        resolver.answerLast()
        task.cancel()
        let replies = await task.value
        let answered = replies.map { if case .success = $0.reply.result { true } else { false } }
        #expect(answered == [false, false, true])
        #expect(resolver.cancelled.withLock { $0 } == 3)
    }

    @Test("a resolver that has tasks wait serves as well, and so does a single question")
    func tasks() async throws {
        let (zone, questions) = try zone()
        #expect(await Set(zone.lookUp(questions).map(\.question)) == Set(questions))
        #expect(await zone.lookUp([questions[0]]).map(\.question) == [questions[0]])
        #expect(await zone.lookUp([DNSQuestion]()).isEmpty)
    }
}
