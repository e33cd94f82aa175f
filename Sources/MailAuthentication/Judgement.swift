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
    /// The lookups that were made.
    public let lookups: [LookupRecord.Entry]
    /// How many lookups there were, and for how many of them no server was asked.
    public let lookupCounts: (all: Int, cached: Int)
    /// What the checks found, in words.
    public let summary: AssessmentSummary

    /// How many deleted fields stay readable under another name.
    private static let mostKept = 10

    /// A judgement, and what follows from it for the message's header.
    ///
    /// - Parameters:
    ///   - assessment: what the checks found.
    ///   - envelope: what SMTP said.
    ///   - verdict: what the rules say.
    ///   - headers: the message's header fields; nil when there is no message.
    ///   - settings: which fields are written and deleted.
    ///   - lookups: the lookups that were made.
    public init(
        _ assessment: MailAssessment,
        envelope: Envelope,
        verdict: PolicyVerdict,
        headers: HeaderBlock?,
        settings: HeaderSettings,
        lookups: [LookupRecord.Entry]
    ) {
        self.assessment = assessment
        self.envelope = envelope
        self.verdict = verdict
        self.lookups = lookups
        lookupCounts = (lookups.count, lookups.count { $0.reply.source != .server })
        summary = assessment.summary
        removedFields = headers.map { settings.forged(in: $0) } ?? []
        var fields = assessment.fields(settings, envelope: envelope)
        if verdict.action == .junk { fields.append(settings.junk) }
        if settings.keepsRemoved { fields += removedFields.lazy.compactMap(NewField.init(kept:)).prefix(Self.mostKept) }
        newFields = fields
    }
}

extension NewField {
    /// A deleted Authentication-Results field under a name that nobody trusts; nil for other fields.
    fileprivate init?(kept field: RemovedField) {
        guard field.name.equalsIgnoringCase("Authentication-Results") else { return nil }
        let text = field.value.trimmed.filter { $0 != 0x0D && $0 != 0x0A }.map { $0.isWSP ? 0x20 : $0 }
        // A line of the RFC's length, with room for the name.
        self.init(name: "X-Received-Authentication-Results", value: FieldText.printable(text[...], limit: 900))
    }
}
