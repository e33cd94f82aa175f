/// A check of a message, by the word that the log, the metrics and the rules have for it.
public enum Check: String, CaseIterable, Sendable {
    /// Whether the client may send for the domain of MAIL FROM.
    case spf
    /// Whether it may call itself what it does.
    case spfHelo = "spf_helo"
    /// Whether it may send for the domain of the purported responsible address.
    case senderID = "sender_id"
    /// The signatures.
    case dkim
    /// Whether one of the others vouches for the author's domain.
    case dmarc
    /// The name of the client's address.
    case iprev

    /// The check as it is switched on and off: SPF is one for both of its identities.
    public var setting: Check { self == .spfHelo ? .spf : self }

    /// Whether its result can be known before DATA.
    var isOfEnvelope: Bool {
        switch self {
        case .spf, .spfHelo, .iprev: true
        case .senderID, .dkim, .dmarc: false
        }
    }
}

/// A value for each check.
public struct PerCheck<Value> {
    /// That of SPF of MAIL FROM.
    public var spf: Value
    /// That of SPF of HELO.
    public var spfHelo: Value
    /// That of Sender ID.
    public var senderID: Value
    /// That of the signatures.
    public var dkim: Value
    /// That of DMARC.
    public var dmarc: Value
    /// That of the client's name.
    public var iprev: Value

    /// The values that `value` gives.
    public init(_ value: (Check) -> Value) {
        spf = value(.spf)
        spfHelo = value(.spfHelo)
        senderID = value(.senderID)
        dkim = value(.dkim)
        dmarc = value(.dmarc)
        iprev = value(.iprev)
    }

    /// The value of one check.
    public subscript(check: Check) -> Value {
        get {
            switch check {
            case .spf: spf
            case .spfHelo: spfHelo
            case .senderID: senderID
            case .dkim: dkim
            case .dmarc: dmarc
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
            case .iprev: yield &iprev
            }
        }
    }
}

extension PerCheck: Sendable where Value: Sendable {}
extension PerCheck: Equatable where Value: Equatable {}

/// The checks that are made.
extension PerCheck<Bool>: ExpressibleByArrayLiteral {
    /// Those in the list; with SPF that of both identities.
    public init(arrayLiteral made: Check...) {
        self.init { made.contains($0.setting) }
    }
}
