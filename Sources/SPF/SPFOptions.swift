public import MailSyntax

/// The limits of an evaluation, and the name of the host that makes it.
public struct SPFOptions: Hashable, Sendable {
    /// The most terms with DNS queries that an evaluation may reach (RFC 7208 § 4.6.4); at most 100.
    public var maximumTerms = 10
    /// The most terms that may find nothing (RFC 7208 § 4.6.4, "void lookups").
    public var maximumVoidLookups = 2
    /// The most questions that an evaluation may ask, those asked ahead included.
    ///
    /// The default leaves room for everything that the RFC's own limits allow (ten "mx" terms with ten hosts each), so
    /// it changes no result. The rest may be used for questions asked ahead of need.
    public var maximumQueries = 160
    /// The most octets of an explanation that are kept.
    public var maximumExplanationOctets = 500
    /// The name of the host that checks, for `%{r}` (RFC 7208 § 7.3).
    public var receiver = Octets("unknown")

    /// The RFC's limits.
    public init() {}

    /// The limit for terms that is in force.
    var terms: Int { min(maximumTerms, Self.termsCeiling) }

    /// How many questions may be asked before it is known that their answers are needed.
    ///
    /// The rest is reserved for in-order evaluation: the record, the explanation, ten names of the client, and for each
    /// term its question and ten hosts.
    var queriesAhead: Int { max(0, maximumQueries - (12 + 11 * max(0, terms + 1))) }

    /// The most terms that are ever evaluated, whatever the options say: this limit also bounds recursion.
    static let termsCeiling = 100
}
