public import DKIM
public import DMARC
public import DNSLookup
public import MailSyntax
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

    /// The best signature of those in the author's organizational domain, found by DMARC (RFC 9989 § 4.4.1).
    public var bestAlignedSignature: DKIMOutcome? {
        guard let dkim, let organization = dmarc?.organizationalDomain else { return nil }
        let isAligned = dmarc?.aligned.contains(.dkim) ?? false
        let candidates = dkim.filter { signature in
            // A pass that DMARC does not count as aligned is not: the record may ask for the very same domain.
            signature.signingDomain?.isEqualOrSubdomain(of: organization) == true
                && (signature.result != .pass || isAligned)
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
