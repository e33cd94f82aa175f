public import MailSyntax

/// The record types that mail authentication asks for; the class is always IN.
public enum DNSRecordType: UInt16, Hashable, Sendable, CaseIterable {
    /// An IPv4 address (RFC 1035 § 3.4.1).
    case a = 1
    /// A host name for an address (RFC 1035 § 3.3.12).
    case ptr = 12
    /// A mail exchanger (RFC 1035 § 3.3.9).
    case mx = 15
    /// Text (RFC 1035 § 3.3.14).
    case txt = 16
    /// An IPv6 address (RFC 3596 § 2.1).
    case aaaa = 28
}

/// A question to the DNS.
public struct DNSQuestion: Hashable, Sendable {
    /// The name that the question is about.
    public let name: DomainName
    /// The type of the records wanted.
    public let type: DNSRecordType

    /// The question for records of a type at a name.
    public init(_ name: DomainName, _ type: DNSRecordType) {
        self.name = name
        self.type = type
    }
}

extension DNSRecordType: CustomStringConvertible {
    /// The mnemonic: `A`, `PTR`, `MX`, `TXT`, `AAAA`.
    public var description: String {
        switch self {
        case .a: "A"
        case .ptr: "PTR"
        case .mx: "MX"
        case .txt: "TXT"
        case .aaaa: "AAAA"
        }
    }
}

extension DNSQuestion: CustomStringConvertible {
    /// The name and the type, as in `example.com TXT`.
    public var description: String { "\(name) \(type)" }
}
