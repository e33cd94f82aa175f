internal import DNSLookup
public import MailSyntax
public import Policy

/// The results for a message, and the filter's decision.
///
/// A class, because it is large and shared by many tasks.
public final class Judgement: Sendable {
    /// The results of all checks.
    public let assessment: MailAssessment
    /// The SMTP envelope.
    public let envelope: Envelope
    /// The decision of the rules.
    public let verdict: PolicyVerdict
    /// The fields to add, in their order in the header from the top.
    public let newFields: [NewField]
    /// The fields to delete, from the top.
    public let removedFields: [RemovedField]
    /// What was found in the header regardless of the checks; nil when there is no message.
    public let review: HeaderReview?
    /// The lookups that were made.
    public let lookups: [LookupRecord.Entry]
    /// How many lookups there were, and how many of them needed no server.
    public let lookupCounts: (all: Int, cached: Int)
    /// The results of the checks, in words.
    public let summary: AssessmentSummary

    /// A judgement, and its consequences for the message's header.
    ///
    /// - Parameters:
    ///   - assessment: the results of the checks.
    ///   - envelope: the SMTP envelope.
    ///   - verdict: the decision of the rules.
    ///   - headers: the message's header fields; nil when there is no message.
    ///   - review: what was found in the header regardless of the checks; nil when there is no message.
    ///   - settings: the fields to write.
    ///   - lookups: the lookups that were made.
    public init(
        _ assessment: MailAssessment,
        envelope: Envelope,
        verdict: PolicyVerdict,
        headers: HeaderBlock?,
        review: HeaderReview?,
        settings: HeaderSettings,
        lookups: [LookupRecord.Entry]
    ) {
        self.assessment = assessment
        self.envelope = envelope
        self.verdict = verdict
        self.review = review
        self.lookups = lookups
        lookupCounts = (lookups.count, lookups.count { $0.reply.source != .server })
        summary = assessment.summary
        removedFields = review?.forged.deleted ?? []
        var fields = assessment.fields(
            settings,
            envelope: envelope,
            allowsUTF8: assessment.allowsUTF8(envelope, headers),
            excuse: verdict.excuse
        )
        if verdict.action == .junk { fields.append(settings.junk) }
        newFields = fields + (review?.forged.kept ?? [])
    }
}

extension Judgement {
    /// The value of Authentication-Results for a message with these fields, whether the field is added or not.
    public func results(_ settings: HeaderSettings, _ headers: HeaderBlock) -> [UInt8] {
        let allowsUTF8 = assessment.allowsUTF8(envelope, headers)
        return assessment.authenticationResults(settings, envelope, allowsUTF8, verdict.excuse)
    }
}
