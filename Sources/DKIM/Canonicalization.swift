/// How a message is brought into one form before it is hashed (RFC 6376 § 3.4).
public enum Canonicalization: String, Hashable, Sendable, CaseIterable {
    /// Almost no change is tolerated.
    case simple
    /// White space and the case of field names may change.
    case relaxed
}

/// The two halves of a `c=` tag.
public struct CanonicalizationPair: Hashable, Sendable {
    /// For the header fields.
    public var header: Canonicalization
    /// For the body.
    public var body: Canonicalization

    /// A pair from its halves.
    public init(header: Canonicalization, body: Canonicalization) {
        self.header = header
        self.body = body
    }
}

extension CanonicalizationPair: CustomStringConvertible {
    /// The value of a `c=` tag.
    public var description: String { "\(header.rawValue)/\(body.rawValue)" }
}
