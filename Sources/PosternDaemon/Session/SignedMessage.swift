internal import MailAuthentication
internal import MailEvents
internal import MailSyntax
internal import MilterProtocol
internal import MilterServer
internal import Policy
internal import PosternConfiguration
internal import PosternSetup

/// A message of our own: it is signed as it passes, if there is a key for it.
final class SignedMessage: MessageInProgress {
    /// Why a message is our own.
    struct Source {
        /// Why the client is trusted; nil when only the listener makes the message our own.
        let trust: MailTrust?
        /// The client's login.
        let login: [UInt8]?
        /// Whether the client is one of our own hosts, which may write fields of ours.
        let isOwnHost: Bool
    }

    private let context: MessageContext
    private let source: Source
    private var headers = HeaderBlock()
    private var outgoing: OutgoingMessage?
    private var gate = RecipientGate()
    private var bound: HeaderBound
    private var memory: MessageMemory
    private var progress = MessageProgress()
    private var bodyOctets = 0

    /// Begins with MAIL.
    ///
    /// - Parameters:
    ///   - context: the context of the message.
    ///   - source: why the message is our own.
    init(_ context: MessageContext, from source: Source) {
        self.context = context
        self.source = source
        bound = HeaderBound(context.setup.configuration.limits.maximumHeaderOctets)
        memory = MessageMemory(of: context.session.memory, sender: context.sender.sender)
        progress.note(queueID: context.queueID)
    }
}

// MARK: Content

extension SignedMessage {
    /// Accepts the recipient, up to a limit.
    func recipient(_ mailbox: [UInt8], answer: @autoclosure () -> (MilterResponse) -> Void) -> MilterResponse? {
        progress.note(queueID: context.queueID)
        guard memory.hold(recipient: mailbox) else {
            drop()
            return .noMemory
        }
        return MilterResponse(gate.recipient(mailbox, PolicyFacts(), isComplete: true))
    }

    func header(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, addsSpace: Bool) {
        let octetCount = headers.octetCount
        guard !memory.isLacking,
            unsafe bound.admits(name: name, value: value, after: octetCount, of: headers, context.headers)
        else { return }
        guard unsafe memory.hold(name: name, value: value) else { return drop() }
        unsafe value.withSpace(addsSpace) { unsafe headers.append(name: name, value: $0) }
    }

    /// Ends the header; from here on the message may be signed.
    func endOfHeaders() {
        guard !memory.isLacking, source.trust != .skip else { return }
        // RFC 8601 § 5: a client with a login is not one of our hosts, and may not write our results.
        let stamps = source.trust == .login ? nil : context.headers
        outgoing = context.setup.signing.begin(headers, login: source.login, stamps: stamps, now: Clock.now)
        // A signature over only a part of the header would be worthless.
        if bound.isExceeded, outgoing != nil {
            outgoing = OutgoingMessage(unsigned: HeaderObstacle.tooLarge.rawValue)
        }
    }

    func body(_ chunk: UnsafeRawBufferPointer) {
        bodyOctets += chunk.count
        unsafe outgoing?.body(chunk)
    }

    var isBodyComplete: Bool { !(outgoing?.isSigned ?? false) }

    /// Drops the contents of the message, because there is no memory for more.
    private func drop() { headers = HeaderBlock() }
}

// MARK: The end

extension SignedMessage {
    func complete(_ finish: @escaping (MilterVerdict) -> Void) {
        progress.note(queueID: context.queueID)
        progress.beginEnd(at: context.now)
        guard !memory.isLacking else { return finish(refuse(.noMemory)) }
        if gate.hasTooMany, !context.answersRecipients { return finish(refuse(.tooManyRecipients)) }
        finish(sign())
    }

    private func sign() -> MilterVerdict {
        end()
        let outcome = outgoing?.finish()
        let removed = removedFields
        let delivery = progress.delivery(gate)
        let envelope = context.envelope(gate.taken)
        context.filter.record(
            outcome,
            envelope: envelope,
            from: source,
            removed: removed.count,
            delivery,
            { transcript in
                context.tell(&transcript, gate, delivery, envelope)
                transcript.messageID = headers.messageID
                transcript.isAutoSubmitted = headers.isAutoSubmitted
                // The body of a message that is not signed is not sent.
                if outcome?.signatures.isEmpty == false { transcript.octetCount = headers.octetCount + bodyOctets }
            },
            by: context.setup
        )
        return MilterVerdict(outcome, removing: removed)
    }

    /// The header fields to delete.
    private var removedFields: [RemovedField] {
        // RFC 8601 § 5: a client with a login is not one of our hosts, and may not write our results.
        source.isOwnHost ? [] : (bound.forgedBeyond ?? ForgedFields(headers, context.headers)).deleted
    }

    @discardableResult
    private func refuse(_ refusal: MessageRefusal) -> MilterVerdict {
        end()
        return context.refuse(refusal, .outbound, gate, progress.delivery(gate))
    }

    func giveUpWithoutRoom() {
        guard !progress.isOver else { return }
        progress.note(queueID: context.queueID)
        refuse(.noMemory)
    }

    func giveUp() { end() }

    private func end() { context.count(progress.end(at: context.now)) }
}
