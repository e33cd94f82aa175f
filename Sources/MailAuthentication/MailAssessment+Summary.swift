internal import DKIM
internal import DMARC
internal import DNSLookup
internal import SPF
internal import SenderID

/// The results of all checks as words (RFC 8601 § 2.7); nil for a check that was not made.
public struct AssessmentSummary: Sendable {
    /// SPF of the MAIL FROM identity.
    public let spf: String?
    /// SPF of the HELO identity.
    public let spfHelo: String?
    /// Sender ID.
    public let senderID: String?
    /// The purported responsible address.
    public let pra: String?
    /// The best DKIM signature, `none` without any.
    public let dkim: String?
    /// DMARC.
    public let dmarc: String?
    /// The policy that the author's domain publishes.
    public let policy: String?
    /// The name of the client's address.
    public let iprev: String?
    /// Why the first check of those above that did not pass did not, in words.
    public let problem: String?

    /// The results by the names that rule conditions use.
    public var results: [(check: String, result: String)] {
        let all = [
            ("spf", spf), ("spf_helo", spfHelo), ("sender_id", senderID), ("dkim", dkim), ("dmarc", dmarc),
            ("iprev", iprev),
        ]
        return all.compactMap { check, result in result.map { (check, $0) } }
    }

    /// Whether no check found anything against the message.
    public var isClean: Bool {
        [spf, senderID, dkim, dmarc].allSatisfy { $0 == nil || $0 == "pass" || $0 == "none" }
    }
}

extension MailAssessment {
    /// The results in words.
    public var summary: AssessmentSummary {
        let signature = bestSignature
        let problems = [
            spf?.problem, senderID?.problem, signature?.result == .pass ? nil : signature?.problem,
            dmarc?.problem?.description,
        ]
        return AssessmentSummary(
            spf: spf?.result.rawValue,
            spfHelo: helo?.result.rawValue,
            senderID: senderID?.result.rawValue,
            pra: senderID?.pra,
            dkim: dkim.map { _ in signature?.result.rawValue ?? "none" },
            dmarc: dmarc?.result.rawValue,
            policy: dmarc?.policy?.rawValue,
            iprev: iprev?.result.rawValue,
            problem: problems.compactMap { $0 }.first
        )
    }
}

extension Judgement {
    /// How many lookups there were, and for how many of them no server was asked.
    public var lookupCounts: (all: Int, cached: Int) {
        (lookups.count, lookups.count { $0.reply.source != .server })
    }
}
