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

    private let filter: Filter
    private let snapshot: Snapshot
    private let session: MilterSession
    private var envelope: Envelope
    private let login: [UInt8]?
    private var headers = HeaderBlock()
    private var isHeaderTooLarge = false
    private var transaction: MailTransaction?
    private var outgoing: OutgoingMessage?
    private var refusals: [PolicyVerdict] = []
    private var refusedRecipients: [[UInt8]] = []
    private var held = TimeAmount.zero
    private var endOfMessage: NIODeadline?
    /// Counts the waits at RCPT, so that each ends once.
    private var recipientWaits = 0
    private var deadline: Scheduled<Void>?
    private var isOver = false

    /// Begins a message by its envelope; `login` is the name that the client authenticated with.
    init(_ filter: Filter, snapshot: Snapshot, session: MilterSession, envelope: Envelope, login: [UInt8]?) {
        self.filter = filter
        self.snapshot = snapshot
        self.session = session
        self.envelope = envelope
        self.login = login
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
        // RFC 5321 § 4.5.3.1.10: what is beyond the bound is refused for now, and sent again in another message.
        guard envelope.recipients.count + refusedRecipients.count < Self.mostRecipients else {
            return .reply(MilterReply(code: 452, enhancedStatus: "4.5.3", text: "Too many recipients"))
        }
        guard transaction != nil else {
            envelope.recipients.append(mailbox)
            return .continue
        }
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
        let facts = transaction.envelopeAssessment.facts(envelope)
        return snapshot.engine.atRecipient(facts, MailAddress(mailbox[...].text))
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
        guard let checks = transaction?.openEnvelopeChecks else { return answer.complete(proceed(mailbox)) }
        recipientWaits += 1
        let started = NIODeadline.now()
        let bound = NIOLoopBound(self, eventLoop: session.eventLoop)
        let settle: @Sendable (Int) -> Void = { number in
            bound.value.settleRecipient(number, mailbox, answer, started: started)
        }
        let patience = TimeAmount(snapshot.configuration.checks.earlyWait)
        let timer = session.eventLoop.scheduleTask(in: patience) { [recipientWaits] in settle(recipientWaits) }
        Task.immediate(executorPreference: session.executor) { [recipientWaits] in
            await checks.wait()
            timer.cancel()
            settle(recipientWaits)
        }
    }

    /// Answers a recipient that had to wait, by what is known when the wait or the patience ends, whichever is first.
    private func settleRecipient(_ number: Int, _ mailbox: [UInt8], _ answer: MilterAnswer, started: NIODeadline) {
        guard !isOver, number == recipientWaits else { return }
        recipientWaits += 1
        held = held + (NIODeadline.now() - started)
        if case .refuse(let verdict) = decision(mailbox) {
            answer.complete(refuse(mailbox, verdict))
        } else {
            answer.complete(proceed(mailbox))
        }
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
        if addsSpace {
            unsafe add(name: name, value: [0x20] + Array(value))
        } else {
            unsafe add(name: name, value: value)
        }
    }

    private func add(name: UnsafeRawBufferPointer, value: some Sequence<UInt8>) {
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
        guard !isHeaderTooLarge else { return finish(refuseHeader()) }
        guard let transaction else { return finish(sign()) }
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
        let authservID = session.macros["j"] ?? Octets(HostName.current)
        let judgement = Judgement(
            assessment,
            envelope: envelope,
            verdict: snapshot.engine.atEndOfMessage(assessment.facts(envelope)),
            headers: transaction.headers,
            settings: snapshot.headers(authservID: authservID),
            lookups: transaction.lookups
        )
        filter.record(judgement, summary, headers: transaction.headers, authservID: authservID)
        return MilterVerdict(judgement)
    }

    private func sign() -> MilterVerdict {
        end()
        let outcome = outgoing?.finish()
        filter.record(outcome, envelope: envelope, summary)
        return MilterVerdict(outcome)
    }

    private func refuseHeader() -> MilterVerdict {
        end()
        filter.recordOversizedHeader(envelope, summary)
        // RFC 3463 § 3.4: 5.3.4, message too big for system.
        return MilterVerdict(.reply(MilterReply(code: 552, enhancedStatus: "5.3.4", text: "Header section too large")))
    }

    /// Ends a message without an end: its recipients were all refused, or the client gave it up.
    func giveUp() {
        guard !isOver else { return }
        end()
        transaction?.cancel()
        guard let refusal = refusals.first, envelope.recipients.isEmpty, let transaction else { return }
        envelope.recipients = refusedRecipients
        let authservID = session.macros["j"] ?? Octets(HostName.current)
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
            queueID: session.macros["i"].map { Array($0) },
            refused: refusals,
            milliseconds: Int(held.nanoseconds / 1_000_000)
        )
    }
}
