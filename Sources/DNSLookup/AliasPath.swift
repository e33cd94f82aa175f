public import MailSyntax

/// The path of CNAME records that starts at a name (RFC 1034 § 3.6.2).
public struct AliasPath: Hashable, Sendable {
    /// The most records that are followed, as in unbound 1.17 and dnspython 2.3.
    ///
    /// RFC 1034 § 3.6.2 requires following chains, and § 7.1 requires a bound on the work.
    public static let longest = 15

    /// The names on the path; the first is the name of the question.
    private var names: [DomainName]

    /// A path that begins at a name.
    public init(from name: DomainName) {
        names = [name]
    }

    /// The number of records that have been followed.
    public var count: Int { names.count - 1 }

    /// Follows one more record; throws when the record leads in a circle or the path becomes too long.
    public mutating func follow(_ target: DomainName) throws(DNSLookupError) {
        guard !names.contains(target) else { throw .aliasLoop }
        guard count < Self.longest else { throw .tooManyAliases }
        names.append(target)
    }
}
