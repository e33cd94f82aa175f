internal import CLDNS
internal import DNSLookup
internal import MailSyntax

/// Owns one `ldns_rr`.
///
/// ldns hands the record over to us, and we alone own it; `ldns_rr_free` frees it with all its parts.
@safe
struct ResourceRecord: ~Copyable {
    private let pointer: UnsafeMutablePointer<ldns_rr>

    init(takingOwnershipOf pointer: UnsafeMutablePointer<ldns_rr>) {
        unsafe self.pointer = pointer
    }

    /// Reads the record at an offset of a message; nil when ldns refuses it.
    ///
    /// `MessageReader` has checked the message: names end, and the data lies within it.
    init?(in message: [UInt8], at offset: Int) {
        // ldns_wire2rr leaves the pointer null unless it returns LDNS_STATUS_OK; it keeps no reference to the message.
        var record: UnsafeMutablePointer<ldns_rr>?
        let status = unsafe message.withUnsafeBufferPointer { octets in
            var position = offset
            return unsafe ldns_wire2rr(&record, octets.baseAddress, octets.count, &position, LDNS_SECTION_ANSWER)
        }
        guard status == LDNS_STATUS_OK, let record = unsafe record else { return nil }
        unsafe self.init(takingOwnershipOf: record)
    }

    deinit {
        unsafe ldns_rr_free(pointer)
    }

    var type: UInt32 { unsafe ldns_rr_get_type(pointer).rawValue }

    var isInternet: Bool { unsafe ldns_rr_get_class(pointer) == LDNS_RR_CLASS_IN }

    /// RFC 2181 § 8: a TTL with the most significant bit set is to be treated as zero.
    var timeToLive: UInt32 {
        let value = unsafe ldns_rr_ttl(pointer)
        return value > UInt32(Int32.max) ? 0 : value
    }

    /// The name that the record belongs to; nil for a name beyond the limits.
    var owner: DomainName? {
        unsafe Self.octets(ldns_rr_owner(pointer)).flatMap(Self.name)
    }

    /// The octets of a field of the data; nil when there is no such field.
    private func field(_ index: Int) -> [UInt8]? {
        guard unsafe index < ldns_rr_rd_count(pointer) else { return nil }
        return unsafe Self.octets(ldns_rr_rdf(pointer, index))
    }

    // ldns_rdf_data points to ldns_rdf_size octets that live as long as the record.
    private static func octets(_ field: UnsafeMutablePointer<ldns_rdf>?) -> [UInt8]? {
        guard let field = unsafe field, let data = unsafe ldns_rdf_data(field) else { return nil }
        return unsafe Array(UnsafeBufferPointer(start: data, count: ldns_rdf_size(field)))
    }

    private static func name(_ wire: [UInt8]) -> DomainName? { try? DomainName(wire: wire[...]) }

    private func nameField(_ index: Int) -> DomainName? { field(index).flatMap(Self.name) }

    /// The target of a CNAME.
    var aliasTarget: DomainName? {
        type == LDNS_RR_TYPE_CNAME.rawValue ? nameField(0) : nil
    }

    /// The MINIMUM field of an SOA.
    var minimum: UInt32? {
        guard type == LDNS_RR_TYPE_SOA.rawValue, let octets = field(6), octets.count == 4 else { return nil }
        return octets.reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The data, if it is well formed and of a type that mail authentication asks for.
    var record: DNSRecord? {
        switch UInt16(exactly: type).flatMap(DNSRecordType.init(rawValue:)) {
        case .a:
            guard let octets = field(0), octets.count == 4 else { return nil }
            return .a(IPv4Address(octets.reduce(0) { $0 << 8 | UInt32($1) }))
        case .aaaa:
            guard let octets = field(0), octets.count == 16 else { return nil }
            return .aaaa(
                IPv6Address(
                    high: octets[..<8].reduce(0) { $0 << 8 | UInt64($1) },
                    low: octets[8...].reduce(0) { $0 << 8 | UInt64($1) }
                )
            )
        case .mx:
            guard let octets = field(0), octets.count == 2, let exchange = nameField(1) else { return nil }
            return .mx(preference: UInt16(octets[0]) << 8 | UInt16(octets[1]), exchange: exchange)
        case .ptr: return nameField(0).map { .ptr($0) }
        case .txt: return .txt(text)
        case nil: return nil
        }
    }

    /// RFC 7208 § 3.3, RFC 6376 § 3.6.2.2: the character-strings are concatenated without a separator.
    private var text: [UInt8] {
        var text = [UInt8]()
        for index in 0..<(unsafe ldns_rr_rd_count(pointer)) {
            // RFC 1035 § 3.3: a character-string is a length octet and that number of characters.
            guard let string = field(index), let length = string.first else { continue }
            text.append(contentsOf: string.dropFirst().prefix(Int(length)))
        }
        return text
    }
}
