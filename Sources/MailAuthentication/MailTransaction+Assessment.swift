internal import DKIM
internal import DMARC
internal import DNSLookup
internal import MailSyntax
internal import SPF
internal import SenderID

extension MailTransaction {
    /// Goes on as far as the known answers allow; called after `endOfBody`, and again after each wait.
    public func advance() -> Progress {
        let checks: [(any Awaitable)?] = [client.iprev, client.heloCheck, spf, senderID, discovery]
        if let progress = waiting(for: checks + keys.map(\.reply)) { return progress }
        if signatures == nil { signatures = verifySignatures() }
        if dmarc == nil { dmarc = evaluatePolicy() }
        if let progress = waiting(for: [dmarc]) { return progress }
        return .complete(assessment)
    }

    private func waiting(for checks: [(any Awaitable)?]) -> Progress? {
        let open = checks.compactMap { $0 }.filter { !$0.isDone }
        guard !open.isEmpty else { return nil }
        if isExpired { for check in open { check.cancel() } }
        return .waiting(OpenChecks(checks: open))
    }

    private func verifySignatures() -> [DKIMOutcome]? {
        verifier?.verify { question in keys.first { $0.question == question }?.reply.outcome }
    }
}

// MARK: Joining

extension MailTransaction {
    /// RFC 9989 § 5: SPF and DKIM results as authenticated identifiers, held against the author's domain.
    private func evaluatePolicy() -> Pending<DMARCOutcome>? {
        guard let discovery = discovery?.outcome else { return nil }
        let spf = spf?.outcome
        let passed = (signatures ?? []).filter { $0.result == .pass }.compactMap(\.signingDomain)
        let undecided = (signatures ?? []).filter { $0.result == .temperror }.compactMap(\.signingDomain)
        return Pending(on: client.executor) { [resolver, list = settings.publicSuffixList] in
            await DMARCEvaluator(resolver: resolver, publicSuffixList: list).evaluate(
                discovery,
                spf: spf?.result == .pass ? spf?.domainName : nil,
                dkim: passed,
                spfTemperror: spf?.result == .temperror ? spf?.domainName : nil,
                dkimTemperror: undecided
            )
        }
    }

    /// RFC 4407 § 2: the address depends on the header alone, whether Sender ID is checked or not.
    private var purportedAddress: String {
        if let outcome = senderID?.outcome { return outcome.pra ?? "" }
        let address = try? PurportedResponsibleAddress.find(in: headers)
        return address.map { $0.mailbox.addrSpec[...].text } ?? ""
    }

    private var assessment: MailAssessment {
        var assessment = envelopeAssessment
        assessment.senderID =
            senderID?.outcome ?? (client.isUnknown && settings.checks.contains(.senderID) ? .unknownClient : nil)
        assessment.dkim = settings.checks.contains(.dkim) ? signatures : nil
        assessment.dmarc = dmarc?.outcome
        assessment.purportedAddress = purportedAddress
        assessment.author = author ?? AuthorIdentity(of: headers)
        return assessment
    }
}

// MARK: Before DATA

extension MailTransaction {
    /// What is known of the envelope by now.
    public var envelopeAssessment: MailAssessment {
        var assessment = MailAssessment()
        if client.isUnknown, settings.checks.contains(.spf) {
            assessment.spf = .unknownClient(.mfrom)
            assessment.helo = .unknownClient(.helo)
        } else {
            assessment.spf = spf?.outcome
            assessment.helo = client.heloCheck?.outcome
        }
        assessment.iprev = client.iprev?.outcome
        return assessment
    }

    /// The checks of the envelope that are still open; nil when there are none.
    public var openEnvelopeChecks: OpenChecks? {
        if case .waiting(let checks)? = waiting(for: [client.iprev, client.heloCheck, spf]) { checks } else { nil }
    }
}
