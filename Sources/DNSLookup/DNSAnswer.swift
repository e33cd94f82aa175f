public import MailSyntax
internal import Synchronization

/// The data of one resource record.
public enum DNSRecord: Hashable, Sendable {
    /// An IPv4 address.
    case a(IPv4Address)
    /// An IPv6 address.
    case aaaa(IPv6Address)
    /// A mail exchanger with its preference; the lowest is tried first.
    case mx(preference: UInt16, exchange: DomainName)
    /// A name for an address.
    case ptr(DomainName)
    /// The character-strings of a TXT record, joined without a separator (RFC 7208 § 3.3, RFC 6376 § 3.6.2.2).
    case txt([UInt8])

    /// The type of the record.
    public var type: DNSRecordType {
        switch self {
        case .a: .a
        case .aaaa: .aaaa
        case .mx: .mx
        case .ptr: .ptr
        case .txt: .txt
        }
    }
}

/// The DNS's answer to a question.
///
/// "No such name" and "no data" are answers too.
///
/// All askers share one answer. `derived` keeps the values that a protocol parses from the records.
public final class DNSAnswer: Sendable {
    /// Which of the three kinds of answer this is.
    public enum Status: Hashable, Sendable {
        /// There are records of the type.
        case records
        /// The name exists, but has no records of the type (RFC 2308 § 2.2).
        case noData
        /// The name does not exist (RFC 2308 § 2.1, RFC 8020).
        case noSuchName
    }

    /// The question that was answered.
    public let question: DNSQuestion
    /// The kind of the answer.
    public let status: Status
    /// The records of the type asked for at the end of the CNAME chain; empty unless `status` is `.records`.
    public let records: [DNSRecord]
    /// How many seconds after its receipt the answer may be used.
    public let timeToLive: UInt32

    private struct Derived: Sendable {
        let type: ObjectIdentifier
        /// A `Box` of the type.
        let box: any AnyObject & Sendable
    }

    private final class Box<Value: Sendable>: Sendable {
        let value: Value

        init(_ value: Value) { self.value = value }
    }

    private let derivedValues = Mutex<[Derived]>([])

    /// An answer with records.
    public init(_ question: DNSQuestion, records: [DNSRecord], timeToLive: UInt32) {
        self.question = question
        self.status = records.isEmpty ? .noData : .records
        self.records = records
        self.timeToLive = timeToLive
    }

    /// An answer without records.
    public init(_ question: DNSQuestion, negative status: Status, timeToLive: UInt32) {
        self.question = question
        self.status = status == .records ? .noData : status
        self.records = []
        self.timeToLive = timeToLive
    }

    /// The value that a protocol makes of the records, computed on first use and kept as long as the answer.
    ///
    /// The answer keeps one value of each type, so each protocol uses a type of its own. `make` may run twice when two
    /// threads ask at once.
    public func derived<Value: Sendable>(_ make: (DNSAnswer) -> Value) -> Value {
        let type = ObjectIdentifier(Value.self)
        if let known = derivedValues.withLock({ values in values.first { $0.type == type } }) {
            // A checked cast takes longer than most uses of the value, and the type has just been compared.
            return unsafe unsafeDowncast(known.box, to: Box<Value>.self).value
        }
        let value = make(self)
        derivedValues.withLock { values in
            if !values.contains(where: { $0.type == type }) { values.append(Derived(type: type, box: Box(value))) }
        }
        return value
    }

    /// The texts of the TXT records.
    public var texts: [[UInt8]] {
        records.compactMap { if case .txt(let text) = $0 { text } else { nil } }
    }

    /// The addresses of the A and AAAA records.
    public var addresses: [IPAddress] {
        records.compactMap {
            switch $0 {
            case .a(let address): .v4(address)
            case .aaaa(let address): .v6(address)
            default: nil
            }
        }
    }
}
