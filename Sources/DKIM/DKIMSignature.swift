public import DNSLookup
public import MailSyntax

/// A parsed DKIM-Signature field: its values are unverified claims (RFC 6376 § 3.5).
///
/// Shared by many tasks and large, so a class.
public final class DKIMSignature: Sendable {
    /// A signing algorithm (RFC 6376 § 3.3, RFC 8463 § 3).
    public enum Algorithm: String, Hashable, Sendable {
        /// RSA with SHA-256.
        case rsaSHA256 = "rsa-sha256"
        /// Ed25519 over a SHA-256 digest.
        case ed25519SHA256 = "ed25519-sha256"
        /// RSA with SHA-1, which never passes (RFC 8301 § 3.1).
        case rsaSHA1 = "rsa-sha1"
    }

    /// The algorithm, `a=`.
    public let algorithm: Algorithm
    /// `b=`, decoded.
    public let signature: [UInt8]
    /// `b=` as it was written.
    public let signatureText: Octets
    /// `bh=`, decoded.
    public let bodyHash: [UInt8]
    /// The canonicalization of header and body, `c=`.
    public let canonicalization: CanonicalizationPair
    /// `d=`: the SDID (RFC 6376 § 2.5).
    public let domain: DomainName
    /// `d=` as it was written.
    public let domainText: Octets
    /// `h=`: the names of the signed fields, in their order.
    public let headerNames: [Octets]
    /// `i=`: the AUID (RFC 6376 § 2.6), decoded; `@` and the domain when the tag is absent.
    public let identity: [UInt8]
    /// The domain of `i=`.
    public let identityDomain: DomainName
    /// `l=`: how many octets of the canonical body are signed; nil for all.
    public let length: UInt64?
    /// The selector, `s=`.
    public let selector: DomainName
    /// `s=` as it was written.
    public let selectorText: Octets
    /// `t=`.
    public let timestamp: UnixTime?
    /// `x=`.
    public let expiration: UnixTime?
    /// `z=`: the fields as the signer saw them.
    ///
    /// Use them only to find out what changed.
    public let copiedFields: Octets?
    /// The question for the key: `selector._domainkey.domain TXT` (RFC 6376 § 3.6.2.1).
    public let keyQuestion: DNSQuestion
    /// The field's name, and its value with the value of `b=` removed (RFC 6376 § 3.7).
    package let unsignedField: HeaderField

    /// The maximum length of `b=` in octets: five times a signature by a key of 8,192 bits, to fit white space.
    private static let maximumSignatureLength = 8192

    /// Reads a field of a form from its tags.
    package init(_ field: HeaderField, tags: TagList, as form: Form = .signature) throws(SyntaxError) {
        if form == .signature { try Self.checkVersion(tags["v"]) }
        algorithm = try Self.algorithm(Self.required(tags["a"], "a"))
        signatureText = try Self.required(tags["b"], "b")
        guard signatureText.count <= Self.maximumSignatureLength else { throw .malformed("b") }
        signature = try Self.decode(signatureText, "b")
        bodyHash = form == .seal ? [] : try Self.decode(Self.required(tags["bh"], "bh"), "bh")
        canonicalization = try form == .seal ? .ofSeal : Self.canonicalization(tags["c"])
        domainText = try Self.required(tags["d"], "d")
        domain = try Self.domain(domainText, "d")
        headerNames = try Self.headerNames(tags["h"], form)
        selectorText = try Self.required(tags["s"], "s")
        selector = try Self.name(selectorText, "s")
        keyQuestion = try Self.keyQuestion(selector, domain)
        (identity, identityDomain) = try Self.identity(form == .signature ? tags["i"] : nil, domain, domainText)
        length = form == .seal ? nil : try Self.length(tags["l"])
        timestamp = try Self.time(tags["t"], "t")
        expiration = form == .seal ? nil : try Self.time(tags["x"], "x")
        copiedFields = tags["z"]
        unsignedField = Self.withoutSignature(field, signatureText)
        try Self.checkQueryMethods(tags["q"])
        // RFC 6376 § 3.5: "The value of the "x=" tag MUST be greater than the value of the "t=" tag if both are present."
        if let timestamp, let expiration, expiration <= timestamp { throw .expiresBeforeSigned }
        // RFC 6376 § 6.1.1: "If the "h=" tag does not include the From header field, the Verifier MUST ignore the
        // DKIM-Signature header field and return PERMFAIL (From field not signed)."
        guard form != .signature || signsFrom else { throw .fromNotSigned }
    }

    /// Whether `h=` names the From field.
    package var signsFrom: Bool { headerNames.contains { $0.equalsIgnoringCase("from") } }
}

extension DKIMSignature {
    /// The fields that have the tags of a DKIM-Signature field.
    package enum Form {
        /// DKIM-Signature.
        case signature
        /// ARC-Message-Signature, where `i=` is an instance and there is no `v=` (RFC 8617 § 4.1.2).
        case arcMessageSignature
        /// ARC-Seal, which covers neither the body nor fields of its own choice (RFC 8617 § 4.1.3).
        case seal
    }
}

extension DKIMSignature {
    /// Why a DKIM-Signature field cannot be used (RFC 6376 § 6.1.1).
    public enum SyntaxError: Error, Hashable, Sendable {
        /// The value is not a tag-list.
        case tagList(TagList.SyntaxError)
        /// A required tag is missing.
        case missing(String)
        /// A tag's value does not follow its grammar.
        case malformed(String)
        /// `v=` is not `1`.
        case version
        /// `a=` names an unknown algorithm.
        case algorithm
        /// `q=` names only unknown query methods.
        case queryMethod
        /// `h=` has more names than are read.
        case tooManyNames
        /// `h=` does not contain From.
        case fromNotSigned
        /// The domain of `i=` is neither that of `d=` nor below it.
        case identityOutsideDomain
        /// `x=` is not later than `t=`.
        case expiresBeforeSigned
    }
}

extension DKIMSignature.SyntaxError: CustomStringConvertible {
    /// The reason in words.
    public var description: String {
        switch self {
        case .tagList(.duplicate(let name)): "signature has more than one \(name)= tag"
        case .tagList: "signature is not a tag-list"
        case .missing(let name): "signature missing required tag \(name)="
        case .malformed(let name): "signature has a malformed \(name)= tag"
        case .version: "signature has an incompatible version"
        case .algorithm: "signature algorithm is unknown"
        case .queryMethod: "signature has no known query method"
        case .tooManyNames: "signature has too many names in h="
        case .fromNotSigned: "From field not signed"
        case .identityOutsideDomain: "domain mismatch: i= is not at or below d="
        case .expiresBeforeSigned: "signature expires before it was made"
        }
    }
}
