/// The form of a message in which it is hashed (RFC 6376 § 3.4).
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

extension CanonicalizationPair {
    /// RFC 8617 § 4.1.3: an ARC-Seal uses "only "relaxed" header field canonicalization".
    static let ofSeal = CanonicalizationPair(header: .relaxed, body: .relaxed)
}

extension CanonicalizationPair: CaseIterable, LosslessStringConvertible {
    /// All pairs, the most tolerant first.
    public static let allCases = [Canonicalization.relaxed, .simple].flatMap { header in
        [Canonicalization.relaxed, .simple].map { CanonicalizationPair(header: header, body: $0) }
    }

    /// The value of a `c=` tag.
    public var description: String { "\(header.rawValue)/\(body.rawValue)" }

    /// Reads the value of a `c=` tag; nil for anything else.
    public init?(_ text: String) {
        let halves = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard halves.count <= 2, let header = halves.first.flatMap(Canonicalization.init(rawValue:)),
            // RFC 6376 § 3.5, c=: without a body algorithm it is "simple".
            let body = halves.count == 2 ? Canonicalization(rawValue: halves[1]) : .simple
        else { return nil }
        self.init(header: header, body: body)
    }
}
