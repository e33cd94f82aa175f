internal import Glibc
internal import NIOCore
internal import SystemPackage

/// Why a socket could not be listened on, in words.
package struct ListeningFailure: Error, CustomStringConvertible {
    /// What kept it from being listened on.
    package let reason: String
    package let description: String

    /// What kept a socket, named as its user knows it, from being listened on.
    package init(_ socket: String, _ cause: any Error) {
        reason = Self.words(cause)
        description = "cannot listen on \(socket): \(reason)"
    }

    private static func words(_ cause: any Error) -> String {
        if let error = cause as? IOError { return Errno(rawValue: error.errnoCode).description }
        // unix(7): an address has room for 107 octets, of which the temporary name takes some.
        if case SocketAddressError.unixDomainSocketPathTooLong = cause { return "the path is too long" }
        return "\(cause)"
    }
}
