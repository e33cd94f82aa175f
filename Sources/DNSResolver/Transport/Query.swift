internal import DNSLookup
internal import NIOCore

/// The final result of a question.
struct QueryOutcome: Sendable {
    let result: Result<DNSAnswer, DNSLookupError>
    /// Whether the name asked about does not exist, for any type.
    var deniesName = false

    /// Whether the question was not sent because there was no room.
    var lacksRoom: Bool { if case .failure(.noRoom) = result { true } else { false } }
}

/// Asks servers.
protocol QueryTransport: Sendable {
    /// Asks a question; `completion` is called once, on any thread, unless the query is cancelled first.
    func start(
        _ question: DNSQuestion,
        for demand: Demand,
        completion: @escaping @Sendable (QueryOutcome) -> Void
    ) -> QueryHandle
    /// Notes that another message, which had asked `asked` questions before, wants the same answer.
    func join(_ handle: QueryHandle, asked: Int)
    /// Whether the question has not been sent yet because there is no room.
    func isWaiting(_ handle: QueryHandle) -> Bool
    /// Cancels a question.
    func cancel(_ handle: QueryHandle)
}

/// The demand for an answer.
enum Demand: Hashable, Sendable {
    /// Somebody waits for the answer; the message had asked `asked` questions before.
    case wanted(asked: Int)
    /// Nobody waits for it yet.
    case ahead
}

/// Identifies a query in flight.
struct QueryHandle: Hashable, Sendable {
    /// The transport's loop that runs the query.
    let loop: Int
    let number: UInt64
}

/// The question that replaces one whose name is an alias.
struct Detour {
    let question: DNSQuestion
    let path: AliasPath
    /// The smallest TTL of the aliases on the path.
    let timeToLive: UInt32
}

/// A question in flight; lives on one event loop.
final class Query {
    let handle: QueryHandle
    let question: DNSQuestion
    let completion: @Sendable (QueryOutcome) -> Void
    /// The latest end of the query, once there is room for it.
    var deadline = NIODeadline.distantFuture
    /// Nil while there is no room.
    var plan: QueryPlan? {
        get { course?.plan }
        set { place().plan = newValue }
    }
    /// The alias to follow, if the name is an alias.
    var detour: Detour? {
        get { course?.detour }
        set { place().detour = newValue }
    }
    /// Whether the question has gone unanswered for so long that it no longer takes room.
    var isLate = false
    /// Every attempt that may still be answered.
    var attempts: [Attempt] = []
    var timer: Scheduled<Void>?
    private var course: Course?

    /// The state of a question after it was sent; kept apart, so that a waiting question takes little memory.
    private final class Course {
        var plan: QueryPlan?
        var detour: Detour?
    }

    init(
        handle: QueryHandle,
        question: DNSQuestion,
        completion: @escaping @Sendable (QueryOutcome) -> Void
    ) {
        self.handle = handle
        self.question = question
        self.completion = completion
    }

    private func place() -> Course {
        let course = self.course ?? Course()
        self.course = course
        return course
    }

    /// The question to ask servers.
    var current: DNSQuestion { detour?.question ?? question }

    /// Whether the same server has been asked with EDNS and has not replied.
    func hasUnansweredEDNS(at server: NameServer) -> Bool {
        attempts.contains { $0.server == server && $0.message.hasEDNS && $0.carrier?.isStream == false }
    }

    /// The answer to the original question, from an answer to the current one.
    func answer(_ answer: DNSAnswer) -> DNSAnswer {
        guard let detour else { return answer }
        let timeToLive = min(answer.timeToLive, detour.timeToLive)
        guard answer.status == .records else {
            return DNSAnswer(question, negative: answer.status, timeToLive: timeToLive)
        }
        return DNSAnswer(question, records: answer.records, timeToLive: timeToLive)
    }
}
