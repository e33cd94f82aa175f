internal import MailSyntax
internal import NIOCore

/// The progress of a message: its queue ID, the time for which the MTA had to wait, and whether the message is over.
struct MessageProgress {
    /// The MTA's queue ID, kept because the macros of a message are gone after it was aborted.
    private(set) var queueID: [UInt8]?
    /// Whether the message has its verdict, or will not get one.
    private(set) var isOver = false
    private var delay = TimeAmount.zero
    private var endBegan: NIODeadline?

    /// Notes the queue ID, if there is one and none is known yet.
    mutating func note(queueID: @autoclosure () -> Octets?) {
        if self.queueID == nil { self.queueID = queueID().map { Array($0) } }
    }

    /// Adds a time for which the MTA had to wait.
    mutating func note(delay: TimeAmount) { self.delay = self.delay + delay }

    /// Notes that the MTA has sent the whole message, and waits for the verdict from now on.
    mutating func beginEnd(at now: NIODeadline) { endBegan = now }

    /// Notes that the message is over.
    ///
    /// - Returns: how long the MTA has waited for the verdict; nil when it did not wait, or when the message was over before.
    mutating func end(at now: NIODeadline) -> TimeAmount? {
        guard !isOver else { return nil }
        isOver = true
        guard let endBegan else { return nil }
        let wait = now - endBegan
        delay = delay + wait
        return wait
    }

    /// The data for the log about the message, except its judgement.
    func delivery(_ gate: RecipientGate) -> Delivery {
        Delivery(
            queueID: queueID,
            refused: gate.refusals,
            refusedRecipient: gate.refused.first,
            sentAway: gate.sentAway.count,
            milliseconds: Int(delay.nanoseconds / 1_000_000)
        )
    }
}
