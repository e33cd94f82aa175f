public import MailSyntax

/// The way that CNAME records lead from a name (RFC 1034 § 3.6.2).
public struct AliasPath: Hashable, Sendable {
    /// How many records are followed: as many as unbound 1.17 and dnspython 2.3 do.
    ///
    /// RFC 1034 § 3.6.2 asks that chains be followed, and § 7.1 that there be a bound on the work.
    public static let longest = 15

    /// The names on the way, that of the question first.
    private var names: [DomainName]

    /// A way that begins at a name.
    public init(from name: DomainName) {
        names = [name]
    }

    /// How many records have been followed.
    public var count: Int { names.count - 1 }

    /// Follows one more record, unless that leads in a circle or too far.
    public mutating func follow(_ target: DomainName) throws(DNSLookupError) {
        guard !names.contains(target) else { throw .aliasLoop }
        guard count < Self.longest else { throw .tooManyAliases }
        names.append(target)
    }
}
