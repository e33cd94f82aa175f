import DNSLookup
import Synchronization

/// A zone whose answers are at hand and, as in the daemon's cache, the same objects each time.
final class AnsweringZone: DNSResolving {
    private let zone: DNSZone
    private let known = Mutex<[DNSQuestion: DNSReply]>([:])

    init(_ zone: DNSZone) { self.zone = zone }

    func answerAtHand(_ question: DNSQuestion) -> DNSReply? {
        known.withLock { known in
            if let reply = known[question] { return reply }
            let reply = DNSReply(zone.answer(question), source: .cache)
            known[question] = reply
            return reply
        }
    }

    func lookUp(_ question: DNSQuestion) async -> DNSReply {
        answerAtHand(question) ?? DNSReply(.failure(.serverFailure), source: .cache)
    }
}
