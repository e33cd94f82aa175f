public import MailSyntax

/// A set of domain names: single names, and everything below a name.
public struct DomainSet: Sendable {
    private var exact: Set<DomainName> = []
    private var below: Set<DomainName> = []
    private var deepest = 0

    /// An empty set.
    public init() {}

    /// Whether the set is empty.
    public var isEmpty: Bool { exact.isEmpty && below.isEmpty }
    /// The number of entries.
    public var count: Int { exact.count + below.count }

    /// The single names.
    var names: Set<DomainName> { exact }
    /// The names below which all are in the set.
    public var parents: Set<DomainName> { below }

    /// Adds a name, or, with a leading dot, all names below it; U-labels are converted.
    public mutating func insert(_ text: String) throws(DomainName.SyntaxError) {
        let octets = Octets(text)
        if octets.first == UInt8(ascii: ".") {
            let name = try DomainName(unicode: octets.dropFirst())
            below.insert(name)
            deepest = max(deepest, name.labelCount)
        } else {
            exact.insert(try DomainName(unicode: octets))
        }
    }

    /// Adds the entries of another set.
    public mutating func formUnion(_ other: DomainSet) {
        exact.formUnion(other.exact)
        below.formUnion(other.below)
        deepest = max(deepest, other.deepest)
    }

    /// Whether a name is in the set.
    public func contains(_ name: DomainName) -> Bool {
        if exact.contains(name) { return true }
        guard !below.isEmpty else { return false }
        // A name is not below itself, and no entry has more labels than the deepest.
        var parent = name.suffix(min(deepest, name.labelCount - 1))
        while !parent.wire.isEmpty {
            if below.contains(parent) { return true }
            guard let next = parent.parent else { break }
            parent = next
        }
        return false
    }

    /// Whether all names in `other` are in this set.
    public func isSuperset(of other: DomainSet) -> Bool {
        other.exact.allSatisfy(contains)
            && other.below.allSatisfy { name in
                below.contains(name) || below.contains { name.isSubdomain(of: $0) }
            }
    }
}
