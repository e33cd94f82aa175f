internal import DKIM
internal import DMARC
internal import DNSLookup
internal import MailSyntax
internal import Policy
internal import SPF
internal import SenderID

extension MailTransaction {
    /// Continues as far as the known answers allow; called after `endOfBody`, and again after each wait.
    public func advance() -> Progress {
        var open = openChecksOfEnvelope
        open.add(senderID?.openCheck)
        open.add(discovery?.openCheck)
        for key in keys { open.add(key.reply.openCheck) }
        open.add(chain?.openCheck)
        if let progress = waiting(for: open) { return progress }
        if signatures == nil { signatures = verifySignatures() }
        chain?.finish()
        if dmarc == nil { dmarc = evaluatePolicy() }
        var last = [OpenCheck]()
        last.add(dmarc?.openCheck)
        if listCheck == nil { listCheck = verifyList() }
        last.add(listCheck?.openCheck)
        if let progress = waiting(for: last) { return progress }
        endLookAheads()
        return .complete(assessment)
    }

    private var openChecksOfEnvelope: [OpenCheck] {
        var open = [OpenCheck]()
        open.add(client.iprev?.openCheck)
        open.add(client.heloCheck?.openCheck)
        open.add(spf?.openCheck)
        if let permits { open += permits.open }
        return open
    }

    /// Whether somebody vouches for the List-Id field; nil without one that can be vouched for.
    private func verifyList() -> Pending<Truth>? {
        guard let domain = list?.claim else { return nil }
        let vouchers = ListVouchers(of: domain, settings.checks.dkim ? signatures : nil, client.iprev?.outcome)
        switch vouchers.finding(mayAsk: settings.verifiesLists, settings.alignment) {
        case .known(let truth): return .known(truth)
        case .ask(let inquiry): return Pending(inquiry, record.resolver(.list), on: client.executor)
        }
    }

    private func waiting(for open: [OpenCheck]) -> Progress? {
        guard !open.isEmpty else { return nil }
        if isExpired { for check in open { check.cancel() } }
        return .waiting(OpenChecks(checks: open))
    }

    private func verifySignatures() -> [DKIMOutcome]? {
        verifier?.verify { question in reply(to: question) }
    }

    /// The reply to the question for a key, if it has arrived.
    func reply(to question: DNSQuestion) -> DNSReply? {
        keys.first { $0.question == question }?.reply.outcome
    }
}

// MARK: Joining

extension MailTransaction {
    /// RFC 9989 § 5: compares the domains that SPF and DKIM authenticate with the author's domain.
    private func evaluatePolicy() -> Pending<DMARCOutcome>? {
        guard let discovery = discovery?.outcome else { return nil }
        let spf = spf?.outcome
        let identifiers = DMARCIdentifiers(
            spf: spf?.result == .pass ? spf?.domainName : nil,
            dkim: signingDomains(of: .pass),
            spfTemperror: spf?.result == .temperror ? spf?.domainName : nil,
            dkimTemperror: signingDomains(of: .temperror)
        )
        let inquiry = DMARCInquiry(discovery, identifiers, alignment: settings.alignment)
        return Pending(inquiry, record.resolver(.alignment), on: client.executor)
    }

    private func signingDomains(of result: DKIMResult) -> [DomainName] {
        signatures?.compactMap { $0.result == result ? $0.signingDomain : nil } ?? []
    }

    /// RFC 4407 § 2: the address depends only on the header, whether Sender ID is checked or not.
    private var purportedAddress: String {
        if let outcome = senderID?.outcome { return outcome.pra ?? "" }
        let address = try? PurportedResponsibleAddress.find(in: headers)
        return address.map { $0.mailbox.addrSpec[...].text } ?? ""
    }

    private var assessment: MailAssessment {
        var assessment = envelopeAssessment
        assessment.purportedAddress = purportedAddress
        assessment.author = author ?? AuthorIdentity(of: headers)
        // The fields that were not read could belie the rest.
        if isHeaderCut { return assessment }
        assessment.senderID =
            senderID?.outcome ?? (client.isUnknown && settings.checks.senderID ? .unknownClient : nil)
        assessment.dkim = settings.checks.dkim ? signatures : nil
        assessment.dmarc = dmarc?.outcome
        // Without SPF, a DMARC fail says nothing, unless the client has seen to it that there is none.
        if assessment.dmarc?.result == .fail, relayed?.relay.state == .unreadable { assessment.dmarc = nil }
        assessment.arc = chain?.outcome
        assessment.list = list
        assessment.list?.verified = listCheck?.outcome ?? .no
        return assessment
    }
}

// MARK: Before DATA

extension MailTransaction {
    /// The results for the envelope so far.
    public var envelopeAssessment: MailAssessment {
        var assessment = MailAssessment()
        if client.isUnknown, settings.checks.spf {
            assessment.spf = .unknownClient(.mfrom)
            assessment.helo = .unknownClient(.helo)
        } else {
            assessment.spf = spf?.outcome
            assessment.helo = client.heloCheck?.outcome
        }
        assessment.iprev = client.iprev?.outcome
        assessment.permits = permits?.results
        return assessment
    }

    /// The open checks of the envelope; nil when there are none.
    public var openEnvelopeChecks: OpenChecks? {
        if case .waiting(let checks)? = waiting(for: openChecksOfEnvelope) { checks } else { nil }
    }
}

extension [OpenCheck] {
    /// Adds a check that has no outcome yet.
    fileprivate mutating func add(_ check: OpenCheck?) {
        if let check { append(check) }
    }
}
