public import DNSLookup
internal import Synchronization

/// A resolver that has no answer at hand: each has to be waited for, and each question is noted.
public final class Asked<Resolver: DNSResolving>: DNSResolving {
    private let resolver: Resolver
    private let log = Mutex<[DNSQuestion]>([])

    /// Puts a wait before each answer of `resolver`.
    public init(_ resolver: Resolver) {
        self.resolver = resolver
    }

    /// The questions in the order they were asked.
    public var questions: [DNSQuestion] { log.withLock { $0 } }

    /// Answers after others had their turn.
    public func lookUp(_ question: DNSQuestion) async -> DNSReply {
        log.withLock { $0.append(question) }
        await Task.yield()
        return await resolver.lookUp(question)
    }
}
