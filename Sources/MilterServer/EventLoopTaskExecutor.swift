public import NIOCore

/// Runs the jobs of a task on an event loop, so that a task started there never leaves its thread.
public final class EventLoopTaskExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    /// An executor for a loop.
    public init(_ eventLoop: any EventLoop) { self.eventLoop = eventLoop }

    /// Runs a job in the loop's next turn.
    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { unsafe job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
