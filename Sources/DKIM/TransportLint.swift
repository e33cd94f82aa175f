internal import MailSyntax

/// Content that an MTA on the way may rewrite after the message was signed (RFC 6376 § 5.3).
public enum DKIMSigningWarning: String, Hashable, Sendable, CaseIterable {
    /// A line of more than 998 octets (RFC 5322 § 2.1.1); some MTAs break it.
    case longLine = "line over 998 octets"
    /// A CR that is not followed by LF, or an LF that does not follow a CR (RFC 5321 § 2.3.8).
    case bareLineEnd = "bare CR or LF"
    /// Octets beyond US-ASCII; an MTA recodes them for a server without 8BITMIME (RFC 6152).
    case eightBit = "8-bit data"
    /// A NUL; SMTP does not carry it reliably.
    case nul = "NUL octet"
    /// A comma between addresses without white space behind it; Sendmail inserts a space.
    case tightList = "no space behind a comma between addresses"
    /// No Date field; the next server may add one (RFC 6409 § 8.2).
    case noDate = "no Date field"
    /// No Message-ID field; the next server may add one (RFC 6409 § 8.3).
    case noMessageID = "no Message-ID field"

    /// The possible consequence for the signature, in words.
    public var consequence: String {
        switch self {
        case .longLine, .bareLineEnd, .eightBit, .nul, .tightList: "\(rawValue) may not survive transport"
        case .noDate, .noMessageID: "\(rawValue): a server on the way may add one, which breaks the signature"
        }
    }
}

/// Looks for content that may not survive transport, while a message streams through.
struct TransportLint {
    private var found: Set<DKIMSigningWarning> = []
    private var lineLength = 0
    private var previous: UInt8 = 0

    /// The warnings so far, in a fixed order.
    var warnings: [DKIMSigningWarning] { DKIMSigningWarning.allCases.filter(found.contains) }

    private static let addressFields: [StaticString] = ["To", "Cc", "Reply-To", "Resent-To", "Resent-Cc"]

    mutating func header(_ headers: HeaderBlock) {
        if !headers.indices.contains(where: { headers.hasName("Date", at: $0) }) { found.insert(.noDate) }
        if !headers.indices.contains(where: { headers.hasName("Message-ID", at: $0) }) { found.insert(.noMessageID) }
        for position in headers.indices
        where Self.addressFields.contains(where: { headers.hasName($0, at: position) }) {
            if Self.hasTightComma(headers[position].value) { found.insert(.tightList) }
        }
        for field in headers {
            let length = field.label.count + 1
            lineLength = length
            previous = 0
            unsafe field.value.withUnsafeBytes { unsafe body($0) }
        }
        lineLength = 0
        previous = 0
    }

    /// Whether a comma outside of quotes and comments has no white space behind it.
    private static func hasTightComma(_ value: Octets) -> Bool {
        var depth = 0
        var isQuoted = false
        var previous: UInt8 = 0
        var isEscaped = false
        for octet in value {
            if previous == UInt8(ascii: ","), !octet.isWSP, octet != .cr { return true }
            previous = 0
            if isEscaped {
                isEscaped = false
                continue
            }
            switch octet {
            case UInt8(ascii: "\\"): isEscaped = isQuoted || depth > 0
            case UInt8(ascii: "\"") where depth == 0: isQuoted.toggle()
            case UInt8(ascii: "(") where !isQuoted: depth += 1
            case UInt8(ascii: ")") where depth > 0: depth -= 1
            case UInt8(ascii: ",") where !isQuoted && depth == 0: previous = octet
            default: break
            }
        }
        return false
    }

    mutating func body(_ chunk: UnsafeRawBufferPointer) {
        var high: UInt8 = 0
        for index in chunk.indices {
            let octet = unsafe chunk[index]
            high |= octet
            if octet > .cr {
                lineLength += 1
            } else if octet == .lf {
                endLine()
            } else {
                lineLength += octet == .cr ? 0 : 1
                if octet == 0 { found.insert(.nul) }
            }
            if previous == .cr, octet != .lf { found.insert(.bareLineEnd) }
            previous = octet
        }
        if lineLength > 998 { found.insert(.longLine) }
        if high >= 0x80 { found.insert(.eightBit) }
    }

    private mutating func endLine() {
        if lineLength > 998 { found.insert(.longLine) }
        if previous != .cr { found.insert(.bareLineEnd) }
        lineLength = 0
    }
}
