public import DKIM
public import DMARC
internal import MailSyntax

// The signature that speaks for the message.

extension MailAssessment {
    /// The best signature for the message: one that passes, otherwise the first with the least bad result.
    public var bestSignature: DKIMOutcome? { dkim.flatMap { dkim in Self.best(of: dkim).map { dkim[$0] } } }

    /// The result of the best signature; nil without a signature.
    var bestSignatureResult: DKIMResult? { dkim.flatMap { dkim in Self.best(of: dkim).map { dkim[$0].result } } }

    /// The result of the best signature among those of the author's own domain and those that DMARC finds aligned with it
    /// (RFC 9989 § 4.4.1).
    private var bestAlignedResult: DKIMResult? {
        guard let dkim, let from = dmarc?.fromDomain else { return nil }
        var best: DKIMResult?
        // By index, because an outcome is expensive to copy.
        for index in dkim.indices {
            let result = dkim[index].result
            guard let domain = dkim[index].signature?.domain, isAligned(domain, result, from) else { continue }
            if best.map({ Self.rank(result) < Self.rank($0) }) ?? true { best = result }
        }
        return best
    }

    /// Whether a signature of this domain, with this result, counts as one of the author's.
    private func isAligned(_ domain: DomainName, _ result: DKIMResult, _ author: DomainName) -> Bool {
        // RFC 9989 § 3.2.10: identical domains are aligned in either mode, and without a record too.
        if domain == author, self.author?.hasOneDomain == true { return true }
        if dmarc?.alignedByList.contains(domain) == true { return true }
        guard let organization = dmarc?.organizationalDomain, domain.isEqualOrSubdomain(of: organization) else {
            return false
        }
        // A pass that DMARC does not count as aligned is not aligned: the record may require the same domain.
        return result != .pass || dmarc?.aligned.contains(.dkim) == true
    }

    /// How closely the domain of a signature matches the author's (RFC 9989 § 3.2.10); nil where it does not.
    public func alignment(ofSignature index: Int) -> DMARCRecord.AlignmentMode? {
        guard let dkim, dkim.indices.contains(index), let domain = dkim[index].signature?.domain,
            let author = dmarc?.fromDomain ?? author?.authorDomain
        else { return nil }
        if domain == author { return .strict }
        return isAligned(domain, dkim[index].result, author) ? .relaxed : nil
    }

    /// The result of the best aligned signature; `temperror` if a DNS error leaves open whether a passing signature is
    /// aligned.
    var alignedSignatureResult: DKIMResult? {
        let known = bestAlignedResult
        guard known != .pass, dmarc?.result == .temperror, let author = dmarc?.fromDomain else { return known }
        let mayBeAligned = dkim?.contains { signature in
            guard [.pass, .temperror].contains(signature.result), let domain = signature.signingDomain else {
                return false
            }
            // A name whose last label differs from that of the author's domain belongs to another organization.
            return dmarc?.organizationalDomain.map(domain.isEqualOrSubdomain) ?? (domain.suffix(1) == author.suffix(1))
        }
        return mayBeAligned == true ? .temperror : known
    }

    /// The index of the best signature; an index, because an outcome is expensive to copy.
    private static func best(of signatures: [DKIMOutcome]) -> Int? {
        signatures.indices.min { rank(signatures[$0].result) < rank(signatures[$1].result) }
    }

    private static func rank(_ result: DKIMResult) -> Int {
        switch result {
        case .pass: 0
        // An error may hide a pass, so it is better than a definite failure (RFC 6376 § 6.1: keep trying other
        // signatures).
        case .temperror: 1
        case .policy: 2
        case .neutral: 3
        case .fail: 4
        case .permerror: 5
        case .none: 6
        }
    }
}
