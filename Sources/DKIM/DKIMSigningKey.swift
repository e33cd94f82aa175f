public import MailCrypto
public import MailSyntax

/// A private key and the names that locate its public half.
public struct DKIMSigningKey: Sendable {
    /// The SDID of signatures with this key (`d=`).
    public let domain: DomainName
    /// The selector (`s=`).
    public let selector: DomainName
    /// The key.
    public let key: PrivateKey

    /// A key with its names.
    ///
    /// RFC 8301 § 3.2: "Signers MUST use RSA keys of at least 1024 bits for all keys". A shorter key, a far longer key,
    /// and a domain of one label are refused.
    public init(domain: DomainName, selector: DomainName, key: PrivateKey) throws(DKIMSigningError) {
        if key.kind == .rsa, !DKIMKeyRecord.modulusBits.contains(key.bits) { throw .keySize(key.bits) }
        guard domain.isHostName, domain.labelCount >= 2 else { throw .domain(domain) }
        guard selector.isHostName else { throw .selector(selector) }
        self.domain = domain
        self.selector = selector
        self.key = key
    }

    /// The algorithm of signatures with this key.
    public var algorithm: DKIMSignature.Algorithm {
        switch key.kind {
        case .rsa: .rsaSHA256
        case .ed25519: .ed25519SHA256
        }
    }

    /// The name where the public key is published: `selector._domainkey.domain` (RFC 6376 § 3.6.2.1).
    public var recordName: DomainName {
        // Both names are valid host names; the only possible error is that they are too long together.
        DomainName(ofKey: selector, at: domain) ?? .root
    }

    /// The text of the TXT record that publishes the key (RFC 6376 § 3.6.1, RFC 8463 § 4).
    public func recordText() throws(CryptoError) -> String {
        try DKIMKeyRecord.text(publishing: key)
    }

    /// The record in zone file format: character-strings of at most 255 octets (RFC 1035 § 3.3.14).
    public func zoneRecord() throws(CryptoError) -> String {
        var rest = try recordText()[...]
        var strings = [String]()
        while !rest.isEmpty {
            strings.append("\"\(rest.prefix(255))\"")
            rest = rest.dropFirst(255)
        }
        let data = strings.count == 1 ? strings.joined() : "( " + strings.joined(separator: "\n    ") + " )"
        return "\(recordName). IN TXT \(data)"
    }
}

extension DKIMKeyRecord {
    /// The text of the TXT record that publishes a key, whatever its name (RFC 6376 § 3.6.1, RFC 8463 § 4).
    public static func text(publishing key: PrivateKey) throws(CryptoError) -> String {
        let octets = Base64.encode(try key.publishedOctets())
        return "v=DKIM1; k=\(key.kind == .rsa ? "rsa" : "ed25519"); p=\(octets[...].text)"
    }
}

/// Why a message is not signed, or a key is not usable.
public enum DKIMSigningError: Error, Hashable, Sendable {
    /// An RSA key of this many bits is not allowed.
    case keySize(Int)
    /// This name cannot be an SDID.
    case domain(DomainName)
    /// This name cannot be a selector.
    case selector(DomainName)
    /// There is no key to sign with.
    case noKey
    /// The message has this many From fields instead of one.
    case authorFields(Int)
    /// `i=` is not at or below the domain of a key (RFC 6376 § 3.5).
    case identityOutsideDomain
    /// The operation with the key failed.
    case crypto(CryptoError)
}

extension DKIMSigningError: CustomStringConvertible {
    /// The reason in words.
    public var description: String {
        switch self {
        case .keySize(let bits): "an RSA key of \(bits) bits; 1024 to 8192 are allowed"
        case .domain(let name): "\(name) cannot be the domain of a signature"
        case .selector(let name): "\(name) cannot be a selector"
        case .noKey: "no key to sign with"
        case .authorFields(let count): "the message has \(count) From fields"
        case .identityOutsideDomain: "the identity is not at or below the domain of the key"
        case .crypto(let error): "the key \(error)"
        }
    }
}
