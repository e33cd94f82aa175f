import CMilter
internal import Glibc

/// The NUL-terminated strings of a packet's data.
public enum MilterPayload {
    /// The most arguments of a command; an SMTP line of 512 octets has no room for more.
    static let maximumArguments = 256

    /// The arguments of MAIL or RCPT, without their terminators; a last argument without terminator counts too.
    public static func arguments(_ data: UnsafeRawBufferPointer) throws(MilterPayloadError) -> [ArraySlice<UInt8>] {
        let octets = unsafe [UInt8](data)
        var strings: [ArraySlice<UInt8>] = []
        var start = octets.startIndex
        while start < octets.endIndex {
            guard strings.count < maximumArguments else { throw .arguments }
            let end = octets[start...].firstIndex(of: 0) ?? octets.endIndex
            strings.append(octets[start..<end])
            start = end + 1
        }
        guard !strings.isEmpty else { throw .arguments }
        return strings
    }

    /// The first string, empty when there is none.
    public static func string(_ data: UnsafeRawBufferPointer) -> ArraySlice<UInt8> {
        let octets = unsafe [UInt8](data)
        return octets.prefix { $0 != 0 }
    }
}

/// The error of a packet whose data does not suit its command.
public enum MilterPayloadError: Error, Hashable, Sendable {
    /// Option negotiation with fewer than 12 octets, or a version before 2.
    case negotiation
    /// No usable host name, family, port and address.
    case connection
    /// No header field name with its value.
    case header
    /// No argument, or too many.
    case arguments
}

/// The client that connected to the MTA (SMFIC_CONNECT).
public struct MilterConnection: Sendable, Hashable {
    /// The kind of address.
    public enum Family: Sendable, Hashable {
        /// The MTA does not know the address ('U').
        case unknown
        /// A local socket ('L'); `address` is its path.
        case unix
        /// IPv4 ('4').
        case ipv4
        /// IPv6 ('6').
        case ipv6
    }

    /// The client's host name as the MTA sees it: a name, or an address in brackets.
    public let hostName: ArraySlice<UInt8>
    /// The kind of address.
    public let family: Family
    /// The client's port; 0 when there is none.
    public let port: UInt16
    /// The client's address as text, without `IPv6:`; empty when there is none.
    ///
    /// It need not be an address: Postfix sends `unknown` with an IPv4 family if it was told so.
    public let address: ArraySlice<UInt8>

    /// A connection from its parts.
    public init(hostName: ArraySlice<UInt8>, family: Family, port: UInt16, address: ArraySlice<UInt8>) {
        self.hostName = hostName
        self.family = family
        self.port = port
        self.address = address
    }

    /// Reads a packet's data: host name, NUL, family, and (unless the family is unknown) the port and the address.
    public init(parsing data: UnsafeRawBufferPointer) throws(MilterPayloadError) {
        let octets = unsafe [UInt8](data)
        guard let nameEnd = octets.firstIndex(of: 0) else { throw .connection }
        let rest = octets[(nameEnd + 1)...]
        guard let code = rest.first else { throw .connection }
        let family: Family
        switch code {
        case CSMFIA_UNKNOWN:
            self.init(hostName: octets[..<nameEnd], family: .unknown, port: 0, address: [])
            return
        case CSMFIA_UNIX: family = .unix
        case CSMFIA_INET: family = .ipv4
        case CSMFIA_INET6: family = .ipv6
        default: throw .connection
        }
        let portOctets = rest.dropFirst().prefix(2)
        guard portOctets.count == 2, let high = portOctets.first, let low = portOctets.last else { throw .connection }
        var address = rest.dropFirst(3).prefix { $0 != 0 }
        // Sendmail writes an IPv6 address as in a mail address literal (RFC 5321 § 4.1.3).
        if MilterConnection.hasLiteralTag(address) { address = address.dropFirst(5) }
        self.init(hostName: octets[..<nameEnd], family: family, port: UInt16(high) << 8 | UInt16(low), address: address)
    }

    private static func hasLiteralTag(_ address: ArraySlice<UInt8>) -> Bool {
        address.prefix(5).map { $0 | 0x20 } == Array("ipv6".utf8) + [0x3A]
    }
}

/// The ranges of a header field in a packet's data (SMFIC_HEADER).
public struct MilterHeaderField: Sendable, Hashable {
    /// The name, without colon.
    public let name: Range<Int>
    /// The text after the colon, with lines joined by LF (Postfix, Sendmail), without the final line end.
    public let value: Range<Int>

    /// Reads a packet's data in place: name, NUL, value, NUL.
    public init(parsing data: UnsafeRawBufferPointer) throws(MilterPayloadError) {
        guard let nameEnd = unsafe data.firstNUL(from: 0), nameEnd > 0 else { throw .header }
        guard let valueEnd = unsafe data.firstNUL(from: nameEnd + 1) else { throw .header }
        name = 0..<nameEnd
        value = (nameEnd + 1)..<valueEnd
    }
}

extension UnsafeRawBufferPointer {
    /// The position of the first NUL from `start` on; `start` may be the end.
    fileprivate func firstNUL(from start: Int) -> Int? {
        // memchr reads only within the given length.
        guard let base = baseAddress, let found = unsafe memchr(base + start, 0, count - start) else { return nil }
        return unsafe UnsafeRawPointer(found) - base
    }
}
