internal import MailCrypto
package import MailSyntax

/// The fields in which a message is signed as RFC 6376 § 3 says.
package enum SignatureField {
    /// DKIM-Signature.
    case dkimSignature
    /// ARC-Message-Signature of an instance: without `v=`, and with the instance in `i=` (RFC 8617 § 4.1.2).
    case arcMessageSignature(instance: Int)

    /// The name of the field.
    package var name: String {
        switch self {
        case .dkimSignature: "DKIM-Signature"
        case .arcMessageSignature: "ARC-Message-Signature"
        }
    }

    /// The tag that only this field has.
    var firstTag: String {
        switch self {
        case .dkimSignature: "v=1;"
        case .arcMessageSignature(let instance): "i=\(instance);"
        }
    }
}

/// Hashes one message while it streams through, and writes signatures up to `b=` (RFC 6376 § 5).
///
/// Copies share the running hash, so only one copy may continue.
package struct SignatureMaker {
    /// The most names that `h=` gets, fewer than verifiers read.
    static let maximumHeaderNames = 200

    private let options: DKIMSigningOptions
    private let now: UnixTime
    private var headers = HeaderBlock()
    private var hasher: BodyHasher

    /// A maker for a message that is sent at `now`.
    package init(_ options: DKIMSigningOptions, now: UnixTime) {
        self.options = options
        self.now = now
        hasher = BodyHasher(BodyHasher.Form(canonicalization: options.canonicalization.body, length: nil))
    }

    /// Takes the header fields.
    package mutating func endOfHeaders(_ headers: HeaderBlock) { self.headers = headers }

    /// Takes the next octets of the body, cut at any place.
    package mutating func body(_ chunk: UnsafeRawBufferPointer) { unsafe hasher.update(chunk) }

    /// Ends the body and computes everything except the signatures themselves, one for each key.
    package mutating func prepare(
        _ keys: [DKIMSigningKey],
        as field: SignatureField
    ) throws(DKIMSigningError) -> [DKIMPreparedSignature] {
        // RFC 5322 § 3.6 allows one From field. With several, readers may show one and verifiers judge another.
        let authors = headers.fields(named: "From").count
        guard authors == 1 else { throw .authorFields(authors) }
        hasher.finish()
        let fields = SignedFields(headers)
        let names = headerNames()
        let signed = fields.fields(at: fields.indices(of: names.map { Octets($0) }, excluding: nil))
        var prepared = [DKIMPreparedSignature]()
        for key in keys {
            let value = try unsignedValue(key, names, field)
            let own = HeaderField(name: Octets(field.name), value: value[...])
            let form = SignedFields.canonicalForm(signed, own: own, options.canonicalization.header)
            prepared.append(
                DKIMPreparedSignature(
                    key: key,
                    digest: SHA256Hasher.digest(form),
                    unsignedValue: value,
                    foldsWithLF: options.foldsWithLF
                )
            )
        }
        return prepared
    }

    /// Fields that no MTA on the way adds when they are missing.
    ///
    /// An MTA may add any other field: the next server adds Date and Message-ID (RFC 6409 § 8), and a server that
    /// requires a recipient adds To. A signature that says "there is none" would break.
    private static let alwaysThere: Set<String> = ["from", "subject"]

    /// The names for `h=`: each as often as its field occurs, and oversigned names once more.
    private func headerNames() -> [String] {
        var names = [String]()
        let oversigned = Set(options.oversign.map { $0.lowercased() })
        let wanted =
            options.headers
            + options.oversign.filter { name in
                !options.headers.contains { $0.lowercased() == name.lowercased() }
            }
        // RFC 6376 § 5.4: "The From header field MUST be signed".
        for name in wanted.contains(where: { $0.lowercased() == "from" }) ? wanted : ["From"] + wanted {
            let octets = Octets(name)
            let present = headers.indices.count { headers.hasName(octets, at: $0) }
            let isGuarded = present > 0 || Self.alwaysThere.contains(name.lowercased())
            let count = present + (isGuarded && oversigned.contains(name.lowercased()) ? 1 : 0)
            names += Array(repeating: name, count: min(count, Self.maximumHeaderNames - names.count))
        }
        return names
    }

    /// The value of the field up to and including `b=`, folded with CRLF.
    private func unsignedValue(
        _ key: DKIMSigningKey,
        _ names: [String],
        _ field: SignatureField
    ) throws(DKIMSigningError) -> [UInt8] {
        var value = FoldedTags(fieldName: field.name)
        value.add(field.firstTag)
        value.add("a=\(key.algorithm.rawValue);")
        value.add("c=\(options.canonicalization);")
        value.add("d=\(key.domain);")
        value.add("s=\(key.selector);")
        value.add("t=\(now);")
        if let lifetime = options.lifetime {
            let end = now + max(1, lifetime)
            if end < .end { value.add("x=\(end);") }
        }
        if let identity = options.identity { value.add("i=\(try encoded(identity, for: key));") }
        for (index, name) in names.enumerated() {
            value.add((index == 0 ? "h=" : "") + name + (index == names.count - 1 ? ";" : ":"), apart: index == 0)
        }
        value.add("bh=\(Base64.encode(hasher.digest(nil))[...].text);")
        value.add("b=")
        return value.octets
    }

    /// The identity in dkim-quoted-printable (RFC 6376 § 2.11), if it belongs to the domain of the key.
    ///
    /// RFC 6376 § 3.5, i=: "Internationalized domain names MUST be represented as A-labels".
    private func encoded(_ identity: String, for key: DKIMSigningKey) throws(DKIMSigningError) -> String {
        guard let at = identity.lastIndex(of: "@"),
            let domain = try? DomainName(unicode: Octets(String(identity[identity.index(after: at)...]))),
            domain.isEqualOrSubdomain(of: key.domain)
        else { throw .identityOutsideDomain }
        var text = ""
        for octet in identity[...at].utf8 {
            if octet.isVChar, octet != UInt8(ascii: "="), octet != UInt8(ascii: ";") {
                text.unicodeScalars.append(Unicode.Scalar(octet))
            } else {
                let digits = String(octet, radix: 16, uppercase: true)
                text += "=" + (digits.utf8.count == 1 ? "0" : "") + digits
            }
        }
        return text + domain.description
    }
}
