extension PolicyFacts {
    /// The facts of the envelope while only some of its checks have ended.
    public func ofEnvelope(knowing known: PerCheck<Bool>) -> PolicyFacts {
        var facts = ofEnvelope
        for check in Check.allCases where !known[check] { facts.forget(check) }
        return facts
    }

    /// Takes back what a check has found, as if it had not been made.
    public mutating func forget(_ check: Check) {
        results[check] = nil
        switch check {
        case .spf:
            explanation = nil
            spfOpen = .unknown
            forwarded = .unknown
        case .spfHelo: break
        case .senderID:
            senderIDAligned = nil
            senderIDExplanation = nil
        case .dkim:
            dkimAligned = nil
            dkimDomains = nil
            unansweredDKIMDomains = []
            listVerified = .unknown
            forwarded = .unknown
        case .dmarc:
            dkimAligned = nil
            dmarcPolicy = nil
            dmarcPublished = nil
            forwarded = .unknown
        case .arc:
            arcSealers = nil
            unansweredARCSealers = []
        case .iprev:
            clientNames = nil
            unansweredClientNames = []
            listVerified = .unknown
        }
    }
}
