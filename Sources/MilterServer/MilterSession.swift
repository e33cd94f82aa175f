public import MilterProtocol
public import NIOCore

/// One SMTP session as its handler sees it, confined to its event loop.
public final class MilterSession {
    /// The loop on which the session lives.
    public let eventLoop: any EventLoop
    /// Runs tasks on the session's loop, without another thread: `Task(executorPreference: session.executor)`.
    public let executor: EventLoopTaskExecutor
    /// The listener through which the MTA came.
    public let listener: MilterListener
    /// How many connections the server had when the MTA came, this one included.
    public let openConnections: Int
    /// What all sessions share of memory.
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

    /// The macros defined at this point.
    public var macros: MilterMacros { machine.macros }

    /// What was negotiated.
    public var options: MilterOptions { machine.options }
}

/// An answer that is owed to the MTA.
///
/// It may be completed once, from any thread; a second completion, or one that comes after the message was given up, has no
/// effect. It must be completed at some time: there is no other end to the event than the MTA's own timeout.
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
    /// At another event only the response counts.
    public func complete(_ verdict: MilterVerdict) {
        if eventLoop.inEventLoop {
            channelHandler.value.complete(number, with: verdict)
        } else {
            eventLoop.execute { [self] in channelHandler.value.complete(number, with: verdict) }
        }
    }

    /// Answers without a change to the message.
    public func complete(_ response: MilterResponse) { complete(MilterVerdict(response)) }
}
