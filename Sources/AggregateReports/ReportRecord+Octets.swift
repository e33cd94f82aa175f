internal import MailSyntax

extension ReportRecord {
    /// The version of the octets, and their first one.
    private static let version: UInt8 = 1

    /// The row in few octets, for a table: equal rows have equal octets.
    public var octets: [UInt8] {
        var writer = BlobWriter()
        writer.octet(Self.version)
        writer.add(source)
        writer.word(disposition)
        writer.octet((isDKIMAligned ? 1 : 0) | (isSPFAligned ? 2 : 0))
        writer.number(UInt64(reasons.count))
        for reason in reasons {
            writer.word(reason.kind)
            writer.optionalText(reason.comment)
        }
        writer.text(headerFrom)
        writer.optionalText(envelopeFrom)
        writer.number(UInt64(signatures.count))
        for signature in signatures { writer.add(signature) }
        writer.octet(spf == nil ? 0 : 1)
        if let spf { writer.add(spf) }
        return writer.octets
    }

    /// Reads the octets of a row; nil when they are not those of any, or of a later version.
    public init?(octets: [UInt8]) {
        var reader = BlobReader(octets)
        guard let record = try? Self(&reader), record.octets == octets else { return nil }
        self = record
    }

    private init(_ reader: inout BlobReader) throws(BlobReader.Damaged) {
        guard try reader.octet() == Self.version else { throw BlobReader.Damaged() }
        let (source, disposition): (IPAddress, ReportDisposition) = (try reader.address(), try reader.word())
        let aligned = try reader.octet()
        var reasons = [ReportReason]()
        for _ in 0..<(try reader.count()) {
            reasons.append(ReportReason(try reader.word(), comment: try reader.optionalText()))
        }
        self.init(
            source: source,
            disposition: disposition,
            isDKIMAligned: aligned & 1 != 0,
            isSPFAligned: aligned & 2 != 0,
            reasons: reasons,
            headerFrom: try reader.text(),
            envelopeFrom: try reader.optionalText()
        )
        for _ in 0..<(try reader.count()) { signatures.append(try reader.signature()) }
        if try reader.flag() { spf = try reader.spf() }
        guard reader.isAtEnd else { throw BlobReader.Damaged() }
    }
}

extension BlobWriter {
    fileprivate mutating func add(_ address: IPAddress) {
        switch address {
        case .v4(let address):
            octet(4)
            fixed(address.value)
        case .v6(let address):
            octet(6)
            fixed(address.high)
            fixed(address.low)
        }
    }

    private mutating func fixed(_ value: some FixedWidthInteger) {
        for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) {
            octet(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    fileprivate mutating func add(_ signature: ReportRecord.Signature) {
        text(signature.domain)
        text(signature.selector)
        word(signature.result)
        optionalText(signature.humanResult)
    }

    fileprivate mutating func add(_ spf: ReportRecord.SPF) {
        text(spf.domain)
        word(spf.result)
        optionalText(spf.humanResult)
    }
}

extension BlobReader {
    fileprivate mutating func address() throws(Damaged) -> IPAddress {
        switch try octet() {
        case 4: .v4(IPv4Address(try fixed()))
        case 6: .v6(IPv6Address(high: try fixed(), low: try fixed()))
        default: throw Damaged()
        }
    }

    private mutating func fixed<Value: FixedWidthInteger>() throws(Damaged) -> Value {
        var value: Value = 0
        for _ in 0..<Value.bitWidth / 8 { value = value << 8 | Value(truncatingIfNeeded: try octet()) }
        return value
    }

    fileprivate mutating func signature() throws(Damaged) -> ReportRecord.Signature {
        ReportRecord.Signature(
            domain: try text(),
            selector: try text(),
            result: try word(),
            humanResult: try optionalText()
        )
    }

    fileprivate mutating func spf() throws(Damaged) -> ReportRecord.SPF {
        ReportRecord.SPF(domain: try text(), result: try word(), humanResult: try optionalText())
    }
}
