internal import DNSResolver
internal import MailAuthentication
internal import MailEvents
internal import MailSyntax
internal import MilterProtocol
internal import MilterServer
internal import NIOCore
internal import Policy
internal import PosternConfiguration
internal import PosternSetup

/// The context of a new message: its origin, and the configuration that applies to it.
struct MessageContext {
    /// The state that all sessions share.
    let filter: Filter
    /// The configuration that applies to the message.
    let setup: Setup
    /// The session of the message.
    let session: MilterSession
    /// The listener that the session came by, as the configuration writes it.
    let listener: String
    /// The SMTP envelope without the recipients, which a `RecipientGate` has.
    let sender: Envelope
    /// Whether the client's address or the listener makes its mail our own.
    let isTrusted: Bool
    /// Whether the client has authenticated.
    let hasAuthenticated: Bool

    /// The present time of the session's event loop.
    var now: NIODeadline { session.eventLoop.now }

    /// The MTA's queue ID, if it has assigned one.
    var queueID: Octets? { session.macros["i"] }

    /// Whether the MTA waits for an answer to RCPT.
    var answersRecipients: Bool { session.options.expectsAnswer(to: .recipient) }

    /// The authserv-id for Authentication-Results.
    var authservID: Octets { session.macros["j"] ?? Octets(HostName.current) }

    /// The header fields to add and to delete.
    var headers: HeaderSettings { setup.headers(authservID: authservID) }

    /// The SMTP envelope with these recipients.
    func envelope(_ recipients: [[UInt8]]) -> Envelope {
        var envelope = sender
        envelope.recipients = recipients
        return envelope
    }

    /// Writes down what the session tells of the message, whose envelope is this.
    ///
    /// A transcript is never copied, because it has so much in it.
    @inline(__always)
    func tell(_ transcript: inout Transcript, _ gate: RecipientGate, _ delivery: Delivery, _ envelope: Envelope) {
        transcript.time = Clock.milliseconds
        transcript.listener = listener
        transcript.configuration = setup.configuration.contentHash
        transcript.mode = setup.configuration.mode
        transcript.queueID = delivery.queueID
        transcript.envelope = envelope
        transcript.isTrusted = isTrusted
        transcript.hasAuthenticated = hasAuthenticated
        transcript.login = hasAuthenticated ? session.macros["auth_authen"].map { Array($0) } : nil
        transcript.refused = gate.refused
        transcript.refusals = gate.refusals
        transcript.sentAway = gate.sentAway
        transcript.isUnanswered = gate.isUnanswered
        transcript.early = gate.early
        transcript.milliseconds = delivery.milliseconds
    }

    /// Counts how long the MTA has waited at the end of a message; nil where it has not.
    func count(_ wait: TimeAmount?) {
        if let wait { filter.endOfMessageTimes.count(.nanoseconds(wait.nanoseconds)) }
    }

    /// Records a message that is refused without being judged or signed.
    ///
    /// - Parameters:
    ///   - refusal: the reason.
    ///   - direction: whether the message is our own.
    ///   - forged: the fields to delete if the message is accepted nevertheless.
    ///   - gate: the recipients.
    ///   - delivery: the other data of the log line.
    /// - Returns: the verdict for the MTA.
    @discardableResult
    func refuse(
        _ refusal: MessageRefusal,
        _ direction: MailEvent.Direction,
        removing forged: ForgedFields? = nil,
        _ gate: RecipientGate,
        _ delivery: Delivery
    ) -> MilterVerdict {
        let isActing = refusal.isUnconditional || setup.configuration.mode == .enforce
        let removed = isActing ? [] : forged?.deleted ?? []
        let envelope = envelope(gate.taken)
        filter.recordUnjudged(
            isActing ? refusal.action : "accept",
            would: isActing ? nil : refusal.action,
            problem: refusal.problem,
            removed: removed.count,
            envelope,
            delivery,
            direction,
            { tell(&$0, gate, delivery, envelope) },
            by: setup
        )
        return isActing ? MilterVerdict(refusal.response) : MilterVerdict(.continue, removing: removed)
    }
}

extension HeaderBlock {
    /// The value of the first Message-ID field.
    var messageID: Octets? { indices.first { hasName("Message-ID", at: $0) }.map { value(at: $0) } }
}
