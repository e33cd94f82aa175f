public import MailSyntax

/// The bounds of an evaluation, and who makes it.
public struct SPFOptions: Hashable, Sendable {
    /// How many terms that query the DNS an evaluation may come to (RFC 7208 § 4.6.4); 100 at most.
    public var maximumTerms = 10
    /// How many terms may find nothing (RFC 7208 § 4.6.4, "void lookups").
    public var maximumVoidLookups = 2
    /// How many questions an evaluation may ask, those asked ahead included.
    ///
    /// The default leaves room for all that the RFC's own limits allow (ten "mx" terms with ten hosts each), so it changes
    /// no result; what is left above that may be asked ahead of need.
    public var maximumQueries = 160
    /// How many octets of an explanation are kept.
    public var maximumExplanationOctets = 500
    /// The name of the host that checks, for `%{r}` (RFC 7208 § 7.3).
    public var receiver = Octets("unknown")

    /// The RFC's limits.
    public init() {}

    /// The bound that holds for terms.
    var terms: Int { min(maximumTerms, Self.termsCeiling) }

    /// How many questions may be started before it is known that they are needed.
    ///
    /// What in-order evaluation can come to is kept free: the record, the explanation, ten names of the client, and for
    /// each term its question and ten hosts.
    var queriesAhead: Int { max(0, maximumQueries - (12 + 11 * max(0, terms + 1))) }

    /// More terms than this are never evaluated, whatever the options say: it also bounds recursion.
    static let termsCeiling = 100
}
