/// One thing that is measured: done a number of times, always the same way.
struct Benchmark: Sendable {
    let name: String
    /// How many octets one time works on, where a rate means something.
    let octets: Int?
    /// How many times are enough for counting instructions.
    let count: Int
    /// Makes what is repeated, with all that it needs.
    private let makeBody: @Sendable () async throws -> () async throws -> Void

    /// A benchmark whose body is made once, with what it needs, and then run.
    init(
        _ name: String,
        octets: Int? = nil,
        count: Int = 200,
        _ makeBody: @escaping @Sendable () async throws -> () async throws -> Void
    ) {
        self.name = name
        self.octets = octets
        self.count = count
        self.makeBody = makeBody
    }

    /// What is repeated; it was done once, for what is set up on first use is not to be measured.
    func body() async throws -> () async throws -> Void {
        let body = try await makeBody()
        try await body()
        return body
    }

    /// Every benchmark.
    static let all = syntax + dkim + spf + dns + milter + message + trial
}

/// How long it takes to do something a number of times.
func repeating(_ body: () async throws -> Void, _ times: Int) async throws -> Duration {
    let start = ContinuousClock.now
    for _ in 0..<times { try await body() }
    return .now - start
}

/// Keeps the optimizer from removing what led to a value.
@inline(never)
func use<Value>(_ value: Value) {}

/// A benchmark came to another result than it should: then its cost means nothing.
struct UnexpectedResult: Error {
    let description: String

    init(_ value: Any) { description = "\(value)" }
}
