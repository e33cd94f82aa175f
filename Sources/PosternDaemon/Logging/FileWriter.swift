internal import Dispatch
internal import Glibc
internal import MailSyntax
internal import Synchronization

/// Writes lines to a file from its own thread: a disk may be slow, and mail must not wait for it.
///
/// A line is counted as dropped if too many other lines wait, or if the disk is full.
final class FileWriter: Sendable {
    /// Writes octets, and returns how many were written.
    typealias Output = @Sendable (ArraySlice<UInt8>) -> Int

    /// The most octets that may wait for the disk.
    private static let maximumWaiting = 1 << 20

    private struct State {
        var waiting: [UInt8] = []
        var isWriting = false
        /// Whether the file ends in the middle of a line.
        var isTorn = false
        var dropped = 0
    }

    private let output: Output
    private let queue = DispatchQueue(label: "postern.log")
    private let state = Mutex(State())

    /// A writer that passes octets to `output`.
    init(_ output: @escaping Output) {
        self.output = output
    }

    /// A writer to an open file; the caller keeps the ownership of the descriptor.
    convenience init(descriptor: Int32) {
        // write(2) reads at most the given number of octets.
        self.init { octets in
            unsafe octets.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        }
    }

    /// How many lines were lost.
    var dropped: Int { state.withLock { $0.dropped } }

    /// Queues a line for writing; the line end is added.
    func write(_ line: [UInt8]) {
        let begins = state.withLock { state in
            guard state.waiting.count + line.count < Self.maximumWaiting else {
                state.dropped += 1
                return false
            }
            state.waiting += line
            state.waiting.append(.lf)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if begins { queue.async { self.writeAll() } }
    }

    /// Waits until earlier lines are in the file, or the time is over.
    func flush(seconds: Int) {
        let done = DispatchSemaphore(value: 0)
        queue.async { done.signal() }
        _ = done.wait(timeout: .now() + .seconds(seconds))
    }

    private func writeAll() {
        while let text = takeWaiting() {
            // If the file ends in the middle of a line, the next line starts on a new line.
            if state.withLock({ $0.isTorn }), write([.lf]).isEmpty { state.withLock { $0.isTorn = false } }
            let rest = write(text[...])
            state.withLock { state in
                state.dropped += rest.count { $0 == .lf }
                if rest.startIndex > 0 { state.isTorn = text[rest.startIndex - 1] != .lf }
            }
        }
    }

    private func takeWaiting() -> [UInt8]? {
        state.withLock { state in
            state.isWriting = !state.waiting.isEmpty
            defer { state.waiting = [] }
            return state.isWriting ? state.waiting : nil
        }
    }

    /// Writes as much as the file takes, and returns the rest.
    private func write(_ octets: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var rest = octets
        while !rest.isEmpty {
            let count = output(rest)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            rest = rest.dropFirst(count)
        }
        return rest
    }
}
