internal import Glibc
package import NIOCore

/// A bound socket, before the event loops get it; closed with the last reference to it.
///
/// Each loop gets a duplicate, so that several loops can accept from one socket.
package final class ListeningSocket: Sendable {
    /// How many connections may wait to be accepted.
    private static let backlog: CInt = 1024

    private let descriptor: CInt

    /// Takes ownership of the descriptor of a bound socket.
    init(takingOwnershipOf descriptor: CInt) {
        self.descriptor = descriptor
    }

    /// Creates a socket that is bound to an address.
    package static func bound(to address: SocketAddress) throws -> ListeningSocket {
        let family: CInt =
            switch address {
            case .v4: AF_INET
            case .v6: AF_INET6
            case .unixDomainSocket: AF_UNIX
            }
        let type = CInt(SOCK_STREAM.rawValue) | CInt(SOCK_CLOEXEC.rawValue) | CInt(SOCK_NONBLOCK.rawValue)
        let socket = ListeningSocket(takingOwnershipOf: try check(Glibc.socket(family, type, 0), "socket"))
        var yes: CInt = 1
        let size = socklen_t(MemoryLayout.size(ofValue: yes))
        try unsafe check(setsockopt(socket.descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, size), "setsockopt")
        _ = try unsafe address.withSockAddr { name, size in
            try unsafe check(bind(socket.descriptor, name, socklen_t(size)), "bind to \(address)")
        }
        return socket
    }

    deinit { close(descriptor) }

    /// A duplicate descriptor of the socket; the caller must close it.
    package func duplicate() throws -> CInt {
        try Self.check(fcntl(descriptor, F_DUPFD_CLOEXEC, 0), "dup")
    }

    /// Begins to listen.
    ///
    /// NIO uses a shorter queue for a socket that it did not bind.
    package func listen() throws {
        try Self.check(Glibc.listen(descriptor, Self.backlog), "listen")
    }

    @discardableResult
    private static func check(_ result: CInt, _ call: String) throws -> CInt {
        guard result >= 0 else { throw IOError(errnoCode: errno, reason: call) }
        return result
    }
}
