internal import DNSLookup
public import MailSyntax

extension DKIMSignature {
    /// The most names that are read in `h=`.
    public static let maximumHeaderNames = 256

    /// Reads a DKIM-Signature field.
    public convenience init(_ field: HeaderField) throws(SyntaxError) {
        try self.init(field, tags: Self.tags(field))
    }

    package static func tags(_ field: HeaderField) throws(SyntaxError) -> TagList {
        do throws(TagList.SyntaxError) {
            return try TagList(field.value)
        } catch {
            throw .tagList(error)
        }
    }

    static func checkVersion(_ value: Octets?) throws(SyntaxError) {
        // RFC 6376 § 6.1.1: "Verifiers MUST return PERMFAIL (incompatible version) when presented with ... an
        // inconsistent "v=" tag". We treat a missing required tag in the same way.
        guard let value else { throw .missing("v") }
        guard value.elementsEqual([UInt8(ascii: "1")]) else { throw .version }
    }

    static func required(_ value: Octets?, _ name: String) throws(SyntaxError) -> Octets {
        guard let value else { throw .missing(name) }
        guard !value.isEmpty else { throw .malformed(name) }
        return value
    }

    static func decode(_ value: Octets, _ name: String) throws(SyntaxError) -> [UInt8] {
        guard let octets = Base64.decode(value), !octets.isEmpty else { throw .malformed(name) }
        return octets
    }

    static func algorithm(_ value: Octets) throws(SyntaxError) -> Algorithm {
        if value.equalsIgnoringCase("rsa-sha256") { return .rsaSHA256 }
        if value.equalsIgnoringCase("ed25519-sha256") { return .ed25519SHA256 }
        guard value.equalsIgnoringCase("rsa-sha1") else { throw .algorithm }
        return .rsaSHA1
    }

    /// RFC 6376 § 3.5: `c=` is simple/simple when absent; without a second half, the second half is simple.
    static func canonicalization(_ value: Octets?) throws(SyntaxError) -> CanonicalizationPair {
        guard let value else { return CanonicalizationPair(header: .simple, body: .simple) }
        let slash = value.firstIndex(of: UInt8(ascii: "/"))
        guard let header = canonicalizationName(value[..<(slash ?? value.endIndex)]),
            let body = slash.map({ canonicalizationName(value[($0 + 1)...]) }) ?? .simple
        else { throw .malformed("c") }
        return CanonicalizationPair(header: header, body: body)
    }

    private static func canonicalizationName(_ value: Octets) -> Canonicalization? {
        if value.equalsIgnoringCase("relaxed") { return .relaxed }
        return value.equalsIgnoringCase("simple") ? .simple : nil
    }

    static func domain(_ value: Octets, _ tag: String) throws(SyntaxError) -> DomainName {
        let domain = try name(value, tag)
        // RFC 6376 § 3.5: domain-name = sub-domain 1*("." sub-domain)
        guard domain.labelCount >= 2 else { throw .malformed(tag) }
        return domain
    }

    /// A name in A-labels or, in internationalized mail, U-labels (RFC 8616 § 4).
    static func name(_ value: Octets, _ tag: String) throws(SyntaxError) -> DomainName {
        // RFC 1035 § 2.3.4 allows 253 characters; U-labels in UTF-8 are at most a few times as long.
        guard value.count <= 1024 else { throw .malformed(tag) }
        guard value.last != UInt8(ascii: "."), let name = try? DomainName(mailHost: value) else {
            throw .malformed(tag)
        }
        return name
    }

    static func keyQuestion(_ selector: DomainName, _ domain: DomainName) throws(SyntaxError) -> DNSQuestion {
        guard let name = DomainName(ofKey: selector, at: domain) else { throw .malformed("s") }
        return DNSQuestion(name, .txt)
    }

    /// The names in `h=`; an ARC-Message-Signature field may name no field.
    static func headerNames(_ value: Octets?, _ form: Form) throws(SyntaxError) -> [Octets] {
        if form == .seal || form == .arcMessageSignature && value?.isEmpty == true { return [] }
        return try headerNames(required(value, "h"))
    }

    private static func headerNames(_ value: Octets) throws(SyntaxError) -> [Octets] {
        var count = 1
        for octet in value where octet == UInt8(ascii: ":") { count += 1 }
        guard count <= maximumHeaderNames else { throw .tooManyNames }
        var names = [Octets]()
        names.reserveCapacity(count)
        var start = value.startIndex
        while start <= value.endIndex {
            let end = value[start...].firstIndex(of: UInt8(ascii: ":")) ?? value.endIndex
            let name = value[start..<end].trimmed
            // RFC 6376 § 3.5: sig-h-tag = %x68 [FWS] "=" [FWS] hdr-name *( [FWS] ":" [FWS] hdr-name )
            guard name.allSatisfy({ $0.isVChar }) else { throw .malformed("h") }
            // Signers that join names in a loop leave a colon at an end. An empty name stands for no field, so the hash
            // is the same; opendkim and dkimpy ignore it too.
            if !name.isEmpty { names.append(name) }
            start = end + 1
        }
        guard !names.isEmpty else { throw .malformed("h") }
        return names
    }

    static func identity(
        _ value: Octets?,
        _ domain: DomainName,
        _ domainText: Octets
    ) throws(SyntaxError) -> ([UInt8], DomainName) {
        guard let value else { return ([UInt8(ascii: "@")] + domainText, domain) }
        guard let decoded = quotedPrintable(value), let at = decoded.lastIndex(of: UInt8(ascii: "@")) else {
            throw .malformed("i")
        }
        let domainPart = decoded[(at + 1)...]
        if domainPart == domainText { return (decoded, domain) }
        let identityDomain = try Self.domain(domainPart, "i")
        // RFC 6376 § 3.5: "The domain part of the address MUST be the same as, or a subdomain of, the value of the "d="
        // tag."
        guard identityDomain.isEqualOrSubdomain(of: domain) else { throw .identityOutsideDomain }
        return (decoded, identityDomain)
    }

    /// RFC 6376 § 2.11: `=` and two upper-case hexadecimal digits stand for an octet; white space is ignored.
    static func quotedPrintable(_ value: Octets) -> [UInt8]? {
        var rest = value.withoutWhiteSpace
        guard rest.contains(UInt8(ascii: "=")) else { return Array(rest) }
        var octets = [UInt8]()
        octets.reserveCapacity(rest.count)
        while let octet = rest.popFirst() {
            if octet == UInt8(ascii: "=") {
                guard let high = rest.popFirst()?.hexValue, let low = rest.popFirst()?.hexValue else { return nil }
                octets.append(high << 4 | low)
            } else {
                octets.append(octet)
            }
        }
        return octets
    }

    /// RFC 6376 § 3.5: `l=` has up to 76 digits; a number beyond 64 bits is longer than any body.
    static func length(_ value: Octets?) throws(SyntaxError) -> UInt64? {
        guard let value else { return nil }
        guard (1...76).contains(value.count), value.allSatisfy(\.isDigit) else { throw .malformed("l") }
        return UInt64(value.text) ?? .max
    }

    /// Reads a time.
    ///
    /// RFC 6376 § 3.5: "Implementations MAY consider any value longer than 12 digits to be infinite."
    static func time(_ value: Octets?, _ tag: String) throws(SyntaxError) -> UnixTime? {
        guard let value else { return nil }
        guard !value.isEmpty, value.allSatisfy(\.isDigit) else { throw .malformed(tag) }
        let digits = value.drop { $0 == UInt8(ascii: "0") }
        guard digits.count <= 12 else { return .end }
        return digits.isEmpty ? 0 : Int64(digits.text).map { UnixTime($0) }
    }

    /// RFC 6376 § 3.5: "Unrecognized query mechanisms MUST be ignored"; `dns/txt` must be in the list.
    static func checkQueryMethods(_ value: Octets?) throws(SyntaxError) {
        guard let value else { return }
        if value.equalsIgnoringCase("dns/txt") { return }
        let methods = value.split(separator: UInt8(ascii: ":")).map(\.trimmed)
        guard methods.contains(where: { $0.equalsIgnoringCase("dns/txt") || $0.equalsIgnoringCase("dns") }) else {
            throw .queryMethod
        }
    }

    /// RFC 6376 § 3.5: the field is hashed "with the value of the "b=" tag (including all surrounding whitespace) deleted".
    static func withoutSignature(_ field: HeaderField, _ signature: Octets) -> HeaderField {
        let value = field.value
        let equals = value[..<signature.startIndex].lastIndex(of: UInt8(ascii: "=")) ?? signature.startIndex
        let end = value[signature.endIndex...].firstIndex(of: UInt8(ascii: ";")) ?? value.endIndex
        return field.copy(without: equals + 1..<end)
    }
}
