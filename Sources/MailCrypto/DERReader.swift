/// Reads the few DER forms that public keys use (X.690): definite lengths, one-octet tags.
struct DERReader {
    private var rest: ArraySlice<UInt8>

    init(_ octets: ArraySlice<UInt8>) { rest = octets }

    /// Whether everything has been read.
    var isAtEnd: Bool { rest.isEmpty }

    /// The tag of the next element.
    var nextTag: UInt8? { rest.first }

    /// The content of the next element if it has this tag; otherwise nil, and nothing is read.
    mutating func read(_ tag: UInt8) -> ArraySlice<UInt8>? {
        var input = rest
        guard input.popFirst() == tag, let first = input.popFirst() else { return nil }
        var length = Int(first)
        if first >= 0x80 {
            // Two length octets reach 65,535, more than any DNS record can have.
            let octets = Int(first & 0x7F)
            guard octets >= 1, octets <= 2, input.count >= octets else { return nil }
            length = input.prefix(octets).reduce(0) { $0 << 8 | Int($1) }
            input = input.dropFirst(octets)
        }
        guard input.count >= length else { return nil }
        rest = input.dropFirst(length)
        return input.prefix(length)
    }

    static let integer: UInt8 = 0x02
    static let bitString: UInt8 = 0x03
    static let null: UInt8 = 0x05
    static let objectIdentifier: UInt8 = 0x06
    static let sequence: UInt8 = 0x30
}

/// An RSAPublicKey (RFC 8017 appendix A.1.1), parsed but not yet passed to OpenSSL.
struct RSAPublicKeyForm {
    /// The DER octets of the RSAPublicKey itself.
    let encoded: ArraySlice<UInt8>
    /// The number of significant bits in the modulus.
    let bits: Int
    /// The exponent without leading zero octets.
    let exponent: ArraySlice<UInt8>

    /// 1.2.840.113549.1.1.1, rsaEncryption.
    static let rsaEncryption: [UInt8] = [0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01]

    /// Reads an RSAPublicKey, bare or inside a SubjectPublicKeyInfo (RFC 5280 § 4.1).
    init?(_ octets: ArraySlice<UInt8>) {
        var outer = DERReader(octets)
        guard let content = outer.read(DERReader.sequence), outer.isAtEnd else { return nil }
        var inner = DERReader(content)
        if inner.nextTag == DERReader.integer {
            self.init(numbers: &inner, encoded: octets)
            return
        }
        guard let algorithm = inner.read(DERReader.sequence) else { return nil }
        var identifier = DERReader(algorithm)
        guard let object = identifier.read(DERReader.objectIdentifier), object.elementsEqual(Self.rsaEncryption),
            let bits = inner.read(DERReader.bitString), inner.isAtEnd, bits.first == 0
        else { return nil }
        let key = bits.dropFirst()
        var nested = DERReader(key)
        guard let numbers = nested.read(DERReader.sequence), nested.isAtEnd else { return nil }
        var reader = DERReader(numbers)
        self.init(numbers: &reader, encoded: key)
    }

    private init?(numbers: inout DERReader, encoded: ArraySlice<UInt8>) {
        guard let modulus = numbers.read(DERReader.integer), let exponent = numbers.read(DERReader.integer),
            numbers.isAtEnd, let modulusSign = modulus.first, modulusSign < 0x80,
            let exponentSign = exponent.first, exponentSign < 0x80
        else { return nil }
        let significant = modulus.drop { $0 == 0 }
        self.encoded = encoded
        self.bits = significant.count * 8 - (significant.first?.leadingZeroBitCount ?? 0)
        self.exponent = exponent.drop { $0 == 0 }
    }

    /// The number of significant bits in the exponent.
    var exponentBits: Int { exponent.count * 8 - (exponent.first?.leadingZeroBitCount ?? 0) }

    /// Whether the exponent is odd, at least three, and below 2³².
    ///
    /// Signers use 65537, rarely 3. Verification takes time in proportion to the exponent's length, and RFC 8017 sets
    /// no limit below the modulus.
    var hasUsableExponent: Bool {
        guard let last = exponent.last, last & 1 == 1, exponent.count <= 4 else { return false }
        return exponent.count > 1 || last >= 3
    }
}
