internal import MailAuthentication
internal import MailEvents
internal import MailSyntax
internal import MilterProtocol
internal import MilterServer
internal import NIOCore
internal import Policy
internal import PosternConfiguration
internal import PosternSetup

/// A message from outside: its checks run while it arrives, and the rules decide about it.
final class JudgedMessage: MessageInProgress {
    private let context: MessageContext
    /// The checks; nil after the message was given up for lack of memory.
    private var transaction: MailTransaction?
    private var gate: RecipientGate
    private var bound: HeaderBound
    private var memory: MessageMemory
    private var progress = MessageProgress()
    private var bodyOctets = 0
    /// The seal; nil before the header has ended, and for a message that is not sealed.
    private var seal: OutgoingSeal?
    /// Ends the MTA's wait for the answer to a recipient, or for the verdict.
    private var timer: Scheduled<Void>?

    /// Begins with MAIL.
    ///
    /// - Parameters:
    ///   - context: the context of the message.
    ///   - transaction: the checks of the message.
    init(_ context: MessageContext, _ transaction: MailTransaction) {
        self.context = context
        self.transaction = transaction
        let engine = context.setup.engine
        gate = RecipientGate(
            engine,
            // Nothing of relayed mail is decided before its end: its client is not known before its header.
            isAnswered: context.answersRecipients && context.sender.relay == nil,
            patience: context.setup.configuration.checks.earlyWait,
            remembered: engine.mayPutOff ? context.filter.putOff.recipients(of: context.origin, now: Clock.now) : nil
        )
        bound = HeaderBound(context.setup.configuration.limits.maximumHeaderOctets)
        memory = MessageMemory(of: context.session.memory, sender: context.sender.sender)
        progress.note(queueID: context.queueID)
    }
}

extension MessageContext {
    /// The key under which deferred messages are recognized when they come again.
    fileprivate var origin: PutOffMessages.Origin {
        PutOffMessages.Origin(sender.clientAddress, sender: sender.sender)
    }
}

// MARK: Recipients

extension JudgedMessage {
    /// Answers RCPT: refuses a recipient that the rules refuse by the envelope alone, after a short wait if SPF can
    /// decide.
    func recipient(_ mailbox: [UInt8], answer: @autoclosure () -> (MilterResponse) -> Void) -> MilterResponse? {
        progress.note(queueID: context.queueID)
        guard memory.hold(recipient: mailbox), let transaction else {
            drop()
            return .noMemory
        }
        let decision = gate.recipient(
            mailbox,
            facts(transaction),
            isComplete: transaction.openEnvelopeChecks == nil
        )
        if case .wait(let number, let patience) = decision {
            wait(transaction, RecipientWait(number: number, began: context.now, answer: answer()), atMost: patience)
        }
        return MilterResponse(decision)
    }

    /// A recipient that waits for its answer.
    private struct RecipientWait {
        let number: Int
        let began: NIODeadline
        let answer: (MilterResponse) -> Void
    }

    private func facts(_ transaction: MailTransaction) -> PolicyFacts {
        transaction.envelopeAssessment.facts(context.sender)
    }

    private func wait(_ transaction: MailTransaction, _ wait: RecipientWait, atMost patience: Duration) {
        timer = context.session.after(patience) { self.settle(transaction, wait, isLate: true) }
        // Each single answer may decide.
        for check in transaction.openEnvelopeChecks?.each ?? [] {
            context.session.whenEnded(check) { self.settle(transaction, wait, isLate: false) }
        }
    }

    /// Answers a waiting recipient, if the known answers decide or the time is over.
    private func settle(_ transaction: MailTransaction, _ wait: RecipientWait, isLate: Bool) {
        guard !progress.isOver else { return }
        let waited = context.now - wait.began
        let decision = gate.settle(
            wait.number,
            facts(transaction),
            isComplete: transaction.openEnvelopeChecks == nil,
            after: .nanoseconds(waited.nanoseconds),
            isLate: isLate
        )
        guard let response = decision.flatMap({ MilterResponse($0) }) else { return }
        timer?.cancel()
        timer = nil
        progress.note(delay: waited)
        wait.answer(response)
    }
}

// MARK: Content

extension JudgedMessage {
    func header(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, addsSpace: Bool) {
        guard let transaction else { return }
        let octetCount = transaction.headers.octetCount
        guard
            unsafe bound.admits(
                name: name,
                value: value,
                after: octetCount,
                of: transaction.headers,
                context.headers
            )
        else { return transaction.cutHeader() }
        guard unsafe memory.hold(name: name, value: value) else { return drop() }
        unsafe value.withSpace(addsSpace) { unsafe transaction.header(name: name, value: $0) }
    }

    func endOfHeaders() {
        guard let transaction else { return }
        transaction.endOfHeaders()
        // A seal over a part of the header would be worthless.
        guard let sealing = context.setup.sealing, !bound.isExceeded, sealing.covers(gate.taken) else { return }
        seal = OutgoingSeal(sealing.key, now: Clock.now)
    }

    func body(_ chunk: UnsafeRawBufferPointer) {
        bodyOctets += chunk.count
        unsafe transaction?.body(chunk)
        unsafe seal?.body(chunk)
    }

    var isBodyComplete: Bool { seal == nil && transaction?.isBodyComplete ?? true }

    /// Drops the contents of the message, because there is no memory for more.
    private func drop() {
        transaction?.cancel()
        transaction = nil
        seal = nil
    }
}

// MARK: The end

extension JudgedMessage {
    func complete(_ finish: @escaping (MilterVerdict) -> Void) {
        progress.note(queueID: context.queueID)
        progress.beginEnd(at: context.now)
        guard let transaction else { return finish(refuse(.noMemory)) }
        if gate.hasTooMany, !context.answersRecipients { return finish(refuse(.tooManyRecipients)) }
        if let forged = bound.forgedBeyond, !isSpared {
            return finish(refuse(.header(.tooLarge), removing: forged))
        }
        transaction.endOfBody()
        advance(transaction, finish)
    }

    /// Whether the message is flagged where others are refused, because a relay passed it on.
    private var isSpared: Bool { context.sender.relay != nil && !refusesRelays }

    private var refusesRelays: Bool { context.setup.relays?.refuses ?? false }

    private func advance(_ transaction: MailTransaction, _ finish: @escaping (MilterVerdict) -> Void) {
        guard !progress.isOver else { return }
        switch transaction.advance() {
        case .complete(let assessment): finish(conclude(transaction, assessment))
        case .waiting(let checks):
            expireInTime(transaction)
            context.session.whenEnded(checks) { self.advance(transaction, finish) }
        }
    }

    /// Ends the checks when the MTA has waited long enough for the verdict.
    private func expireInTime(_ transaction: MailTransaction) {
        guard timer == nil else { return }
        timer = context.session.after(context.setup.configuration.limits.timeout) { transaction.expire() }
    }

    private func conclude(_ transaction: MailTransaction, _ assessment: MailAssessment) -> MilterVerdict {
        end()
        let authservID = context.authservID
        let settings = context.setup.headers(authservID: authservID)
        let envelope = transaction.envelope(context.envelope(gate.taken))
        let mode = context.setup.configuration.mode
        let review = HeaderReview(
            bound.forgedBeyond ?? ForgedFields(transaction.headers, settings),
            isTooLarge: bound.isExceeded,
            passedOnBy: envelope.relay,
            refuses: refusesRelays
        )
        let judgement = Judgement(
            assessment,
            envelope: envelope,
            verdict: review.verdict(verdict(assessment.facts(envelope), envelope.relay), in: mode),
            headers: transaction.headers,
            review: review,
            settings: settings,
            lookups: transaction.lookups
        )
        var delivery = progress.delivery(gate)
        if let obstacle = review.obstacle {
            if mode == .enforce, review.action == .reject { return refuse(.header(obstacle)) }
            delivery.problem = obstacle.rawValue
        }
        delivery.sealing = seal?.finish(judgement, transaction.headers, settings)
        context.filter.record(
            judgement,
            delivery,
            headers: transaction.headers,
            authservID: authservID,
            { tell(&$0, judgement, transaction.headers, delivery) },
            by: context.setup
        )
        // If the MTA cannot quarantine, a quarantine must not become a delivery.
        let canQuarantine = context.session.options.actions.contains(.quarantine)
        if judgement.verdict.action == .quarantine, !canQuarantine { return MilterVerdict(.tempfail) }
        return MilterVerdict(judgement, above: delivery.sealing?.fields ?? [])
    }

    /// Writes down what the session tells of a message that was judged.
    private func tell(
        _ transcript: inout Transcript,
        _ judgement: Judgement,
        _ headers: HeaderBlock,
        _ delivery: Delivery
    ) {
        context.tell(&transcript, gate, delivery, judgement.envelope)
        transcript.messageID = headers.messageID
        transcript.isAutoSubmitted = headers.isAutoSubmitted
        transcript.seal = delivery.sealing?.seal
        // A body that nobody needs is not sent.
        if !isBodyComplete { transcript.octetCount = headers.octetCount + bodyOctets }
        if context.setup.engine.mayPutOff { transcript.obstacle = judgement.verdict.mixture?.obstacle ?? gate.obstacle }
    }

    private func verdict(_ facts: @autoclosure () -> PolicyFacts, _ relay: Relay?) -> PolicyVerdict {
        guard let relay else { return verdict(facts()) }
        return relay.verdict(verdict(facts()), refuses: refusesRelays)
    }

    private func verdict(_ facts: @autoclosure () -> PolicyFacts) -> PolicyVerdict {
        let engine = context.setup.engine
        let putOff = context.filter.putOff
        let verdict = engine.atEndOfMessage(facts(), gate.kinds, obstacle: gate.obstacle)
        if let mixture = verdict.mixture, mixture.isPutOff {
            let isRemembered = putOff.remember(context.origin, gate.taken, mixture, now: Clock.now)
            return isRemembered ? verdict : engine.atEndOfMessage(facts(), gate.kinds, obstacle: .noRoom)
        }
        // Recipients that were deferred are still expected.
        if gate.isSeparating, verdict.action != .tempfail { putOff.forget(context.origin, gate.taken) }
        return verdict
    }

    /// Ends a message without judging it.
    @discardableResult
    private func refuse(_ refusal: MessageRefusal, removing forged: ForgedFields? = nil) -> MilterVerdict {
        end()
        transaction?.cancel()
        return context.refuse(refusal, .inbound, removing: forged, gate, progress.delivery(gate))
    }

    func giveUpWithoutRoom() {
        guard !progress.isOver else { return }
        progress.note(queueID: context.queueID)
        refuse(.noMemory)
    }

    /// Ends the message early; if its recipients were all refused, it gets its log line.
    func giveUp() {
        guard !progress.isOver else { return }
        end()
        transaction?.cancel()
        guard let refusal = gate.refusals.first, let transaction else { return }
        let authservID = context.authservID
        let judgement = Judgement(
            transaction.envelopeAssessment,
            envelope: context.envelope(gate.refused),
            verdict: refusal,
            headers: nil,
            review: nil,
            settings: context.setup.headers(authservID: authservID),
            lookups: transaction.lookups
        )
        let delivery = progress.delivery(gate)
        context.filter.record(
            judgement,
            delivery,
            headers: transaction.headers,
            authservID: authservID,
            // Nobody was sent the message.
            { context.tell(&$0, gate, delivery, context.envelope([])) },
            by: context.setup
        )
    }

    private func end() {
        context.count(progress.end(at: context.now))
        timer?.cancel()
    }
}
