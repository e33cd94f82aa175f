internal import MailCrypto
public import MailSyntax

/// Signs one message while it streams through (RFC 6376 § 5).
///
///     var signer = DKIMMessageSigner(keys: keys, options: options, now: now)
///     signer.endOfHeaders(headers)
///     for chunk in body { signer.body(chunk) }
///     for value in try signer.finish() { insert("DKIM-Signature", value) }
///
/// It does no I/O and reads no clock. Copies share the running hash, so only one copy may continue.
public struct DKIMMessageSigner {
    /// The most names that `h=` gets, fewer than verifiers read.
    static let maximumHeaderNames = 200

    private let keys: [DKIMSigningKey]
    private let options: DKIMSigningOptions
    private let now: UnixTime
    private var headers = HeaderBlock()
    private var hasher: BodyHasher
    private var lint = TransportLint()

    /// A signer for a message that is sent at `now`; each key makes one signature.
    public init(keys: [DKIMSigningKey], options: DKIMSigningOptions = DKIMSigningOptions(), now: UnixTime) {
        self.keys = keys
        self.options = options
        self.now = now
        hasher = BodyHasher(BodyHasher.Form(canonicalization: options.canonicalization.body, length: nil))
    }

    /// Takes the header fields, including those that the MTA adds before it sends the message.
    public mutating func endOfHeaders(_ headers: HeaderBlock) {
        self.headers = headers
        lint.header(headers)
    }

    /// Takes the next octets of the body, cut at any place.
    public mutating func body(_ chunk: UnsafeRawBufferPointer) {
        unsafe hasher.update(chunk)
        unsafe lint.body(chunk)
    }

    /// The content that an MTA on the way may rewrite, which would break the signature (RFC 6376 § 5.3).
    public var warnings: [DKIMSigningWarning] { lint.warnings }

    /// Ends the body and computes everything except the signatures themselves, which take most of the time.
    public mutating func prepare() throws(DKIMSigningError) -> [DKIMPreparedSignature] {
        guard !keys.isEmpty else { throw .noKey }
        // RFC 5322 § 3.6 allows one From field. With several, readers may show one and verifiers judge another.
        let authors = headers.fields(named: "From").count
        guard authors == 1 else { throw .authorFields(authors) }
        hasher.finish()
        let fields = SignedFields(headers)
        let names = headerNames()
        let signed = fields.fields(at: fields.indices(of: names.map { Octets($0) }, excluding: nil))
        var prepared = [DKIMPreparedSignature]()
        for key in keys {
            let value = try unsignedValue(key, names)
            let own = HeaderField(name: Octets(DKIMPreparedSignature.fieldName), value: value[...])
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

    /// Ends the body and returns the values of the DKIM-Signature fields, with leading space, one for each key.
    ///
    /// The fields go above all other fields, in any order.
    public mutating func finish() throws(DKIMSigningError) -> [[UInt8]] {
        var values = [[UInt8]]()
        for signature in try prepare() { values.append(try signature.fieldValue()) }
        return values
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
    private func unsignedValue(_ key: DKIMSigningKey, _ names: [String]) throws(DKIMSigningError) -> [UInt8] {
        var value = FoldedTags()
        value.add("v=1;")
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

/// A signature that is complete except for the operation with the private key, which may run on any thread.
public struct DKIMPreparedSignature: Sendable {
    /// The name of the field.
    public static let fieldName = "DKIM-Signature"

    /// The key that will sign.
    public let key: DKIMSigningKey
    let digest: [UInt8]
    let unsignedValue: [UInt8]
    let foldsWithLF: Bool

    /// The value of the field, with leading space.
    public func fieldValue() throws(DKIMSigningError) -> [UInt8] {
        let signature: [UInt8]
        do throws(CryptoError) {
            signature = try key.key.sign(digest: digest)
        } catch {
            throw .crypto(error)
        }
        var value = FoldedTags(octets: unsignedValue)
        value.addBroken(Base64.encode(signature))
        return foldsWithLF ? value.octets.filter { $0 != .cr } : value.octets
    }
}

/// Writes tags into lines of at most 78 octets where possible (RFC 5322 § 2.1.1).
private struct FoldedTags {
    private(set) var octets: [UInt8] = []
    /// The length of the current line in octets; the first line begins with the name of the field.
    private var column = DKIMPreparedSignature.fieldName.utf8.count + 1

    init() {}

    /// Continues, on a new line, after octets whose last line has an unknown length.
    init(octets: [UInt8]) {
        self.octets = octets
        column = octets.count - (octets.lastIndex(of: .lf) ?? -1)
    }

    /// Adds text that must not be broken; with a space before it if `apart`.
    mutating func add(_ text: String, apart: Bool = true) {
        let length = text.utf8.count + (apart ? 1 : 0)
        if column + length > 78, column > 1 {
            fold()
        } else if apart {
            octets.append(.space)
            column += 1
        }
        octets.append(text)
        column += text.utf8.count
    }

    /// Adds text that may be broken at any place.
    mutating func addBroken(_ text: [UInt8]) {
        var rest = text[...]
        while !rest.isEmpty {
            if column >= 78 { fold() }
            let part = rest.prefix(78 - column)
            octets.append(contentsOf: part)
            column += part.count
            rest = rest.dropFirst(part.count)
        }
    }

    private mutating func fold() {
        octets.append(contentsOf: [.cr, .lf, .tab])
        column = 1
    }
}
