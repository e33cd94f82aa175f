internal import DNSLookup
public import MailSyntax
public import Policy

/// What was found out about a message, and what is done with it.
///
/// A class, for it holds much and is handed to many.
public final class Judgement: Sendable {
    /// What all checks found.
    public let assessment: MailAssessment
    /// What SMTP said.
    public let envelope: Envelope
    /// What the rules say.
    public let verdict: PolicyVerdict
    /// The fields to add, in the order in which a reader finds them from the top.
    public let newFields: [NewField]
    /// The fields to delete, from the top.
    public let removedFields: [RemovedField]
    /// What in its header keeps the filter from doing what the rules say; nil when nothing does.
    public let obstacle: HeaderObstacle?
    /// The lookups that were made.
    public let lookups: [LookupRecord.Entry]
    /// How many lookups there were, and for how many of them no server was asked.
    public let lookupCounts: (all: Int, cached: Int)
    /// What the checks found, in words.
    public let summary: AssessmentSummary

    /// A judgement, and what follows from it for the message's header.
    ///
    /// - Parameters:
    ///   - assessment: what the checks found.
    ///   - envelope: what SMTP said.
    ///   - verdict: what the rules say.
    ///   - headers: the message's header fields; nil when there is no message.
    ///   - settings: which fields are written and deleted.
    ///   - maximumHeaderOctets: how many octets of header are read; the default is for a header that was not too large.
    ///   - lookups: the lookups that were made.
    public init(
        _ assessment: MailAssessment,
        envelope: Envelope,
        verdict: PolicyVerdict,
        headers: HeaderBlock?,
        settings: HeaderSettings,
        maximumHeaderOctets: Int = .max,
        lookups: [LookupRecord.Entry]
    ) {
        self.assessment = assessment
        self.envelope = envelope
        self.verdict = verdict
        self.lookups = lookups
        lookupCounts = (lookups.count, lookups.count { $0.reply.source != .server })
        summary = assessment.summary
        var forged = ForgedFields(settings)
        if let headers { forged.add(headers) }
        removedFields = forged.deleted
        if let headers, headers.octetCount > maximumHeaderOctets {
            obstacle = .tooLarge
        } else {
            obstacle = removedFields.count > HeaderObstacle.maximumForgedFields ? .tooManyForged : nil
        }
        var fields = assessment.fields(
            settings,
            envelope: envelope,
            allowsUTF8: assessment.allowsUTF8(envelope, headers)
        )
        if verdict.action == .junk { fields.append(settings.junk) }
        newFields = fields + forged.kept
    }
}
