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
    /// The property of the header that keeps the filter from obeying the rules; nil when there is none.
    public let obstacle: HeaderObstacle?
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
    ///   - settings: the fields to write and to delete.
    ///   - maximumHeaderOctets: how many octets of header are read; the default fits a header that was not too large.
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
            allowsUTF8: assessment.allowsUTF8(envelope, headers),
            excuse: verdict.excuse
        )
        if verdict.action == .junk { fields.append(settings.junk) }
        newFields = fields + forged.kept
    }
}

extension Judgement {
    /// The value of Authentication-Results for a message with these fields, whether the field is added or not.
    public func results(_ settings: HeaderSettings, _ headers: HeaderBlock) -> [UInt8] {
        let allowsUTF8 = assessment.allowsUTF8(envelope, headers)
        return assessment.authenticationResults(settings, envelope, allowsUTF8, verdict.excuse)
    }
}
