internal import MailAuthentication
internal import MailSyntax
internal import MilterProtocol
internal import MilterServer
internal import NIOCore
internal import Policy
internal import PosternConfiguration
internal import PosternSetup

/// One message from MAIL to its verdict.
///
/// Lives on its session's event loop. Only waiting for the DNS leaves the call that an event makes.
final class MessageInProgress {
    private static let tooManyRecipients = MilterResponse.reply(
        MilterReply(code: 452, enhancedStatus: "4.5.3", text: "Too many recipients")
    )
    private static let sentAway = MilterResponse.reply(
        MilterReply(code: 452, enhancedStatus: "4.5.3", text: "Please send to this recipient in a separate transaction")
    )

    private static let noRoom = MilterResponse.reply(
        MilterReply(code: 452, enhancedStatus: "4.3.1", text: "Not enough memory for this message now")
    )

    private let filter: Filter
    private let setup: Setup
    private let session: MilterSession
    /// What SMTP said, but for the recipients: the gate has these.
    private let sender: Envelope
    private let trust: MailTrust?
    private let login: [UInt8]?
    /// Whether fields that claim to be ours may be so: the client is a host of our own.
    private let trustsFields: Bool
    private var queueID: [UInt8]?
    private var headers = HeaderBlock()
    /// What is forged in a header that is larger than it may be: its fields are not kept, but still looked at.
    private var forgedInLargeHeader: ForgedFields?
    /// About how many octets the message takes.
    private var octets: Int
    private var share: MemoryShare
    /// Whether the message was given up, because all messages together hold too much.
    private var hasNoRoom = false
    private var transaction: MailTransaction?
    private var outgoing: OutgoingMessage?
    private var gate = RecipientGate()
    private var held = TimeAmount.zero
    private var endOfMessage: NIODeadline?
    private var deadline: Scheduled<Void>?
    private var isOver = false

    /// Begins a message by its envelope.
    ///
    /// - Parameters:
    ///   - filter: what all sessions share.
    ///   - setup: the configuration that the message is judged by.
    ///   - session: the session that it comes by.
    ///   - envelope: what SMTP said so far.
    ///   - trust: why it is no mail from outside, where it is none.
    ///   - login: the name that the client authenticated with.
    ///   - trustsFields: whether the client is a host of our own, whose fields may be ours.
    init(
        _ filter: Filter,
        setup: Setup,
        session: MilterSession,
        envelope: Envelope,
        trust: MailTrust?,
        login: [UInt8]?,
        trustsFields: Bool
    ) {
        self.filter = filter
        self.setup = setup
        self.session = session
        sender = envelope
        self.trust = trust
        self.login = login
        self.trustsFields = trustsFields
        octets = envelope.sender.count * 4
        share = MemoryShare(of: session.memory)
        noteQueueID()
    }

    /// The macros of a message are gone when it is given up, so its queue ID is kept.
    private func noteQueueID() {
        if queueID == nil { queueID = session.macros["i"].map { Array($0) } }
    }

    /// Has the message judged; otherwise it may be signed.
    func judge(_ client: MailClient, submitter: [UInt8]?) {
        transaction = MailTransaction(
            client: client,
            sender: sender.sender,
            submitter: submitter,
            resolver: setup.resolver.dns,
            now: Clock.now
        )
        let engine = setup.engine
        gate = RecipientGate(
            engine,
            isAnswered: session.options.expectsAnswer(to: .recipient),
            patience: setup.configuration.checks.earlyWait,
            remembered: engine.mayPutOff ? filter.putOff.recipients(of: origin, now: Clock.now) : nil
        )
    }

    private var origin: PutOffMessages.Origin { PutOffMessages.Origin(sender.clientAddress, sender: sender.sender) }

    /// What SMTP said, with the recipients that were taken.
    private var envelope: Envelope {
        var envelope = sender
        envelope.recipients = gate.taken
        return envelope
    }
}

// MARK: Recipients

extension MessageInProgress {
    /// Answers RCPT: refuses what the rules refuse by the envelope alone, waiting a moment for SPF where that decides.
    func recipient(_ mailbox: [UInt8], answer: MilterAnswer) -> MilterResponse? {
        noteQueueID()
        guard hold(2 * mailbox.count + 64) else { return Self.noRoom }
        let decision = gate.recipient(mailbox, facts, isComplete: transaction?.openEnvelopeChecks == nil)
        if case .wait(let number, let patience) = decision { waitForEnvelope(number, TimeAmount(patience), answer) }
        return Self.response(decision)
    }

    private var facts: PolicyFacts { transaction?.envelopeAssessment.facts(sender) ?? PolicyFacts() }

    private static func response(_ decision: RecipientGate.Decision) -> MilterResponse? {
        switch decision {
        case .take: .continue
        case .refuse(let verdict): MilterResponse(verdict)
        case .sendAway: sentAway
        case .refuseAsTooMany: tooManyRecipients
        case .wait: nil
        }
    }

    private func waitForEnvelope(_ number: Int, _ patience: TimeAmount, _ answer: MilterAnswer) {
        let started = NIODeadline.now()
        let bound = NIOLoopBound(self, eventLoop: session.eventLoop)
        let timer = session.eventLoop.scheduleTask(in: patience) {
            bound.value.settleRecipient(number, answer, started: started, isLate: true)
        }
        // Each answer may be the one that decides.
        for check in transaction?.openEnvelopeChecks?.each ?? [] {
            Task.immediate(executorPreference: session.executor) {
                await check.wait()
                let message = bound.value
                guard message.settleRecipient(number, answer, started: started, isLate: false) else { return }
                timer.cancel()
            }
        }
    }

    /// Answers a recipient that had to wait, when what is known decides, or when there is no more time.
    ///
    /// - Returns: whether the recipient has its answer now.
    @discardableResult
    private func settleRecipient(_ number: Int, _ answer: MilterAnswer, started: NIODeadline, isLate: Bool) -> Bool {
        guard !isOver else { return false }
        let waited = NIODeadline.now() - started
        let decision = gate.settle(number, facts, after: .nanoseconds(waited.nanoseconds), isLate: isLate)
        guard let response = decision.flatMap(Self.response) else { return false }
        held = held + waited
        answer.complete(response)
        return true
    }
}

// MARK: Content

extension MessageInProgress {
    /// Takes a header field; what is beyond the bound on the header's size makes the message unacceptable.
    func header(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer, addsSpace: Bool) {
        let taken = transaction?.headers.octetCount ?? headers.octetCount
        guard forgedInLargeHeader == nil,
            taken + name.count + value.count <= setup.configuration.limits.maximumHeaderOctets
        else {
            if forgedInLargeHeader == nil { forgedInLargeHeader = forged(in: transaction?.headers ?? headers) }
            return unsafe forgedInLargeHeader?.add(name: name, value: value) ?? ()
        }
        guard unsafe hold(Self.cost(of: name, value)) else { return }
        guard addsSpace else { return unsafe add(name: name, value: value) }
        let spaced = unsafe [.space] + Array(value)
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
        guard !hasNoRoom else { return }
        if let transaction { return transaction.endOfHeaders() }
        guard trust != .skip else { return }
        // RFC 8601 § 5: whoever has a login is no host of ours, and may not write our results.
        let stamps = trust == .login ? nil : setup.headers(authservID: authservID)
        outgoing = setup.signing.begin(headers, login: login, stamps: stamps, now: Clock.now)
        // A signature over a part of the header would be worth nothing.
        if forgedInLargeHeader != nil, outgoing != nil {
            outgoing = OutgoingMessage(unsigned: HeaderObstacle.tooLarge.rawValue)
        }
    }

    /// The fields that claim to be ours.
    private func forged(in fields: HeaderBlock) -> ForgedFields {
        var forged = ForgedFields(setup.headers(authservID: authservID))
        forged.add(fields)
        return forged
    }

    /// Takes a part of the body.
    func body(_ chunk: UnsafeRawBufferPointer) {
        unsafe transaction?.body(chunk)
        unsafe outgoing?.body(chunk)
    }

    /// Whether the rest of the body is not wanted.
    var isBodyComplete: Bool { transaction?.isBodyComplete ?? !(outgoing?.isSigned ?? false) }
}

// MARK: Memory

extension MessageInProgress {
    /// About how many octets a field takes with what is read from it: the header grows by pieces, each field is listed, and
    /// a signature's values are kept beside it.
    private static func cost(of name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Int {
        let octets = name.count + value.count
        return unsafe name.equalsIgnoringCase("DKIM-Signature") ? 4 * octets + 64 : octets + octets / 2 + 64
    }

    /// Counts what the message is about to take; without room for it the message is given up, to come again later.
    private func hold(_ more: Int) -> Bool {
        guard !hasNoRoom else { return false }
        octets += more
        guard octets > MemoryShare.free, !share.hold(octets) else { return true }
        hasNoRoom = true
        transaction?.cancel()
        transaction = nil
        headers = HeaderBlock()
        _ = share.hold(0)
        return false
    }

    /// Ends a message of which a packet found no room; its client is told to come again.
    func giveUpWithoutRoom() {
        guard !isOver else { return }
        transaction?.cancel()
        noteQueueID()
        recordNoRoom()
    }

    /// The end of a message that was given up: it is told to come again, whatever the rules do.
    private func withoutRoom() -> MilterVerdict {
        recordNoRoom()
        return MilterVerdict(Self.noRoom)
    }

    private func recordNoRoom() {
        end()
        let problem = "no memory left (limits.max_held)"
        filter.recordUnjudged("tempfail", would: nil, problem: problem, removed: 0, envelope, summary)
    }
}

// MARK: The end

extension MessageInProgress {
    /// Judges or signs the message, and hands the result to `finish`: within this call, unless an answer is missing.
    func complete(_ finish: @escaping (MilterVerdict) -> Void) {
        endOfMessage = .now()
        noteQueueID()
        guard !hasNoRoom else { return finish(withoutRoom()) }
        if gate.hasTooMany, !session.options.expectsAnswer(to: .recipient) { return finish(withoutRecipients()) }
        guard let transaction else { return finish(sign()) }
        if let forgedInLargeHeader { return finish(unjudged(.tooLarge, removing: forgedInLargeHeader)) }
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
                let patience = TimeAmount(setup.configuration.limits.timeout)
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
            verdict: verdict(assessment.facts(sender)),
            headers: transaction.headers,
            settings: setup.headers(authservID: authservID),
            lookups: transaction.lookups
        )
        var summary = summary
        if let obstacle = judgement.obstacle {
            if setup.configuration.mode == .enforce { return unjudged(obstacle, removing: nil) }
            summary.problem = obstacle.rawValue
        }
        filter.record(judgement, summary, headers: transaction.headers, authservID: authservID)
        // A hold that the MTA cannot do must not become a delivery.
        let canQuarantine = session.options.actions.contains(.quarantine)
        if judgement.verdict.action == .quarantine, !canQuarantine { return MilterVerdict(.tempfail) }
        return MilterVerdict(judgement)
    }

    private func verdict(_ facts: @autoclosure () -> PolicyFacts) -> PolicyVerdict {
        let engine = setup.engine
        let verdict = engine.atEndOfMessage(facts(), gate.kinds, obstacle: gate.obstacle)
        if let mixture = verdict.mixture, mixture.isPutOff {
            let isRemembered = filter.putOff.remember(origin, gate.taken, mixture, now: Clock.now)
            return isRemembered ? verdict : engine.atEndOfMessage(facts(), gate.kinds, obstacle: .noRoom)
        }
        // Those that are told to come again are still expected.
        if gate.isSeparating, verdict.action != .tempfail { filter.putOff.forget(origin, gate.taken) }
        return verdict
    }

    private func sign() -> MilterVerdict {
        end()
        let outcome = outgoing?.finish()
        // RFC 8601 § 5: whoever has a login is no host of ours, and may not write our results.
        let removed = trustsFields ? [] : (forgedInLargeHeader ?? forged(in: headers)).deleted
        filter.record(outcome, envelope: envelope, trust: trust, removed: removed.count, summary)
        return MilterVerdict(outcome, removing: removed)
    }

    /// The end of a message whose header cannot be judged: it is refused where the rules act, and else loses only what is
    /// forged.
    private func unjudged(_ obstacle: HeaderObstacle, removing forged: ForgedFields?) -> MilterVerdict {
        if !isOver { end() }
        let enforces = setup.configuration.mode == .enforce
        let removed = enforces ? [] : forged?.deleted ?? []
        filter.recordUnjudged(
            enforces ? "reject" : "accept",
            would: enforces ? nil : "reject",
            problem: obstacle.rawValue,
            removed: removed.count,
            envelope,
            summary
        )
        guard enforces else { return MilterVerdict(.continue, removing: removed) }
        // RFC 3463 § 3.4: 5.3.4, message too big for system.
        return MilterVerdict(
            .reply(MilterReply(code: 552, enhancedStatus: "5.3.4", text: "Refused: \(obstacle.rawValue)"))
        )
    }

    /// The end of a message some of whose recipients could not be refused when they were too many.
    private func withoutRecipients() -> MilterVerdict {
        end()
        transaction?.cancel()
        filter.recordUnjudged("tempfail", would: nil, problem: "too many recipients", removed: 0, envelope, summary)
        return MilterVerdict(Self.tooManyRecipients)
    }

    private var authservID: Octets { session.macros["j"] ?? Octets(HostName.current) }

    /// Ends a message without an end: its recipients were all refused, or the client gave it up.
    func giveUp() {
        guard !isOver else { return }
        end()
        transaction?.cancel()
        guard let refusal = gate.refusals.first, let transaction else { return }
        var envelope = sender
        envelope.recipients = gate.refused
        let authservID = authservID
        let judgement = Judgement(
            transaction.envelopeAssessment,
            envelope: envelope,
            verdict: refusal,
            headers: nil,
            settings: setup.headers(authservID: authservID),
            lookups: transaction.lookups
        )
        filter.record(judgement, summary, headers: transaction.headers, authservID: authservID)
    }

    private func end() {
        isOver = true
        deadline?.cancel()
        if let endOfMessage { held = held + (NIODeadline.now() - endOfMessage) }
    }

    private var summary: Delivery {
        Delivery(
            queueID: queueID,
            refused: gate.refusals,
            sentAway: gate.sentAway,
            milliseconds: Int(held.nanoseconds / 1_000_000)
        )
    }
}
