internal import Glibc
internal import MailSyntax
internal import SystemPackage

/// Reads the lines of a segment.
struct SegmentReader: ~Copyable {
    /// A line, or what is known of one that is too long.
    enum Line {
        /// A line without its end.
        case whole(Octets)
        /// The first octets of a line that is longer than the limit; the others are gone.
        case tooLong(Octets)
    }

    private static let chunk = 256 << 10

    private let descriptor: FileDescriptor
    private let limit: Int
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    /// Opens a segment.
    ///
    /// - Parameters:
    ///   - path: the path of its file.
    ///   - limit: the most octets of a line.
    init(path: String, limit: Int = EventLine.limit) throws(Errno) {
        descriptor = try Self.openFile(path)
        self.limit = limit
    }

    /// Opens a regular file; another one neither opens nor waits.
    private static func openFile(_ path: String) throws(Errno) -> FileDescriptor {
        do {
            let options: FileDescriptor.OpenOptions = [.closeOnExec, .noFollow, .nonBlocking]
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: options)
            var status = stat()
            guard unsafe fstat(file.rawValue, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                try file.close()
                throw Errno.invalidArgument
            }
            return file
        } catch {
            throw error as? Errno ?? .ioError
        }
    }

    deinit {
        try? descriptor.close()
    }

    /// The next line that is not empty, also the last one where it has no end; nil at the end.
    mutating func next() throws(Errno) -> Line? {
        while true {
            guard let line = try nextLine() else { return nil }
            if case .whole(let octets) = line, octets.isEmpty { continue }
            return line
        }
    }

    private mutating func nextLine() throws(Errno) -> Line? {
        var searched = start
        while true {
            if let end = buffer[searched...].firstIndex(of: .lf) {
                defer { start = end + 1 }
                return line(buffer[start..<end])
            }
            if isAtEnd {
                defer { start = buffer.count }
                return start == buffer.count ? nil : line(buffer[start...])
            }
            guard buffer.count - start <= limit else { return try skipLine() }
            searched = buffer.count - start
            try fill()
        }
    }

    private func line(_ octets: Octets) -> Line {
        octets.count <= limit ? .whole(octets) : .tooLong(octets.prefix(limit))
    }

    /// Skips the rest of a line that is too long.
    private mutating func skipLine() throws(Errno) -> Line {
        let head = buffer[start...].prefix(limit)
        repeat {
            start = buffer.count
            try fill()
            if let end = buffer.firstIndex(of: .lf) {
                start = end + 1
                return .tooLong(head)
            }
        } while !isAtEnd
        start = buffer.count
        return .tooLong(head)
    }

    /// Drops what has been read, and reads on.
    private mutating func fill() throws(Errno) {
        buffer.removeSubrange(..<start)
        start = 0
        var chunk = [UInt8](repeating: 0, count: Self.chunk)
        var count = 0
        repeat {
            // read(2) writes at most the given number of octets; 0 is the end.
            count = unsafe Glibc.read(descriptor.rawValue, &chunk, chunk.count)
        } while count < 0 && errno == EINTR
        guard count >= 0 else { throw Errno(rawValue: errno) }
        if count == 0 { isAtEnd = true }
        buffer += chunk.prefix(count)
    }
}
