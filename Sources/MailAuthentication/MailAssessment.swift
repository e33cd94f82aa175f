public import DKIM
public import DMARC
public import MailSyntax
public import ReverseDNS
public import SPF
public import SenderID

/// What all checks of a message found; nil for a check that was not made.
public struct MailAssessment: Sendable {
    /// SPF of the MAIL FROM identity.
    public var spf: SPFOutcome?
    /// SPF of the HELO identity.
    public var helo: SPFOutcome?
    /// Sender ID of the purported responsible address.
    public var senderID: SenderIDOutcome?
    /// Each signature, top-down; empty for a message without.
    public var dkim: [DKIMOutcome]?
    /// DMARC of the author's domain.
    public var dmarc: DMARCOutcome?
    /// The client's name.
    public var iprev: ReverseNameOutcome?
    /// The purported responsible address, empty for a message without; nil before its headers are known.
    public var purportedAddress: String?
    /// Who the message says its author is; nil before its headers are known.
    public var author: AuthorIdentity?

    /// An assessment of nothing.
    public init() {}

    /// The signature that speaks best for the message: one that passes, else the first of the least bad result.
    public var bestSignature: DKIMOutcome? { dkim.flatMap { dkim in Self.best(of: dkim).map { dkim[$0] } } }

    /// The result of the signature that speaks best; nil without a signature.
    var bestSignatureResult: DKIMResult? { dkim.flatMap { dkim in Self.best(of: dkim).map { dkim[$0].result } } }

    /// The best signature of the author's own domain and of those that DMARC finds aligned with it (RFC 9989 § 4.4.1).
    public var bestAlignedSignature: DKIMOutcome? {
        guard let dkim, let dmarc, let from = dmarc.fromDomain else { return nil }
        let isAligned = dmarc.aligned.contains(.dkim)
        let candidates = dkim.filter { signature in
            guard let domain = signature.signingDomain else { return false }
            // RFC 9989 § 3.2.10: identical domains are aligned in either mode, and without a record too.
            if domain == from, author?.domains.count == 1 { return true }
            if dmarc.alignedByList.contains(domain) { return true }
            guard let organization = dmarc.organizationalDomain, domain.isEqualOrSubdomain(of: organization) else {
                return false
            }
            // A pass that DMARC does not count as aligned is not: the record may ask for the very same domain.
            return signature.result != .pass || isAligned
        }
        return Self.best(of: candidates).map { candidates[$0] }
    }

    /// Whether the purported responsible address is the author's: of the author's domain, or of one above or below it, which
    /// has the same owner.
    var isResponsibleAuthor: Bool {
        guard let author = author?.authorDomain, let responsible = senderID?.evaluation?.domainName else {
            return false
        }
        return responsible.isEqualOrSubdomain(of: author) || author.isEqualOrSubdomain(of: responsible)
    }

    /// The result of that signature; `temperror` where the DNS left open whether one that passes is aligned.
    var alignedSignatureResult: DKIMResult? {
        let known = bestAlignedSignature?.result
        guard known != .pass, dmarc?.result == .temperror, let author = dmarc?.fromDomain else { return known }
        let mayBeAligned = dkim?.contains { signature in
            guard [.pass, .temperror].contains(signature.result), let domain = signature.signingDomain else {
                return false
            }
            // What shares not even the last label with the author's domain lies in another organization.
            return dmarc?.organizationalDomain.map(domain.isEqualOrSubdomain) ?? (domain.suffix(1) == author.suffix(1))
        }
        return mayBeAligned == true ? .temperror : known
    }

    /// The position of the best: an outcome is much to copy.
    private static func best(of signatures: [DKIMOutcome]) -> Int? {
        signatures.indices.min { rank(signatures[$0].result) < rank(signatures[$1].result) }
    }

    private static func rank(_ result: DKIMResult) -> Int {
        switch result {
        case .pass: 0
        // An error may hide a pass, so it is better than a definite no (RFC 6376 § 6.1: keep trying other signatures).
        case .temperror: 1
        case .policy: 2
        case .neutral: 3
        case .fail: 4
        case .permerror: 5
        case .none: 6
        }
    }
}
