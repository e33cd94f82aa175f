public import ARC
public import DKIM
public import DNSLookup
public import MailSyntax
public import Policy

/// Judges a stored message, or an envelope alone, as the daemon would.
public struct MessageJudge: Sendable {
    private let settings: AuthenticationSettings
    private let headers: HeaderSettings
    private let engine: PolicyEngine
    private let resolver: any DNSResolving
    private let timeout: Duration
    private let maximumHeaderOctets: Int

    /// A judge.
    ///
    /// - Parameters:
    ///   - settings: the checks to make.
    ///   - headers: the fields to write and to delete.
    ///   - engine: the rules.
    ///   - resolver: answers the questions.
    ///   - timeout: the time for all checks of one message.
    ///   - maximumHeaderOctets: how many octets of header the filter reads.
    public init(
        settings: AuthenticationSettings,
        headers: HeaderSettings,
        engine: PolicyEngine,
        resolver: any DNSResolving,
        timeout: Duration,
        maximumHeaderOctets: Int = .max
    ) {
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
            transaction.take(message)
            assessment = await transaction.assessment(within: timeout)
        } else {
            await transaction.openEnvelopeChecks?.wait(atMost: timeout)
            assessment = transaction.envelopeAssessment
        }
        return judgement(assessment, envelope, transaction, headers: message?.headers)
    }

    /// Judges a message again after its body is gone; the results of its signatures and of its chain are given.
    public func judge(
        _ envelope: Envelope,
        headers: HeaderBlock,
        signatures: [DKIMOutcome]?,
        chain: ARCOutcome?,
        now: UnixTime
    ) async -> Judgement {
        let transaction = begin(envelope, now)
        transaction.resume(signatures ?? [], chain)
        for field in headers { transaction.header(name: field.label, value: field.value) }
        transaction.endOfHeaders()
        let assessment = await transaction.assessment(within: timeout)
        return judgement(assessment, envelope, transaction, headers: headers)
    }

    private func begin(_ envelope: Envelope, _ now: UnixTime) -> MailTransaction {
        let client = MailClient(address: envelope.clientAddress, settings: settings, resolver: resolver)
        if !envelope.helo.isEmpty { client.greet(envelope.helo, now: now) }
        return MailTransaction(
            client: client,
            sender: envelope.sender,
            isSenderKnown: envelope.isSenderKnown,
            resolver: resolver,
            now: now
        )
    }

    private func judgement(
        _ assessment: MailAssessment,
        _ envelope: Envelope,
        _ transaction: MailTransaction,
        headers: HeaderBlock?
    ) -> Judgement {
        Judgement(
            assessment,
            envelope: envelope,
            verdict: engine.judge(assessment.facts(envelope), engine.kinds(of: envelope.addresses)),
            headers: headers,
            settings: self.headers,
            maximumHeaderOctets: maximumHeaderOctets,
            lookups: transaction.lookups
        )
    }
}

extension MailTransaction {
    /// Passes a whole message.
    func take(_ message: StoredMessage) {
        for field in message.headers { header(name: field.label, value: field.value) }
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
