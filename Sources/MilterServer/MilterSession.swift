public import MilterProtocol
public import NIOCore

/// One SMTP session as seen by its handler, confined to its event loop.
public final class MilterSession {
    /// The loop on which the session lives.
    public let eventLoop: any EventLoop
    /// Runs tasks on the session's loop, without another thread: `Task(executorPreference: session.executor)`.
    public let executor: EventLoopTaskExecutor
    /// The listener that accepted the connection.
    public let listener: MilterListener
    /// How many connections the server had when this connection was accepted, including this connection.
    public let openConnections: Int
    /// The memory that all sessions share.
    public let memory: SessionMemory
    var machine: MilterSessionMachine

    init(
        eventLoop: any EventLoop,
        executor: EventLoopTaskExecutor,
        listener: MilterListener,
        openConnections: Int,
        memory: SessionMemory
    ) {
        self.eventLoop = eventLoop
        self.executor = executor
        self.listener = listener
        self.openConnections = openConnections
        self.memory = memory
        self.machine = MilterSessionMachine(request: MilterRequest())
    }

    /// The macros defined so far.
    public var macros: MilterMacros { machine.macros }

    /// The negotiated options.
    public var options: MilterOptions { machine.options }
}

/// An answer that is owed to the MTA.
///
/// It may be completed once, from any thread. A second completion, or one after the message was aborted, has no effect.
/// It must be completed at some time: otherwise the event ends only by the MTA's timeout.
public struct MilterAnswer: Sendable {
    private let eventLoop: any EventLoop
    private let channelHandler: NIOLoopBound<MilterChannelHandler>
    private let number: UInt64

    init(_ channelHandler: MilterChannelHandler, number: UInt64, eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
        self.channelHandler = NIOLoopBound(channelHandler, eventLoop: eventLoop)
        self.number = number
    }

    /// Answers the end of a message.
    ///
    /// At other events only the response counts.
    public func complete(_ verdict: MilterVerdict) {
        if eventLoop.inEventLoop {
            channelHandler.value.complete(number, with: verdict)
        } else {
            eventLoop.execute { [self] in channelHandler.value.complete(number, with: verdict) }
        }
    }

    /// Answers without a modification of the message.
    public func complete(_ response: MilterResponse) { complete(MilterVerdict(response)) }
}
