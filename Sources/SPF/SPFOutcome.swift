public import MailSyntax

/// What came of a check.
///
/// A class, for it holds much and is handed to many.
public final class SPFOutcome: Sendable {
    /// The result.
    public let result: SPFResult
    /// The identity that was checked.
    public let scope: SPFScope
    /// The domain that was checked; nil when the identity has none that is well-formed.
    public let domainName: DomainName?
    /// The record of the domain, where evaluation began; nil when none was found.
    public let record: Octets?
    /// The directive that matched, as it was written; nil when none did.
    public let directive: Octets?
    /// What the domain says to those it rejects: printable US-ASCII, bounded, and not to be trusted.
    public let explanation: String?
    /// Why the result is "none", "temperror" or "permerror".
    public let problemCause: SPFProblem?
    /// How many terms with lookups were counted (RFC 7208 § 4.6.4).
    public let lookups: Int
    /// How many lookups found nothing.
    public let voidLookups: Int
    /// How many questions were asked of the DNS or its cache.
    public let queries: Int
    /// How many of these were known already.
    public let cachedQueries: Int
    private let notes: SPFTrace

    init(
        result: SPFResult,
        scope: SPFScope,
        domainName: DomainName?,
        record: Octets? = nil,
        directive: Octets? = nil,
        explanation: String? = nil,
        problemCause: SPFProblem? = nil,
        lookups: Int = 0,
        voidLookups: Int = 0,
        queries: Int = 0,
        cachedQueries: Int = 0,
        trace: SPFTrace = SPFTrace()
    ) {
        self.result = result
        self.scope = scope
        self.domainName = domainName
        self.record = record
        self.directive = directive
        self.explanation = explanation
        self.problemCause = problemCause
        self.lookups = lookups
        self.voidLookups = voidLookups
        self.queries = queries
        self.cachedQueries = cachedQueries
        notes = trace
    }

    /// What was done, in order.
    public var trace: [SPFTraceStep] { notes.complete }

    /// The domain that was checked, as text.
    public var domain: String? { domainName?.description }

    /// The directive that matched, or `default` when the end of a record was reached (RFC 7208 § 9.1).
    public var mechanism: String? {
        switch result {
        case .pass, .fail, .softfail, .neutral: directive?.printable ?? "default"
        case .none, .temperror, .permerror: nil
        }
    }

    /// Why there is no other result, in one printable line.
    public var problem: String? { problemCause?.description }
}

extension SPFOutcome {
    /// What can be said of a client whose address the MTA does not know: none (RFC 7208 § 2.6.1), for nothing was checked.
    public static func unknownClient(_ scope: SPFScope) -> SPFOutcome {
        SPFOutcome(result: .none, scope: scope, domainName: nil, problemCause: .unknownClient)
    }
}
