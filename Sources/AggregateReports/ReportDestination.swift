public import MailSyntax

/// An address that wants aggregate reports: a member of `rua` (RFC 9989 § 4.7).
public struct ReportDestination: Hashable, Sendable {
    /// The local part, as it is written in the envelope.
    public let localPart: String
    /// The host.
    public let host: DomainName
    /// The most octets of a message that the owner takes, by the obsolete `!10m` (RFC 7489 § 6.4); nil without.
    public let limit: Int?

    /// The address for RCPT and To.
    public var address: String { "\(localPart)@\(host)" }

    /// Whether the local part asks a mail server to pass mail on, as `user%host` and `host!user` do.
    ///
    /// Servers that understand it would bring a report to somebody who was never asked, under the name of a host that was.
    /// RFC 5321 § 3.6.1 and appendix F.2 do away with such ways.
    public var isRoute: Bool { localPart.utf8.contains { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "!") } }

    /// Whether the address needs SMTPUTF8 (RFC 6531).
    public var isInternational: Bool { !localPart.utf8.isASCII }

    /// Whether the owner takes a message of so many octets.
    ///
    /// RFC 9990 § 3.5: "Any reporting URI that includes a size limitation exceeded by the generated report (after
    /// compression and after any encoding required by the particular transport mechanism) MUST NOT be used."
    ///
    /// - Parameter octets: the size of the message.
    /// - Returns: whether it is small enough.
    public func takes(octets: Int) -> Bool { limit.map { octets <= $0 } ?? true }

    /// Takes an address in its parts; nil when it could not stand in a command or a field without quotes.
    init?(localPart: String, host: DomainName, limit: Int?) {
        guard localPart.isPlainLocalPart, host.isOfHost else { return nil }
        self.localPart = localPart
        self.host = host
        self.limit = limit
    }
}

extension ReportDestination {
    /// Reads a `mailto:` URI (RFC 6068), with an obsolete limit or without; nil for anything else.
    ///
    /// The fields behind `?` are ignored: nobody but us writes the header of a report.
    ///
    /// - Parameter uri: the member of `rua`.
    public init?(_ uri: String) {
        var rest = Octets(uri)
        let limit = rest.removeLimit()
        guard rest.prefix(7).equalsIgnoringCase("mailto:") else { return nil }
        rest = rest.dropFirst(7).prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
        guard let mailbox = rest.percentDecoded, let at = mailbox[...].separatorOfMailbox,
            let localPart = String(validating: mailbox[..<at], as: UTF8.self),
            let host = try? DomainName(mailHost: mailbox[(at + 1)...])
        else { return nil }
        self.init(localPart: localPart, host: host, limit: limit)
    }

    /// The destinations of a list: each once, at most five.
    ///
    /// To those that ask for a way to another host, nothing goes; they are behind the others, and so take no place of theirs.
    ///
    /// RFC 9990 § 3.5: "An attempt MUST be made to deliver an aggregate report to every remaining URI, up to the
    /// Receiver's limits on supported URIs."
    ///
    /// - Parameter usable: the members of `rua` that can be used, in their order.
    /// - Returns: the destinations, in the same order.
    public static func destinations(of usable: [ReportDestination]) -> [ReportDestination] {
        var destinations = [ReportDestination]()
        for destination in usable.filter({ !$0.isRoute }) + usable.filter(\.isRoute)
        where destinations.count < ReportBounds.destinations {
            guard !destinations.contains(where: { $0.address == destination.address }) else { continue }
            destinations.append(destination)
        }
        return destinations
    }
}

extension ReportDestination: CustomStringConvertible {
    /// The address, with its limit in octets: `reports@example.com!10485760`.
    public var description: String { address + (limit.map { "!\($0)" } ?? "") }
}

extension String {
    /// Whether this is a local part of letters, digits and other atext or dots (RFC 5322 § 3.2.3, RFC 6531 § 3.3), at most
    /// 64 octets long (RFC 5321 § 4.5.3.1.1).
    fileprivate var isPlainLocalPart: Bool {
        !isEmpty && utf8.count <= 64
            && unicodeScalars.allSatisfy { scalar in
                scalar.isASCII
                    ? UInt8(ascii: scalar).isAlpha || "0123456789!#$%&'*+-/=?^_`{|}~.".unicodeScalars.contains(scalar)
                    : scalar.isVisible
            }
    }
}

extension Unicode.Scalar {
    /// Whether the character is neither a control, nor a blank, nor unassigned.
    private static let hidden: Set<Unicode.GeneralCategory> = [
        .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator, .surrogate, .privateUse, .unassigned,
    ]

    fileprivate var isVisible: Bool { !Self.hidden.contains(properties.generalCategory) }
}

extension Octets {
    /// Cuts off `"!" 1*DIGIT [ "k" / "m" / "g" / "t" ]` at the end (RFC 7489 § 6.4); nil, and nothing is cut off, if there
    /// is no such limit.
    fileprivate mutating func removeLimit() -> Int? {
        guard let mark = lastIndex(of: UInt8(ascii: "!")) else { return nil }
        var digits = self[(mark + 1)...]
        let units = Octets("kmgt")
        let unit = digits.last.flatMap { units.firstIndex(of: $0.lowercased) }
        if unit != nil { digits = digits.dropLast() }
        guard !digits.isEmpty, digits.allSatisfy(\.isDigit) else { return nil }
        self = self[..<mark]
        let shift = unit.map { 10 * ($0 + 1) } ?? 0
        // What no message reaches is no limit, but still one.
        let number = Int(String(decoding: digits, as: UTF8.self)) ?? .max
        return number > Self.largestLimit >> shift ? Self.largestLimit : number << shift
    }

    private static let largestLimit = Int.max >> 1

    /// The octets with `%41` replaced (RFC 3986 § 2.1); nil where a percent sign has no two digits behind it.
    fileprivate var percentDecoded: [UInt8]? {
        var decoded = [UInt8]()
        var rest = self
        while let octet = rest.popFirst() {
            guard octet == UInt8(ascii: "%") else {
                decoded.append(octet)
                continue
            }
            guard let high = rest.popFirst()?.hexValue, let low = rest.popFirst()?.hexValue else { return nil }
            decoded.append(high << 4 | low)
        }
        return decoded
    }
}
