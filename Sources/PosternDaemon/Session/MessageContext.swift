internal import MailAuthentication
internal import MailSyntax
internal import MilterProtocol
internal import MilterServer
internal import NIOCore
internal import Policy
internal import PosternConfiguration
internal import PosternSetup

/// What is known of a message when it begins: where it comes from, and by which configuration it is handled.
struct MessageContext {
    /// What all sessions share.
    let filter: Filter
    /// The configuration that the message is handled by.
    let setup: Setup
    /// The session that it comes by.
    let session: MilterSession
    /// What SMTP said, except for the recipients: a `RecipientGate` has these.
    let sender: Envelope

    /// The session's time.
    var now: NIODeadline { session.eventLoop.now }

    /// The MTA's queue ID, once it has one.
    var queueID: Octets? { session.macros["i"] }

    /// Whether the MTA waits for an answer to RCPT.
    var answersRecipients: Bool { session.options.expectsAnswer(to: .recipient) }

    /// The name of this host for Authentication-Results.
    var authservID: Octets { session.macros["j"] ?? Octets(HostName.current) }

    /// The fields that the message gets and loses.
    var headers: HeaderSettings { setup.headers(authservID: authservID) }

    /// What SMTP said, with these recipients.
    func envelope(_ recipients: [[UInt8]]) -> Envelope {
        var envelope = sender
        envelope.recipients = recipients
        return envelope
    }

    /// Records a message that is refused without being judged or signed.
    ///
    /// - Parameters:
    ///   - refusal: why it is refused.
    ///   - forged: the fields that it loses where it is accepted all the same.
    ///   - recipients: the recipients that were taken.
    ///   - delivery: what else is known of it.
    /// - Returns: what the MTA is to do.
    @discardableResult
    func refuse(
        _ refusal: MessageRefusal,
        removing forged: ForgedFields? = nil,
        recipients: [[UInt8]],
        _ delivery: Delivery
    ) -> MilterVerdict {
        let isActing = refusal.isUnconditional || setup.configuration.mode == .enforce
        let removed = isActing ? [] : forged?.deleted ?? []
        filter.recordUnjudged(
            isActing ? refusal.action : "accept",
            would: isActing ? nil : refusal.action,
            problem: refusal.problem,
            removed: removed.count,
            envelope(recipients),
            delivery
        )
        return isActing ? MilterVerdict(refusal.response) : MilterVerdict(.continue, removing: removed)
    }
}
