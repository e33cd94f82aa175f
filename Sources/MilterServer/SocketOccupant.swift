internal import Glibc
internal import NIOCore

/// What is at the path where a unix socket is to be.
package enum SocketOccupant: Equatable {
    /// No file.
    case nothing
    /// A socket; whether somebody listens was not asked.
    case unasked
    /// A socket on which nobody listens: a process that was killed has left it.
    case abandoned
    /// A socket on which a process listens.
    case alive
    /// A socket of which nothing can be found out: the error number says why.
    case unknown(CInt)
    /// Another kind of file, in words.
    case noSocket(String)

    /// Looks at a path.
    ///
    /// - Parameters:
    ///   - path: where to look.
    ///   - isAsked: whether a socket that is there is connected to.
    /// - Throws: `IOError` when not even the path can be looked at.
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

    /// Finds out by a connection whether somebody listens; it is closed at once.
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
        // unix(7): the queue of connections that wait is full, so there is one; or a socket of another type.
        case EAGAIN, EPROTOTYPE: return .alive
        case ECONNREFUSED: return .abandoned
        case ENOENT: return .nothing
        default: return .unknown(errno)
        }
    }
}
