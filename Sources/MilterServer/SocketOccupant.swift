internal import Glibc
internal import NIOCore

/// The present occupant of a unix socket's path.
package enum SocketOccupant: Equatable {
    /// No file.
    case nothing
    /// A socket; it is unknown whether a process listens, because nobody asked.
    case unasked
    /// A socket on which no process listens: a killed process has left it.
    case abandoned
    /// A socket on which a process listens.
    case alive
    /// A socket whose state cannot be determined; the error number gives the reason.
    case unknown(CInt)
    /// Another kind of file; the text names it.
    case noSocket(String)

    /// Examines a path.
    ///
    /// - Parameters:
    ///   - path: the path.
    ///   - isAsked: whether to connect to an existing socket.
    /// - Throws: `IOError` when the path cannot be examined.
    package init(at path: String, isAsked: Bool) throws {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else {
            guard errno == ENOENT else { throw IOError(errnoCode: errno, reason: "lstat") }
            self = .nothing
            return
        }
        switch status.st_mode & S_IFMT {
        case S_IFSOCK: self = isAsked ? try Self.listener(at: path) : .unasked
        case S_IFREG: self = .noSocket("a regular file")
        case S_IFDIR: self = .noSocket("a directory")
        case S_IFLNK: self = .noSocket("a symbolic link")
        case S_IFIFO: self = .noSocket("a named pipe")
        default: self = .noSocket("a device")
        }
    }

    /// Finds out by a connection, closed at once, whether a process listens.
    private static func listener(at path: String) throws -> SocketOccupant {
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw IOError(errnoCode: errno, reason: "socket") }
        defer { close(descriptor) }
        let result = try unsafe SocketAddress(unixDomainSocketPath: path).withSockAddr { name, size in
            unsafe connect(descriptor, name, socklen_t(size))
        }
        guard result != 0 else { return .alive }
        switch errno {
        // unix(7): the queue of waiting connections is full, so a process listens; or the socket has another type.
        case EAGAIN, EPROTOTYPE: return .alive
        case ECONNREFUSED: return .abandoned
        case ENOENT: return .nothing
        default: return .unknown(errno)
        }
    }
}
