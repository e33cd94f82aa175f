import MailSyntax
import Synchronization
import Testing

@testable import DNSLookup

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
    ) -> OpenLookup {
        open.withLock { $0.append((question, answered)) }
        return OpenLookup {
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

/// Wants the texts of several names, all at once.
private struct Texts: DNSInquiry {
    let questions: [DNSQuestion]
    var questionsAhead = Int.max

    func pass(over answers: inout DNSAnswers) -> [[UInt8]?]? {
        questions.map { question in
            guard case .success(let answer)? = answers.reply(to: question)?.result else { return nil }
            return answer.texts.first
        }
    }
}

@Suite("Inquiries")
struct InquiryTests {
    private func zone() throws -> (DNSZone, Texts) {
        var zone = DNSZone()
        let names = try ["a.example", "b.example", "c.example"].map { try DomainName($0) }
        for name in names { zone.add(.txt(name.wire), at: name) }
        return (zone, Texts(questions: names.map { DNSQuestion($0, .txt) }))
    }

    private func wires(_ inquiry: Texts) -> [[UInt8]?] { inquiry.questions.map(\.name.wire) }

    @Test("every answer counts, whichever comes first")
    func replies() async throws {
        let (zone, inquiry) = try zone()
        let resolver = CallingResolver(zone)
        let task = Task { await resolver.outcome(of: inquiry) }
        while resolver.openCount < 3 { await Task.yield() }
        for _ in 0..<3 { resolver.answerLast() }
        #expect(await task.value == wires(inquiry))
    }

    @Test("what may not be needed is asked as far as the bound allows, what is needed in any case")
    func ahead() async throws {
        var (zone, inquiry) = try zone()
        inquiry.questionsAhead = 1
        let resolver = CallingResolver(zone)
        let task = Task { [inquiry] in await resolver.outcome(of: inquiry) }
        while resolver.openCount < 2 { await Task.yield() }
        #expect(resolver.openCount == 2)
        resolver.answerLast()
        resolver.answerLast()
        while resolver.openCount < 1 { await Task.yield() }
        resolver.answerLast()
        #expect(await task.value == wires(inquiry))
    }

    @Test("who is cancelled gives up what is open, and keeps what is there")
    func cancelled() async throws {
        let (zone, inquiry) = try zone()
        let resolver = CallingResolver(zone)
        let task = Task { await resolver.outcome(of: inquiry) }
        while resolver.openCount < 3 { await Task.yield() }
        resolver.answerLast()
        task.cancel()
        #expect(await task.value == [nil, nil, inquiry.questions[2].name.wire])
        #expect(resolver.cancelled.withLock { $0 } >= 2)
    }

    @Test("a resolver that has tasks wait serves as well")
    func tasks() async throws {
        struct Waiting: DNSResolving {
            let zone: DNSZone

            func lookUp(_ question: DNSQuestion) async -> DNSReply { await zone.lookUp(question) }
        }
        let (zone, inquiry) = try zone()
        #expect(zone.outcomeAtHand(of: inquiry) == wires(inquiry))
        #expect(Waiting(zone: zone).outcomeAtHand(of: inquiry) == nil)
        #expect(await Waiting(zone: zone).outcome(of: inquiry) == wires(inquiry))
    }

    @Test("an address answer without a wanted address leads no further; others do")
    func passedOver() throws {
        let names = try ["a.example", "b.example"].map { DNSQuestion(try DomainName($0), .a) }
        let wanted = DNSAddressTest(IPNetwork("192.0.2.0/24"))
        var answers = DNSAnswers(atHand: CallingResolver(DNSZone()))
        for name in names { _ = answers.reply(to: name, holding: wanted) }
        func reply(_ question: DNSQuestion, _ address: UInt32) -> DNSReply {
            let records = [DNSRecord.a(IPv4Address(address))]
            return DNSReply(.success(DNSAnswer(question, records: records, timeToLive: 1)), source: .server)
        }
        #expect(answers.needed == names[0])
        let isFurther = answers.take(reply(names[0], 0x0A00_0001), to: names[0])
        #expect(!isFurther)
        #expect(answers.needed == names[1])
        let isWanted = answers.take(reply(names[1], 0xC000_0201), to: names[1])
        #expect(isWanted)
    }
}
