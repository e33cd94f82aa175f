internal import DKIM
internal import DMARC
internal import DNSLookup
public import MailSyntax
public import Policy
internal import ReverseDNS
internal import SPF
internal import SenderID

/// The results of all checks as words (RFC 8601 § 2.7); nil for a check that was not made.
public struct AssessmentSummary: Sendable {
    /// SPF of the MAIL FROM identity.
    public let spf: ResultWord?
    /// SPF of the HELO identity.
    public let spfHelo: ResultWord?
    /// Sender ID.
    public let senderID: ResultWord?
    /// The purported responsible address.
    public let pra: String?
    /// The domains that the message names as its author's; nil before its header is known.
    public let authors: [DomainName]?
    /// How its author could be read.
    public let reading: AuthorReading?
    /// The best DKIM signature, `none` without any.
    public let dkim: ResultWord?
    /// DMARC.
    public let dmarc: ResultWord?
    /// The policy that applies to the author's domain.
    public let policy: String?
    /// The policy that is published for it, where that is another.
    public let publishedPolicy: String?
    /// The name of the client's address.
    public let iprev: ResultWord?
    /// Why the first check of those above that did not pass did not, in words.
    public let problem: String?

    /// Whether no check found anything against the message.
    public var isClean: Bool {
        func isClean(_ word: ResultWord?) -> Bool { word == nil || word == .pass || word == ResultWord.none }
        return isClean(spf) && isClean(senderID) && isClean(dkim) && isClean(dmarc)
    }
}

extension MailAssessment {
    /// The results in words.
    public var summary: AssessmentSummary {
        AssessmentSummary(
            spf: spf.map { ResultWord($0.result) },
            spfHelo: helo.map { ResultWord($0.result) },
            senderID: senderID.map { ResultWord($0.result) },
            pra: senderID?.pra,
            authors: author?.domains,
            reading: author?.reading,
            dkim: dkim.map { _ in bestSignatureResult.map { ResultWord($0) } ?? .none },
            dmarc: dmarc.map { ResultWord($0.result) },
            policy: dmarc?.effectivePolicy?.rawValue,
            publishedPolicy: dmarc?.policy == dmarc?.effectivePolicy ? nil : dmarc?.policy?.rawValue,
            iprev: iprev.map { ResultWord($0.result) },
            problem: spf?.problem ?? senderID?.problem ?? signatureProblem ?? dmarc?.problem?.description
        )
    }

    private var signatureProblem: String? { bestSignatureResult == .pass ? nil : bestSignature?.problem }
}
