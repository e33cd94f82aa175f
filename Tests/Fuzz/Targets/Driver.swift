internal import Glibc
internal import Synchronization

/// libFuzzer calls this with each input; the octets are its own and live until the return.
typealias FuzzCallback = @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32

@unsafe @_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ callback: FuzzCallback
) -> Int32

/// Hands the program over to libFuzzer, whose options are the program's arguments.
func runFuzzer(_ callback: FuzzCallback) -> Never {
    var count = CommandLine.argc
    var arguments = unsafe CommandLine.unsafeArgv
    atexit { Outcomes.show() }
    exit(unsafe runDriver(&count, &arguments, callback))
}

/// The octets of an input, copied.
func input(_ start: UnsafePointer<UInt8>?, _ count: Int) -> [UInt8] {
    unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
}

/// Ends the run with a finding unless a condition holds; unlike a precondition's, its words are there in a release build.
func expect(
    _ condition: Bool,
    _ message: @autoclosure () -> String = "",
    file: StaticString = #fileID,
    line: UInt = #line
) {
    if !condition { fatalError(message(), file: file, line: line) }
}

/// How often each outcome was seen: a target that never gets beyond the first check is worth little.
enum Outcomes {
    private static let counts = Mutex([String: Int]())

    static func count(_ outcome: String) { counts.withLock { $0[outcome, default: 0] += 1 } }

    /// Writes the counts to standard error, the most frequent first.
    static func show() {
        let sorted = counts.withLock { $0.sorted { ($1.value, $0.key) < ($0.value, $1.key) } }
        guard !sorted.isEmpty else { return }
        let text = "outcomes: " + sorted.map { "\($0.key) \($0.value)" }.joined(separator: ", ") + "\n"
        // write(2) reads no further than the length given.
        _ = unsafe Array(text.utf8).withUnsafeBytes { unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}

/// Takes an input as a series of choices; when it is used up, every choice is the first one.
struct Choices {
    private var octets: ArraySlice<UInt8>

    init(_ octets: some Sequence<UInt8>) { self.octets = Array(octets)[...] }

    var isEmpty: Bool { octets.isEmpty }

    mutating func octet() -> UInt8 { octets.popFirst() ?? 0 }

    /// A number below `count`.
    mutating func number(below count: Int) -> Int { Int(octet()) % count }

    /// One of several values.
    mutating func one<Value>(of values: [Value]) -> Value { values[number(below: values.count)] }

    /// True for one choice in `count`.
    mutating func isRare(_ count: Int) -> Bool { Int(octet()) % count == count - 1 }

    /// The next octets, as many as there are.
    mutating func octets(_ count: Int) -> [UInt8] {
        defer { octets = octets.dropFirst(count) }
        return Array(octets.prefix(count))
    }
}
