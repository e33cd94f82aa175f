internal import MailAuthentication
internal import MilterServer
internal import NIOCore

extension MilterSession {
    /// Calls back on the session's event loop once checks have ended: within this call if they have ended by now.
    func whenEnded(_ checks: OpenChecks, _ ended: @escaping () -> Void) {
        let bound = NIOLoopBound(ended, eventLoop: eventLoop)
        Task.immediate(executorPreference: executor) {
            await checks.wait()
            bound.value()
        }
    }

    /// Calls back on the session's event loop when a time is over.
    func after(_ time: Duration, _ over: @escaping () -> Void) -> Scheduled<Void> {
        eventLoop.assumeIsolated().scheduleTask(in: TimeAmount(time), over)
    }
}
