internal import DKIM
internal import DMARC
internal import DNSLookup
internal import MailSyntax
public import Policy
internal import SPF
internal import SenderID

extension MailAssessment {
    /// What the rules may know about the message.
    public func facts(_ envelope: Envelope) -> PolicyFacts {
        var facts = PolicyFacts(envelope)
        facts.spf = spf.flatMap { ResultWord(rawValue: $0.result.rawValue) }
        facts.spfHelo = helo.flatMap { ResultWord(rawValue: $0.result.rawValue) }
        facts.explanation = spf?.explanation
        facts.senderIDExplanation = senderID?.explanation
        if let iprev {
            facts.iprev = ResultWord(rawValue: iprev.result.rawValue)
            facts.clientNames = iprev.name.map { [$0] } ?? []
        }
        if let senderID {
            facts.senderID = ResultWord(rawValue: senderID.result.rawValue)
        }
        facts.pra = purportedAddress.map { MailAddress($0) }
        if let dkim {
            facts.dkim = bestSignature.map(Self.word) ?? ResultWord.none
            let passed = dkim.filter { $0.result == .pass }.compactMap(\.signingDomain)
            // Where a key could not be looked up, an exemption of its domain is not known not to hold.
            let isUndecided = passed.isEmpty && dkim.contains { $0.result == .temperror }
            facts.dkimDomains = isUndecided ? nil : passed
        }
        if let author {
            facts.fromDomains = author.domains
            facts.fromCount = author.fromCount
        }
        if let dmarc {
            facts.dmarc = ResultWord(rawValue: dmarc.result.rawValue)
            facts.dkimAligned = bestAlignedSignature.map(Self.word) ?? ResultWord.none
            facts.dmarcPolicy = dmarc.policy.flatMap { DMARCPolicyWord(rawValue: $0.rawValue) } ?? .absent
        }
        return facts
    }

    private static func word(_ signature: DKIMOutcome) -> ResultWord {
        ResultWord(rawValue: signature.result.rawValue) ?? .none
    }
}

extension PolicyFacts {
    /// The facts of the envelope alone.
    init(_ envelope: Envelope) {
        self.init()
        client = envelope.clientAddress
        helo = envelope.helo[...].text
        mailFrom = MailAddress(envelope.sender[...].text)
        recipients = envelope.recipients.map { MailAddress($0[...].text) }
        authenticated = envelope.isTrusted
    }
}
