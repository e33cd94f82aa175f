internal import Glibc
internal import NIOCore
internal import SystemPackage

/// Why a server cannot listen on a socket, in words.
package struct ListeningFailure: Error, CustomStringConvertible {
    /// The reason.
    package let reason: String
    package let description: String

    /// Describes the failure to listen on a socket, under the name by which the user knows it.
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
