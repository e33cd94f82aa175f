internal import MailAuthentication
internal import MilterServer
internal import NIOCore

extension MilterSession {
    /// Calls `ended` on the session's event loop after the checks have ended: within this call if they have already
    /// ended.
    func whenEnded(_ checks: OpenChecks, _ ended: @escaping () -> Void) {
        let bound = NIOLoopBound(ended, eventLoop: eventLoop)
        Task.immediate(executorPreference: executor) {
            await checks.wait()
            bound.value()
        }
    }

    /// Calls `over` on the session's event loop after a time.
    func after(_ time: Duration, _ over: @escaping () -> Void) -> Scheduled<Void> {
        eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(time), over)
    }
}
