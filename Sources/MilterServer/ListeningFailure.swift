internal import Glibc
internal import NIOCore

/// Why a socket could not be listened on, in words.
package struct ListeningFailure: Error, CustomStringConvertible {
    package let description: String

    /// What kept a socket, named as its user knows it, from being listened on.
    package init(_ socket: String, _ cause: any Error) {
        let reason = (cause as? IOError).map { unsafe String(cString: strerror($0.errnoCode)) } ?? "\(cause)"
        description = "cannot listen on \(socket): \(reason)"
    }
}
