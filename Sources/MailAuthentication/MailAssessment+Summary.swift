internal import ARC
internal import DKIM
internal import DMARC
internal import DNSLookup
public import MailSyntax
public import Policy
internal import ReverseDNS
internal import SPF
internal import SenderID

/// The results of all checks as words (RFC 8601 § 2.7), and their subjects.
public struct AssessmentSummary: Sendable {
    /// The result of each check.
    public let results: PerCheck<ResultWord?>
    /// The purported responsible address.
    public let pra: String?
    /// The domains of the message's authors; nil before its header is known.
    public let authors: [DomainName]?
    /// How the author could be read.
    public let reading: AuthorReading?
    /// The policy that applies to the author's domain.
    public let policy: String?
    /// The policy that is published for the author's domain, if it differs.
    public let publishedPolicy: String?
    /// The domain of the newest ARC seal.
    public let sealer: String?
    /// The problem of the first check above that did not pass, in words.
    public let problem: String?

    /// Whether no check found anything against the message.
    public var isClean: Bool {
        func isClean(_ word: ResultWord?) -> Bool { word == nil || word == .pass || word == ResultWord.none }
        return isClean(results.spf) && isClean(results.senderID) && isClean(results.dkim) && isClean(results.dmarc)
    }
}

extension MailAssessment {
    /// The results in words.
    public var summary: AssessmentSummary {
        AssessmentSummary(
            results: results,
            pra: senderID?.pra,
            authors: author?.domains,
            reading: author?.reading,
            policy: dmarc?.effectivePolicy?.rawValue,
            publishedPolicy: dmarc?.policy == dmarc?.effectivePolicy ? nil : dmarc?.policy?.rawValue,
            sealer: arc?.sealer?.description,
            problem: spf?.problem ?? senderID?.problem ?? signatureProblem ?? dmarc?.problem?.description
                ?? arc?.problem?.description
        )
    }

    private var signatureProblem: String? { bestSignatureResult == .pass ? nil : bestSignature?.problem }
}
