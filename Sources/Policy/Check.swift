/// A check of a message; the raw value is its word in the log, the metrics and the rules.
public enum Check: String, CaseIterable, Sendable {
    /// Whether the client may send for the domain of MAIL FROM.
    case spf
    /// Whether the client may use its HELO name.
    case spfHelo = "spf_helo"
    /// Whether the client may send for the domain of the purported responsible address.
    case senderID = "sender_id"
    /// Whether the signatures are valid.
    case dkim
    /// Whether one of the other checks vouches for the author's domain.
    case dmarc
    /// Whether the servers that forwarded the message sealed it, and no seal is broken.
    case arc
    /// Whether the client's address has a verified name.
    case iprev

    /// The check as a setting: SPF has one setting for both of its identities.
    public var setting: Check { self == .spfHelo ? .spf : self }

    /// Whether the result of the check can be known before DATA.
    var isOfEnvelope: Bool {
        switch self {
        case .spf, .spfHelo, .iprev: true
        case .senderID, .dkim, .dmarc, .arc: false
        }
    }
}

/// A value for each check.
public struct PerCheck<Value> {
    /// The value for SPF of MAIL FROM.
    public var spf: Value
    /// The value for SPF of HELO.
    public var spfHelo: Value
    /// The value for Sender ID.
    public var senderID: Value
    /// The value for the signatures.
    public var dkim: Value
    /// The value for DMARC.
    public var dmarc: Value
    /// The value for the chain of seals.
    public var arc: Value
    /// The value for the client's name.
    public var iprev: Value

    /// The values that `value` returns.
    public init(_ value: (Check) -> Value) {
        spf = value(.spf)
        spfHelo = value(.spfHelo)
        senderID = value(.senderID)
        dkim = value(.dkim)
        dmarc = value(.dmarc)
        arc = value(.arc)
        iprev = value(.iprev)
    }

    /// The value for a check.
    public subscript(check: Check) -> Value {
        get {
            switch check {
            case .spf: spf
            case .spfHelo: spfHelo
            case .senderID: senderID
            case .dkim: dkim
            case .dmarc: dmarc
            case .arc: arc
            case .iprev: iprev
            }
        }
        _modify {
            switch check {
            case .spf: yield &spf
            case .spfHelo: yield &spfHelo
            case .senderID: yield &senderID
            case .dkim: yield &dkim
            case .dmarc: yield &dmarc
            case .arc: yield &arc
            case .iprev: yield &iprev
            }
        }
    }
}

extension PerCheck: Sendable where Value: Sendable {}
extension PerCheck: Equatable where Value: Equatable {}

/// The checks that are made.
extension PerCheck<Bool>: ExpressibleByArrayLiteral {
    /// The checks in the list; `.spf` stands for both identities.
    public init(arrayLiteral made: Check...) {
        self.init { made.contains($0.setting) }
    }
}
