import MilterProtocol
import Testing

@testable import MilterServer

@Suite("The answer that the MTA waits for")
struct PendingAnswerTests {
    private static let accept = MilterVerdict(.accept)

    @Test("it is returned, or comes before that, or later")
    func times() {
        var answer = PendingAnswer()
        _ = answer.ask(.recipient)
        #expect(answer.isWaited)
        #expect(answer.asked(Self.accept) != nil)
        #expect(!answer.isWaited)

        var number = answer.ask(.recipient)
        #expect(answer.take(Self.accept, number: number) == nil)
        #expect(answer.asked(nil)?.response == .accept)
        #expect(!answer.isWaited)

        number = answer.ask(.endOfMessage)
        #expect(answer.asked(nil) == nil)
        #expect(answer.isWaited)
        #expect(answer.take(Self.accept, number: number) == .endOfMessage)
        #expect(!answer.isWaited)
    }

    @Test("an answer counts once, and only for its own question")
    func once() {
        var answer = PendingAnswer()
        let old = answer.ask(.recipient)
        #expect(answer.asked(nil) == nil)
        #expect(answer.take(Self.accept, number: old) == .recipient)
        #expect(answer.take(Self.accept, number: old) == nil)
        let new = answer.ask(.data)
        #expect(answer.take(MilterVerdict(.tempfail), number: old) == nil)
        #expect(answer.asked(nil) == nil)
        answer.cancel()
        #expect(answer.take(Self.accept, number: new) == nil)
    }

    @Test("of two early answers the first counts, and what is returned before both")
    func early() {
        var answer = PendingAnswer()
        let number = answer.ask(.data)
        _ = answer.take(Self.accept, number: number)
        _ = answer.take(MilterVerdict(.tempfail), number: number)
        #expect(answer.asked(nil)?.response == .accept)
        let next = answer.ask(.data)
        _ = answer.take(MilterVerdict(.tempfail), number: next)
        #expect(answer.asked(Self.accept)?.response == .accept)
    }
}
