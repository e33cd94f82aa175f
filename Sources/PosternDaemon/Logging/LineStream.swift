internal import Glibc
internal import MailSyntax
internal import Synchronization

/// Writes lines to an open file, a pipe or a socket, without waiting for the reader.
///
/// A thread of its own writes to a file, because a disk may be slow. A socket can be told not to wait. A write to a
/// pipe is made only when `poll` says that there is room, and is no longer than a pipe with room accepts at once. A
/// line without room is counted as dropped; if only the beginning of a line was written, the next line starts on a new
/// line.
final class LineStream: Sendable {
    private struct State {
        var dropped = 0
        var isTorn = false
    }

    /// The kind of file behind the descriptor.
    private enum Kind {
        case file(FileWriter)
        case socket, other
    }

    private let descriptor: Int32
    private let kind: Kind
    private let state = Mutex(State())

    /// A stream to this descriptor; the caller keeps the ownership of the descriptor.
    init(descriptor: Int32) {
        self.descriptor = descriptor
        var status = stat()
        let mode = unsafe fstat(descriptor, &status) == 0 ? status.st_mode & S_IFMT : 0
        switch mode {
        case S_IFREG: kind = .file(FileWriter(descriptor: descriptor))
        case S_IFSOCK: kind = .socket
        default: kind = .other
        }
    }

    /// How many lines were dropped.
    var dropped: Int {
        if case .file(let writer) = kind { writer.dropped } else { state.withLock { $0.dropped } }
    }

    /// Waits for lines that are not yet written to a disk, for at most two seconds.
    func flush() {
        if case .file(let writer) = kind { writer.flush(seconds: 2) }
    }

    /// Writes one line; the line end is added.
    func write(_ line: [UInt8]) {
        if case .file(let writer) = kind { return writer.write(line) }
        // One line at a time, so that lines of several threads do not mix, and the room found is still free for the
        // write.
        state.withLock { state in
            var text = [UInt8]()
            text.reserveCapacity(line.count + 2)
            if state.isTorn { text.append(.lf) }
            text += line
            text.append(.lf)
            let count = unsafe text.withUnsafeBytes { unsafe put($0) }
            guard count < text.count else { return state.isTorn = false }
            state.dropped += 1
            if count > 0 { state.isTorn = true }
        }
    }

    /// Writes as much as there is room for, and returns how many octets that was.
    private func put(_ octets: UnsafeRawBufferPointer) -> Int {
        var count = 0
        while count < octets.count {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: octets[count...])
            let written = unsafe putPiece(rest)
            guard written > 0 else { break }
            count += written
        }
        return count
    }

    private func putPiece(_ octets: UnsafeRawBufferPointer) -> Int {
        if case .socket = kind {
            let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
            return unsafe Glibc.send(descriptor, octets.baseAddress, octets.count, flags)
        }
        guard hasRoom else { return 0 }
        return unsafe Glibc.write(descriptor, octets.baseAddress, min(octets.count, Int(PIPE_BUF)))
    }

    private var hasRoom: Bool {
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return unsafe poll(&entry, 1, 0) == 1 && entry.revents & Int16(POLLOUT) != 0
    }
}
