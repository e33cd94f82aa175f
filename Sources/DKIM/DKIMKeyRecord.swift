internal import DNSLookup
public import MailCrypto
public import MailSyntax

/// A public key and its conditions, as a TXT record publishes them (RFC 6376 § 3.6.1).
public struct DKIMKeyRecord: Sendable {
    /// The content of `p=`.
    public enum Key: Sendable {
        /// A key that can verify signatures.
        case usable(PublicKey)
        /// An empty `p=`: the key was revoked.
        case revoked
        /// A key that cannot be used, and why.
        case unusable(CryptoError)
    }

    /// Why a record is not a key record.
    public enum SyntaxError: Error, Hashable, Sendable {
        /// The text is not a tag-list.
        case tagList(TagList.SyntaxError)
        /// `v=` is not `DKIM1`.
        case version
        /// There is no `p=`.
        case missingKey
        /// `k=` names an unknown key type.
        case keyType
        /// `p=` is not base64.
        case malformedKey
    }

    /// The key, from `k=` and `p=`.
    public let key: Key
    /// The kind of key that `k=` names.
    public let kind: PublicKey.Kind
    /// Whether `h=` allows SHA-256; without `h=` it does.
    public let allowsSHA256: Bool
    /// Whether `s=` allows using the key for mail; without `s=` it does.
    public let allowsEmail: Bool
    /// `t=y`: the domain is testing DKIM.
    public let isTesting: Bool
    /// `t=s`: `i=` must have exactly the domain of `d=`.
    public let requiresExactDomain: Bool

    /// The lengths of an RSA modulus that may reach OpenSSL: longer keys cost too much.
    ///
    /// RFC 8301 § 3.2: "Verifiers MUST NOT consider signatures using RSA keys of less than 1024 bits as valid signatures."
    public static let modulusBits = 1024...8192

    /// Reads a record.
    public init(_ text: Octets) throws(SyntaxError) {
        let tags: TagList
        do throws(TagList.SyntaxError) {
            // RFC 6376 § 3.2 requires a tag between any two semicolons. We ignore an empty tag, as readers of DMARC
            // records must: it means nothing, and only the domain's owner can have written it. (opendkim and dkimpy do
            // not ignore it.)
            tags = try TagList(text, skippingEmpty: true)
        } catch {
            throw .tagList(error)
        }
        // RFC 6376 § 3.6.1: "Records beginning with a "v=" tag with any other value MUST be discarded." It also
        // requires `v=` to come first. Wherever `v=` is, it marks a DKIM record; opendkim and dkimpy agree.
        if let version = tags["v"], !version.elementsEqual("DKIM1".utf8) { throw .version }
        guard let encoded = tags["p"] else { throw .missingKey }
        kind = try Self.kind(tags["k"])
        key = try Self.key(encoded, kind)
        allowsSHA256 = Self.contains(tags["h"], "sha256", orAbsent: true)
        allowsEmail = Self.contains(tags["s"], "*", orAbsent: true) || Self.contains(tags["s"], "email", orAbsent: true)
        isTesting = Self.contains(tags["t"], "y", orAbsent: false)
        requiresExactDomain = Self.contains(tags["t"], "s", orAbsent: false)
        // RFC 6376 § 3.2: "Unrecognized tags MUST be ignored"; `g=` of RFC 4871 § 3.6.1 is now one of them.
    }

    private static func kind(_ value: Octets?) throws(SyntaxError) -> PublicKey.Kind {
        // RFC 6376 § 3.6.1: `k=` is "rsa" when absent; "Unrecognized key types MUST be ignored." RFC 8463 § 4: "ed25519".
        guard let value, !value.equalsIgnoringCase("rsa") else { return .rsa }
        guard value.equalsIgnoringCase("ed25519") else { throw .keyType }
        return .ed25519
    }

    private static func key(_ encoded: Octets, _ kind: PublicKey.Kind) throws(SyntaxError) -> Key {
        // RFC 6376 § 3.6.1: "An empty value means that this public key has been revoked."
        guard !encoded.isEmpty else { return .revoked }
        guard let octets = Base64.decode(encoded) else { throw .malformedKey }
        do throws(CryptoError) {
            switch kind {
            case .rsa: return .usable(try PublicKey(rsa: octets[...], modulusBits: modulusBits))
            case .ed25519: return .usable(try PublicKey(ed25519: octets[...]))
            }
        } catch {
            return .unusable(error)
        }
    }

    /// Whether a colon-separated list contains a word.
    ///
    /// RFC 6376 § 3.6.1: unrecognized words in `h=`, `s=` and `t=` are ignored.
    private static func contains(_ list: Octets?, _ word: StaticString, orAbsent: Bool) -> Bool {
        guard let list else { return orAbsent }
        return list.split(separator: UInt8(ascii: ":")).contains { $0.trimmed.equalsIgnoringCase(word) }
    }
}

/// The key records of an answer, parsed once and kept with the answer.
struct DKIMKeyRecords: Sendable {
    /// How many records of one answer are read.
    ///
    /// A name under `_domainkey` may be an alias of a name with other texts, and a wildcard gives it the domain's.
    static let maximumRecords = 16

    /// The records that are key records.
    let records: [DKIMKeyRecord]
    /// Why the first record that is not a key record was rejected.
    let firstError: DKIMKeyRecord.SyntaxError?

    init(_ answer: DNSAnswer) {
        var records = [DKIMKeyRecord]()
        var firstError: DKIMKeyRecord.SyntaxError?
        for text in answer.texts.prefix(Self.maximumRecords) {
            do throws(DKIMKeyRecord.SyntaxError) {
                records.append(try DKIMKeyRecord(text[...]))
            } catch {
                firstError = firstError ?? error
            }
        }
        self.records = records
        self.firstError = firstError
    }
}
