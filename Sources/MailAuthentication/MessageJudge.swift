public import ARC
public import DKIM
public import DNSLookup
public import MailSyntax
public import Policy
public import SPF

/// Judges a stored message, or an envelope alone, as the daemon would.
public struct MessageJudge: Sendable {
    private let settings: AuthenticationSettings
    private let headers: HeaderSettings
    private let engine: PolicyEngine
    private let resolver: any DNSResolving
    private let timeout: Duration
    private let maximumHeaderOctets: Int
    private let relays: RelaySettings?

    /// A judge.
    ///
    /// - Parameters:
    ///   - settings: the checks to make.
    ///   - headers: the fields to write and to delete.
    ///   - engine: the rules.
    ///   - resolver: answers the questions.
    ///   - timeout: the time for all checks of one message.
    ///   - maximumHeaderOctets: how many octets of header the filter reads.
    ///   - relays: the relays of our own; nil for none.
    public init(
        settings: AuthenticationSettings,
        headers: HeaderSettings,
        engine: PolicyEngine,
        resolver: any DNSResolving,
        timeout: Duration,
        maximumHeaderOctets: Int = .max,
        relays: RelaySettings? = nil
    ) {
        self.relays = relays
        self.settings = settings
        self.headers = headers
        self.engine = engine
        self.resolver = resolver
        self.timeout = timeout
        self.maximumHeaderOctets = maximumHeaderOctets
    }

    /// Judges a message that arrives at `now`; without a message, the envelope alone.
    public func judge(_ envelope: Envelope, message: StoredMessage?, now: UnixTime) async -> Judgement {
        let transaction = begin(envelope, now)
        let assessment: MailAssessment
        if let message {
            transaction.take(message, atMost: transaction.relayed == nil ? .max : maximumHeaderOctets)
            assessment = await transaction.assessment(within: timeout)
        } else {
            await transaction.openEnvelopeChecks?.wait(atMost: timeout)
            assessment = transaction.envelopeAssessment
        }
        return judgement(assessment, envelope, transaction, headers: message?.headers)
    }

    /// Judges a message again after its body is gone; the results of its signatures and of its chain are given, and those
    /// that a relay of our own reported, and whether the header went on.
    public func judge(
        _ envelope: Envelope,
        headers: HeaderBlock,
        isHeaderCut: Bool = false,
        signatures: [DKIMOutcome]?,
        chain: ARCOutcome?,
        spf: SPFOutcome? = nil,
        now: UnixTime
    ) async -> Judgement {
        let transaction = begin(envelope, now)
        transaction.resume(signatures ?? [], chain)
        if envelope.relay?.state == .results { transaction.resume(reported: spf) }
        for field in headers { transaction.header(name: field.label, value: field.value) }
        if isHeaderCut { transaction.cutHeader() }
        transaction.endOfHeaders()
        let assessment = await transaction.assessment(within: timeout)
        return judgement(assessment, envelope, transaction, headers: headers)
    }

    private func begin(_ envelope: Envelope, _ now: UnixTime) -> MailTransaction {
        if envelope.relay == nil, let relays, let address = envelope.clientAddress, relays.networks.contains(address) {
            return MailTransaction(
                relayedBy: address,
                of: relays,
                settings: settings,
                sender: envelope.sender,
                isSenderKnown: envelope.isSenderKnown,
                isStored: true,
                resolver: resolver,
                now: now
            )
        }
        let client = MailClient(
            address: envelope.clientAddress,
            isUnknown: envelope.relay?.state == .disguised,
            settings: settings,
            resolver: resolver
        )
        if !envelope.helo.isEmpty { client.greet(envelope.helo, now: now) }
        return MailTransaction(
            client,
            envelope.relay.map { RelayedMail(known: $0, resolver: resolver) },
            sender: envelope.sender,
            isSenderKnown: envelope.isSenderKnown,
            submitter: nil,
            resolver,
            now: now
        )
    }

    private func judgement(
        _ assessment: MailAssessment,
        _ envelope: Envelope,
        _ transaction: MailTransaction,
        headers: HeaderBlock?
    ) -> Judgement {
        let envelope = transaction.envelope(envelope)
        let review = headers.map { headers in
            HeaderReview(
                ForgedFields(headers, self.headers),
                isTooLarge: transaction.isHeaderCut || headers.octetCount > maximumHeaderOctets,
                passedOnBy: envelope.relay,
                refuses: relays?.refuses ?? false
            )
        }
        let verdict = verdict(assessment.facts(envelope), envelope)
        return Judgement(
            assessment,
            envelope: envelope,
            verdict: review?.verdict(verdict, in: engine.mode) ?? verdict,
            headers: headers,
            review: review,
            settings: self.headers,
            lookups: transaction.lookups
        )
    }
}

extension MessageJudge {
    private func verdict(_ facts: PolicyFacts, _ envelope: Envelope) -> PolicyVerdict {
        let kinds = engine.kinds(of: envelope.addresses)
        guard let relay = envelope.relay else { return engine.judge(facts, kinds) }
        // No recipient of relayed mail is refused before its end.
        return relay.verdict(
            engine.atEndOfMessage(facts, kinds, obstacle: .noAnswerToRecipients),
            refuses: relays?.refuses ?? false
        )
    }
}

extension MailTransaction {
    /// Passes a message, of its header at most so many octets.
    func take(_ message: StoredMessage, atMost maximumHeaderOctets: Int) {
        for field in message.headers {
            guard headers.octetCount + field.label.count + field.value.count <= maximumHeaderOctets else {
                cutHeader()
                break
            }
            header(name: field.label, value: field.value)
        }
        endOfHeaders()
        unsafe message.body.withUnsafeBytes { unsafe body($0) }
        endOfBody()
    }

    /// Waits for the outcomes; those that are still missing after `time` count as unanswered.
    func assessment(within time: Duration) async -> MailAssessment {
        let deadline = ContinuousClock.now + time
        while true {
            switch advance() {
            case .complete(let assessment): return assessment
            case .waiting(let checks):
                await checks.wait(atMost: deadline - .now)
                if deadline <= .now { expire() }
            }
        }
    }
}
