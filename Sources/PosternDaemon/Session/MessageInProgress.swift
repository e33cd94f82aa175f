internal import MailAuthentication
internal import MailSyntax
internal import MilterProtocol
internal import MilterServer
internal import NIOCore
internal import Policy
internal import PosternConfiguration

/// One message from MAIL to its verdict.
///
/// Lives on its session's event loop. Only waiting for the DNS leaves the call that an event makes.
final class MessageInProgress {
    /// How many recipients a message may name; MTAs have lower limits of their own.
    private static let mostRecipients = 50_000
    /// How many forged fields are deleted where the rules act; whoever writes more wants to keep the MTA busy.
    private static let mostForgedFields = 100

    private static let tooManyRecipients = MilterResponse.reply(
        MilterReply(code: 452, enhancedStatus: "4.5.3", text: "Too many recipients")
    )

    private let filter: Filter
    private let snapshot: Snapshot
    private let session: MilterSession
    private var envelope: Envelope
    private let login: [UInt8]?
    /// Whether fields that claim to be ours may be so: the client is a host of our own.
    private let trustsFields: Bool
    private var queueID: [UInt8]?
    private var headers = HeaderBlock()
    private var isHeaderTooLarge = false
    private var transaction: MailTransaction?
    private var outgoing: OutgoingMessage?
    private var hasTooManyRecipients = false
    private var refusals: [PolicyVerdict] = []
    private var refusedRecipients: [[UInt8]] = []
    private var held = TimeAmount.zero
    /// How long recipients may still wait, all together.
    private var patience: TimeAmount
    private var endOfMessage: NIODeadline?
    /// Counts the waits at RCPT, so that each ends once.
    private var recipientWaits = 0
    private var deadline: Scheduled<Void>?
    private var isOver = false

    /// Begins a message by its envelope.
    ///
    /// - Parameters:
    ///   - filter: what all sessions share.
    ///   - snapshot: the configuration that the message is judged by.
    ///   - session: the session that it comes by.
    ///   - envelope: what SMTP said so far.
    ///   - login: the name that the client authenticated with.
    ///   - trustsFields: whether the client is a host of our own, whose fields may be ours.
    init(
        _ filter: Filter,
        snapshot: Snapshot,
        session: MilterSession,
        envelope: Envelope,
        login: [UInt8]?,
        trustsFields: Bool
    ) {
        self.filter = filter
        self.snapshot = snapshot
        self.session = session
        self.envelope = envelope
        self.login = login
        self.trustsFields = trustsFields
        patience = TimeAmount(snapshot.configuration.checks.earlyWait)
        noteQueueID()
    }

    /// The macros of a message are gone when it is given up, so its queue id is kept.
    private func noteQueueID() {
        if queueID == nil { queueID = session.macros["i"].map { Array($0) } }
    }

    /// Has the message judged; otherwise it may be signed.
    func judge(_ client: MailClient, submitter: [UInt8]?) {
        transaction = MailTransaction(
            client: client,
            sender: envelope.sender,
            submitter: submitter,
            resolver: snapshot.lookups.resolver,
            now: Clock.now
        )
    }
}

// MARK: Recipients

extension MessageInProgress {
    /// Answers RCPT: refuses what the rules refuse by the envelope alone, waiting a moment for SPF where that decides.
    func recipient(_ mailbox: [UInt8], answer: MilterAnswer) -> MilterResponse? {
        noteQueueID()
        // RFC 5321 § 4.5.3.1.10: what is beyond the bound is refused for now, and sent again in another message.
        guard envelope.recipients.count + refusedRecipients.count < Self.mostRecipients else {
            hasTooManyRecipients = true
            return Self.tooManyRecipients
        }
        // An MTA that waits for no answer would deliver to whom we refuse.
        guard transaction != nil, session.options.expectsAnswer(to: .recipient) else { return proceed(mailbox) }
        switch decision(mailbox) {
        case .proceed: return proceed(mailbox)
        case .refuse(let verdict): return refuse(mailbox, verdict)
        case .wait:
            waitForEnvelope(mailbox, answer)
            return nil
        }
    }

    private func decision(_ mailbox: [UInt8]) -> RecipientDecision {
        guard let transaction else { return .proceed }
        return snapshot.engine.atRecipient(
            transaction.envelopeAssessment.facts(envelope),
            MailAddress(mailbox[...])
        )
    }

    private func proceed(_ mailbox: [UInt8]) -> MilterResponse {
        envelope.recipients.append(mailbox)
        return .continue
    }

    private func refuse(_ mailbox: [UInt8], _ verdict: PolicyVerdict) -> MilterResponse {
        refusedRecipients.append(mailbox)
        refusals.append(verdict)
        return MilterResponse(verdict)
    }

    private func waitForEnvelope(_ mailbox: [UInt8], _ answer: MilterAnswer) {
        guard let checks = transaction?.openEnvelopeChecks, patience > .zero else {
            return answer.complete(proceed(mailbox))
        }
        let started = NIODeadline.now()
        let bound = NIOLoopBound(self, eventLoop: session.eventLoop)
        let number = recipientWaits
        let timer = session.eventLoop.scheduleTask(in: patience) {
            bound.value.settleRecipient(number, mailbox, answer, started: started, isLate: true)
        }
        // Each answer may be the one that decides.
        for check in checks.each {
            Task.immediate(executorPreference: session.executor) {
                await check.wait()
                let message = bound.value
                guard message.settleRecipient(number, mailbox, answer, started: started, isLate: false) else { return }
                timer.cancel()
            }
        }
    }

    /// Answers a recipient that had to wait, when what is known decides, or when there is no more time.
    ///
    /// - Returns: whether the recipient has its answer now.
    @discardableResult
    private func settleRecipient(
        _ number: Int,
        _ mailbox: [UInt8],
        _ answer: MilterAnswer,
        started: NIODeadline,
        isLate: Bool
    ) -> Bool {
        guard !isOver, number == recipientWaits else { return false }
        let decision = decision(mailbox)
        if case .wait = decision, !isLate { return false }
        recipientWaits += 1
        let waited = NIODeadline.now() - started
        held = held + waited
        patience = patience - waited
        if case .refuse(let verdict) = decision {
            answer.complete(refuse(mailbox, verdict))
        } else {
            answer.complete(proceed(mailbox))
        }
        return true
    }
}

// MARK: Content

extension MessageInProgress {
    /// Takes a header field; what is beyond the bound on the header's size makes the message unacceptable.
    func header(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, addsSpace: Bool) {
        let taken = transaction?.headers.octetCount ?? headers.octetCount
        guard taken + name.count + value.count <= snapshot.configuration.limits.maxHeader else {
            isHeaderTooLarge = true
            return
        }
        guard addsSpace else { return unsafe add(name: name, value: value) }
        let spaced = unsafe [0x20] + Array(value)
        unsafe spaced.withUnsafeBytes { unsafe add(name: name, value: $0) }
    }

    private func add(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        if let transaction {
            unsafe transaction.header(name: name, value: value)
        } else {
            unsafe headers.append(name: name, value: value)
        }
    }

    /// Ends the header; mail of our own may be signed from here on.
    func endOfHeaders() {
        if let transaction { return transaction.endOfHeaders() }
        outgoing = snapshot.signing.begin(headers, login: login, now: Clock.now)
    }

    /// Takes a part of the body.
    func body(_ chunk: UnsafeRawBufferPointer) {
        unsafe transaction?.body(chunk)
        unsafe outgoing?.body(chunk)
    }

    /// Whether the rest of the body is not wanted.
    var isBodyComplete: Bool { transaction?.isBodyComplete ?? !(outgoing?.isSigned ?? false) }
}

// MARK: The end

extension MessageInProgress {
    /// Judges or signs the message, and hands the result to `finish`: within this call, unless an answer is missing.
    func complete(_ finish: @escaping (MilterVerdict) -> Void) {
        endOfMessage = .now()
        noteQueueID()
        if hasTooManyRecipients, !session.options.expectsAnswer(to: .recipient) { return finish(withoutRecipients()) }
        guard let transaction else { return finish(sign()) }
        guard !isHeaderTooLarge else { return finish(unjudged("header section beyond limits.max_header")) }
        transaction.endOfBody()
        advance(transaction, finish)
    }

    private func advance(_ transaction: MailTransaction, _ finish: @escaping (MilterVerdict) -> Void) {
        guard !isOver else { return }
        switch transaction.advance() {
        case .complete(let assessment): finish(conclude(transaction, assessment))
        case .waiting(let checks):
            if deadline == nil {
                let bound = NIOLoopBound(transaction, eventLoop: session.eventLoop)
                let patience = TimeAmount(snapshot.configuration.limits.timeout)
                deadline = session.eventLoop.scheduleTask(in: patience) { bound.value.expire() }
            }
            let bound = NIOLoopBound((self, transaction, finish), eventLoop: session.eventLoop)
            Task.immediate(executorPreference: session.executor) {
                await checks.wait()
                let (message, transaction, finish) = bound.value
                message.advance(transaction, finish)
            }
        }
    }

    private func conclude(_ transaction: MailTransaction, _ assessment: MailAssessment) -> MilterVerdict {
        end()
        let authservID = authservID
        let judgement = Judgement(
            assessment,
            envelope: envelope,
            verdict: snapshot.engine.atEndOfMessage(assessment.facts(envelope)),
            headers: transaction.headers,
            settings: snapshot.headers(authservID: authservID),
            lookups: transaction.lookups
        )
        let isExcessive = judgement.removedFields.count > Self.mostForgedFields
        if isExcessive, snapshot.configuration.mode == .enforce { return unjudged("too many forged header fields") }
        filter.record(judgement, summary, headers: transaction.headers, authservID: authservID)
        // A hold that the MTA cannot do must not become a delivery.
        let canQuarantine = session.options.actions.contains(.quarantine)
        if judgement.verdict.action == .quarantine, !canQuarantine { return MilterVerdict(.tempfail) }
        return MilterVerdict(judgement)
    }

    private func sign() -> MilterVerdict {
        end()
        let outcome = isHeaderTooLarge ? nil : outgoing?.finish()
        // RFC 8601 § 5: whoever has a login is no host of ours, and may not write our results.
        let removed = trustsFields ? [] : snapshot.headers(authservID: authservID).forged(in: headers)
        filter.record(outcome, envelope: envelope, removed: removed.count, summary)
        return MilterVerdict(outcome, removing: removed)
    }

    /// The end of a message whose header cannot be judged: it is refused where the rules act, and else left as it is.
    private func unjudged(_ problem: String) -> MilterVerdict {
        if !isOver { end() }
        let enforces = snapshot.configuration.mode == .enforce
        filter.recordUnjudged(
            enforces ? "reject" : "accept",
            would: enforces ? nil : "reject",
            problem: problem,
            envelope,
            summary
        )
        guard enforces else { return MilterVerdict(.continue) }
        // RFC 3463 § 3.4: 5.3.4, message too big for system.
        return MilterVerdict(.reply(MilterReply(code: 552, enhancedStatus: "5.3.4", text: "Refused: \(problem)")))
    }

    /// The end of a message some of whose recipients could not be refused when they were too many.
    private func withoutRecipients() -> MilterVerdict {
        end()
        transaction?.cancel()
        filter.recordUnjudged("tempfail", would: nil, problem: "too many recipients", envelope, summary)
        return MilterVerdict(Self.tooManyRecipients)
    }

    private var authservID: Octets { session.macros["j"] ?? Octets(HostName.current) }

    /// Ends a message without an end: its recipients were all refused, or the client gave it up.
    func giveUp() {
        guard !isOver else { return }
        end()
        transaction?.cancel()
        guard let refusal = refusals.first, let transaction else { return }
        envelope.recipients = refusedRecipients
        let authservID = authservID
        let judgement = Judgement(
            transaction.envelopeAssessment,
            envelope: envelope,
            verdict: refusal,
            headers: nil,
            settings: snapshot.headers(authservID: authservID),
            lookups: transaction.lookups
        )
        filter.record(judgement, summary, headers: transaction.headers, authservID: authservID)
    }

    private func end() {
        isOver = true
        deadline?.cancel()
        if let endOfMessage { held = held + (NIODeadline.now() - endOfMessage) }
    }

    private var summary: MessageSummary {
        MessageSummary(
            queueID: queueID,
            refused: refusals,
            milliseconds: Int(held.nanoseconds / 1_000_000)
        )
    }
}
