internal import DNSLookup
internal import NIOCore

/// What a transport says about a question in the end.
struct QueryOutcome: Sendable {
    let result: Result<DNSAnswer, DNSLookupError>
    /// The name asked about does not exist, whatever the type.
    var deniesName = false

    /// Whether the question was not sent, as there was no room.
    var lacksRoom: Bool { if case .failure(.noRoom) = result { true } else { false } }
}

/// Asks servers.
protocol QueryTransport: Sendable {
    /// Asks a question; `completion` is called once, on any thread, unless the query is cancelled before.
    func start(
        _ question: DNSQuestion,
        for demand: Demand,
        completion: @escaping @Sendable (QueryOutcome) -> Void
    ) -> QueryHandle
    /// Notes that somebody else wants the answer as well, before whose message so many questions were asked.
    func join(_ handle: QueryHandle, asked: Int)
    /// Whether the question has not been sent yet, as there is no room.
    func isWaiting(_ handle: QueryHandle) -> Bool
    /// Stops caring about a question.
    func cancel(_ handle: QueryHandle)
}

/// How much an answer is wanted.
enum Demand: Hashable, Sendable {
    /// Somebody waits for it, whose message has had so many questions before.
    case wanted(asked: Int)
    /// Nobody waits for it yet.
    case ahead
}

/// Names a query that is out.
struct QueryHandle: Hashable, Sendable {
    /// Which of the transport's loops runs it.
    let loop: Int
    let number: UInt64
}

/// What is asked in place of a question whose name is an alias.
struct Detour {
    let question: DNSQuestion
    let path: AliasPath
    /// The smallest TTL of the aliases on the way.
    let timeToLive: UInt32
}

/// A question that is out; lives on one event loop.
final class Query {
    let handle: QueryHandle
    let question: DNSQuestion
    let completion: @Sendable (QueryOutcome) -> Void
    /// When it ends at the latest, once there is room for it.
    var deadline = NIODeadline.distantFuture
    /// Nil while there is no room.
    var plan: QueryPlan? {
        get { course?.plan }
        set { place().plan = newValue }
    }
    /// The alias that has to be followed, when the name turned out to be one.
    var detour: Detour? {
        get { course?.detour }
        set { place().detour = newValue }
    }
    /// Whether it has gone unanswered for so long that it takes no room any more.
    var isLate = false
    /// Every sending that may still be answered.
    var attempts: [Attempt] = []
    var timer: Scheduled<Void>?
    private var course: Course?

    /// What a question has from the time at which it is sent; apart from it, so that one that waits takes little memory.
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

    /// What is asked of servers.
    var current: DNSQuestion { detour?.question ?? question }

    /// Whether the same server has been asked with EDNS, and has not replied to that.
    func hasUnansweredEDNS(at server: NameServer) -> Bool {
        attempts.contains { $0.server == server && $0.message.hasEDNS && $0.carrier?.isStream == false }
    }

    /// What an answer to what was asked says about the question.
    func answer(_ answer: DNSAnswer) -> DNSAnswer {
        guard let detour else { return answer }
        let timeToLive = min(answer.timeToLive, detour.timeToLive)
        guard answer.status == .records else {
            return DNSAnswer(question, negative: answer.status, timeToLive: timeToLive)
        }
        return DNSAnswer(question, records: answer.records, timeToLive: timeToLive)
    }
}
