internal import ARC
internal import DKIM
internal import DMARC
internal import DNSLookup
internal import MailSyntax
public import Policy
internal import ReverseDNS
internal import SPF
internal import SenderID

extension MailAssessment {
    /// The facts about the message that the rules may use.
    public func facts(_ envelope: Envelope) -> PolicyFacts {
        if let dkim, dkim.contains(where: \.testing) {
            // RFC 6376 § 3.6.1, t=y: "Verifiers MUST NOT treat messages from Signers in testing mode differently from unsigned
            // email". The results of DMARC still count: RFC 9989 has no such exception.
            var counted = self
            counted.dkim = dkim.filter { !$0.testing }
            return counted.facts(envelope)
        }
        var facts = PolicyFacts(envelope)
        facts.results = results
        if envelope.relay?.state == .disguised { facts.results.refuseClient() }
        facts.explanation = spf?.explanation
        facts.senderIDExplanation = senderID?.explanation
        if let iprev {
            facts.clientNames = iprev.names
            facts.unansweredClientNames = iprev.unansweredNames
        }
        facts.spfOpen = spfOpen
        facts.permittedBy = permits?.permitting
        facts.unansweredPermits = permits?.unanswered ?? []
        facts.senderIDAligned = alignedSenderID
        facts.pra = purportedAddress.map { MailAddress($0) }
        facts.dkimDomains = signingDomains(of: .pass)
        facts.unansweredDKIMDomains = signingDomains(of: .temperror) ?? []
        if let arc {
            facts.arcSealers = arc.vouchingSealer.map { [$0] } ?? []
            facts.unansweredARCSealers = arc.unansweredSealer.map { [$0] } ?? []
        }
        if let author {
            facts.fromDomains = author.domains
            facts.fromCount = author.fromCount
            facts.author = author.reading
            facts.listDomains = list?.domains ?? []
            facts.listVerified = list?.verified ?? .no
            facts.forwarded = forwarded
        }
        facts.dkimAligned = alignedSignature
        // By its parts, because the outcome is expensive to copy. If the record could not be looked up, it is unknown
        // whether there is one.
        if let result = dmarc?.result, dmarc?.policy != nil || result != .temperror {
            // RFC 9989 § 4.7, t=y: "the Domain Owner is testing": the policy applied is one level lower.
            facts.dmarcPolicy = DMARCPolicyWord(dmarc?.effectivePolicy)
            facts.dmarcPublished = DMARCPolicyWord(dmarc?.policy)
        }
        return facts
    }

    /// The result of Sender ID if the purported responsible address is the author's, otherwise `none`; nil if it was not
    /// checked.
    package var alignedSenderID: ResultWord? {
        senderID.map { isResponsibleAuthor ? ResultWord($0.result) : ResultWord.none }
    }

    /// The result of the best signature of the author's domain, otherwise `none`; nil if it was not checked.
    private var alignedSignature: ResultWord? {
        guard dmarc?.result != nil else { return nil }
        return alignedSignatureResult.map { ResultWord($0) } ?? ResultWord.none
    }

    /// What rules see of the signatures: the best one, and the best one of the author's domain.
    package var countedSignatures: (best: ResultWord?, aligned: ResultWord?) {
        guard let dkim, dkim.contains(where: \.testing) else { return (signatureResult, alignedSignature) }
        var counted = self
        counted.dkim = dkim.filter { !$0.testing }
        return (counted.signatureResult, counted.alignedSignature)
    }

    /// Whether the purported responsible address belongs to the author: its domain is the author's domain, or a domain
    /// above or below it, which has the same owner.
    private var isResponsibleAuthor: Bool {
        guard let author = author?.authorDomain, let responsible = senderID?.evaluation?.domainName else {
            return false
        }
        return responsible.isEqualOrSubdomain(of: author) || author.isEqualOrSubdomain(of: responsible)
    }

    /// The domains of the signatures with a result; nil if signatures are not checked.
    private func signingDomains(of result: DKIMResult) -> [DomainName]? {
        guard let dkim else { return nil }
        var domains: [DomainName] = []
        // By index, because an outcome is expensive to copy.
        for index in dkim.indices where dkim[index].result == result {
            if let domain = dkim[index].signature?.domain { domains.append(domain) }
        }
        return domains
    }
}

extension DMARCPolicyWord {
    /// The word for a policy.
    fileprivate init(_ policy: DMARCPolicy?) {
        self =
            switch policy {
            case .none?: .none
            case .quarantine?: .quarantine
            case .reject?: .reject
            case nil: .absent
            }
    }
}

extension Envelope {
    /// The recipients in the form that rules use.
    public var addresses: [MailAddress] { recipients.map { MailAddress($0[...]) } }
}

extension PolicyFacts {
    /// The facts of the envelope alone, without its recipients.
    init(_ envelope: Envelope) {
        self.init()
        client = envelope.clientAddress
        helo = envelope.helo[...].text
        mailFrom = MailAddress(envelope.sender[...])
        authenticated = envelope.isTrusted
    }
}
