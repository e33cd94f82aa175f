internal import MailSyntax
internal import NIOCore

/// How far a message is: its queue ID, how long the MTA was kept waiting for it, and whether it is over.
struct MessageProgress {
    /// The MTA's queue ID, kept because the macros of a message are gone when it is given up.
    private(set) var queueID: [UInt8]?
    /// Whether the message has its verdict, or will get none.
    private(set) var isOver = false
    private var delay = TimeAmount.zero
    private var endBegan: NIODeadline?

    /// Notes the queue ID, if there is one and it is the first.
    mutating func note(queueID: @autoclosure () -> Octets?) {
        if self.queueID == nil { self.queueID = queueID().map { Array($0) } }
    }

    /// Notes that the MTA was kept waiting.
    mutating func note(delay: TimeAmount) { self.delay = self.delay + delay }

    /// The MTA has sent the message, and waits for the verdict from now on.
    mutating func beginEnd(at now: NIODeadline) { endBegan = now }

    /// The message is over.
    mutating func end(at now: NIODeadline) {
        guard !isOver else { return }
        isOver = true
        if let endBegan { delay = delay + (now - endBegan) }
    }

    /// What the log says of the message besides its judgement.
    func delivery(_ gate: RecipientGate) -> Delivery {
        Delivery(
            queueID: queueID,
            refused: gate.refusals,
            refusedRecipient: gate.refused.first,
            sentAway: gate.sentAway,
            milliseconds: Int(delay.nanoseconds / 1_000_000)
        )
    }
}
