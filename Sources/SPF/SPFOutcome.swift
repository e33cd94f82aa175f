public import MailSyntax

/// The outcome of a check.
///
/// Shared by many tasks and large, so a class.
public final class SPFOutcome: Sendable {
    /// The result.
    public let result: SPFResult
    /// The identity that was checked.
    public let scope: SPFScope
    /// The domain that was checked; nil when the identity has no well-formed domain.
    public let domainName: DomainName?
    /// The record of the domain, the first one evaluated; nil when none was found.
    public let record: Octets?
    /// The directive that matched, as it was written; nil when no directive matched.
    public let directive: Octets?
    /// Whether the result is "pass" by a term that nearly every client matches.
    public let isOpen: Bool
    /// The domain's message to rejected senders: printable US-ASCII, of limited length, and not to be trusted.
    public let explanation: String?
    /// Why the result is "none", "temperror" or "permerror".
    public let problemCause: SPFProblem?
    /// How many terms with lookups were counted (RFC 7208 § 4.6.4).
    public let lookups: Int
    /// How many lookups found nothing.
    public let voidLookups: Int
    /// How many questions were asked of the DNS or its cache.
    public let queries: Int
    /// How many of these questions the cache answered.
    public let cachedQueries: Int
    private let notes: SPFTrace

    init(
        result: SPFResult,
        scope: SPFScope,
        domainName: DomainName?,
        record: Octets? = nil,
        directive: Octets? = nil,
        isOpen: Bool = false,
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
        self.isOpen = isOpen
        self.explanation = explanation
        self.problemCause = problemCause
        self.lookups = lookups
        self.voidLookups = voidLookups
        self.queries = queries
        self.cachedQueries = cachedQueries
        notes = trace
    }

    /// The steps of the evaluation, in order.
    public var trace: [SPFTraceStep] { notes.complete }

    /// The domain that was checked, as text.
    public var domain: String? { domainName?.description }

    /// The directive that matched, or `default` when the end of a record was reached (RFC 7208 § 9.1).
    public var mechanism: String? { mechanismOctets?.printable }

    /// The same as it was written, without a copy.
    public var mechanismOctets: Octets? {
        switch result {
        case .pass, .fail, .softfail, .neutral: directive ?? Self.end
        case .none, .temperror, .permerror: nil
        }
    }

    private static let end = Octets("default")

    /// The reason for "none", "temperror" or "permerror", in one printable line.
    public var problem: String? { problemCause?.description }
}

extension SPFOutcome {
    /// The outcome for a client whose address the MTA does not know: "none" (RFC 7208 § 2.6.1).
    ///
    /// Nothing was checked.
    public static func unknownClient(_ scope: SPFScope) -> SPFOutcome {
        SPFOutcome(result: .none, scope: scope, domainName: nil, problemCause: .unknownClient)
    }

    /// The outcome that another host of our own reports; nothing was checked here.
    public convenience init(reported result: SPFResult, _ scope: SPFScope, domainName: DomainName?) {
        self.init(result: result, scope: scope, domainName: domainName)
    }
}
