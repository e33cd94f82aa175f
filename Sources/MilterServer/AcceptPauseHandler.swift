internal import Glibc
package import NIOCore

/// Pauses a listening channel for a second when there is no file descriptor for the next connection.
///
/// The connection stays in the socket's queue, so the socket stays readable: a loop that tried again at once would be
/// busy with nothing else.
package final class AcceptPauseHandler: ChannelInboundHandler {
    package typealias InboundIn = any Channel

    private static let pause = TimeAmount.seconds(1)

    private let makeRoom: @Sendable () -> Bool

    /// A handler that calls `makeRoom` after each failure, and does not pause if `makeRoom` has freed a descriptor.
    package init(makeRoom: @escaping @Sendable () -> Bool) {
        self.makeRoom = makeRoom
    }

    package func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // Other errors concern only one connection: accept(2) is called for the next connection.
        guard Self.isShortage(error), !makeRoom() else { return }
        let channel = context.channel
        try? channel.syncOptions?.setOption(.autoRead, value: false)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.pause) {
            try? channel.syncOptions?.setOption(.autoRead, value: true)
        }
    }

    private static func isShortage(_ error: any Error) -> Bool {
        guard let code = (error as? IOError)?.errnoCode else { return false }
        return [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code)
    }
}
