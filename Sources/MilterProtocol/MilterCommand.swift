import CMilter

/// The command of an MTA's packet: its first octet.
public enum MilterCommand: Sendable, Hashable {
    /// Option negotiation (SMFIC_OPTNEG).
    case negotiate
    /// Macro definitions for the command that follows (SMFIC_MACRO).
    case macros
    /// One of the events of an SMTP session.
    case event(MilterEvent)
    /// The MTA gives up the message in progress (SMFIC_ABORT).
    case abort
    /// The connection ends (SMFIC_QUIT).
    case quit
    /// The SMTP session ends, and another session follows on this connection (SMFIC_QUIT_NC).
    case quitNewConnection

    /// The command for an octet; nil when the octet is not a command.
    public init?(octet: UInt8) {
        switch octet {
        case CSMFIC_HEADER: self = .event(.header)
        case CSMFIC_BODY: self = .event(.body)
        case CSMFIC_MACRO: self = .macros
        case CSMFIC_CONNECT: self = .event(.connect)
        case CSMFIC_HELO: self = .event(.helo)
        case CSMFIC_MAIL: self = .event(.mail)
        case CSMFIC_RCPT: self = .event(.recipient)
        case CSMFIC_DATA: self = .event(.data)
        case CSMFIC_EOH: self = .event(.endOfHeaders)
        case CSMFIC_BODYEOB: self = .event(.endOfMessage)
        case CSMFIC_UNKNOWN: self = .event(.unknown)
        case CSMFIC_OPTNEG: self = .negotiate
        case CSMFIC_ABORT: self = .abort
        case CSMFIC_QUIT: self = .quit
        case CSMFIC_QUIT_NC: self = .quitNewConnection
        default: return nil
        }
    }
}

/// The events of an SMTP session, in the order of a message's life.
public enum MilterEvent: UInt8, Sendable, Hashable, CaseIterable {
    /// A client connected.
    case connect
    /// HELO, EHLO or LHLO.
    case helo
    /// MAIL FROM: a message begins.
    case mail
    /// RCPT TO.
    case recipient
    /// DATA.
    case data
    /// One header field.
    case header
    /// The empty line after the header.
    case endOfHeaders
    /// A chunk of the body.
    case body
    /// The final dot, the only event at which a message can be modified.
    case endOfMessage
    /// An SMTP command that the MTA does not know.
    case unknown

    /// The bit that asks the MTA not to send this event (SMFIP_NO*); 0 if there is none.
    var omission: UInt32 {
        switch self {
        case .connect: UInt32(SMFIP_NOCONNECT)
        case .helo: UInt32(SMFIP_NOHELO)
        case .mail: UInt32(SMFIP_NOMAIL)
        case .recipient: UInt32(SMFIP_NORCPT)
        case .data: UInt32(SMFIP_NODATA)
        case .header: UInt32(SMFIP_NOHDRS)
        case .endOfHeaders: UInt32(SMFIP_NOEOH)
        case .body: UInt32(SMFIP_NOBODY)
        case .endOfMessage: 0
        case .unknown: UInt32(SMFIP_NOUNKNOWN)
        }
    }

    /// The bit that tells the MTA not to wait for an answer to this event (SMFIP_NR_*); 0 if there is none.
    var silence: UInt32 {
        switch self {
        case .connect: UInt32(SMFIP_NR_CONN)
        case .helo: UInt32(SMFIP_NR_HELO)
        case .mail: UInt32(SMFIP_NR_MAIL)
        case .recipient: UInt32(SMFIP_NR_RCPT)
        case .data: UInt32(SMFIP_NR_DATA)
        case .header: UInt32(SMFIP_NR_HDR)
        case .endOfHeaders: UInt32(SMFIP_NR_EOH)
        case .body: UInt32(SMFIP_NR_BODY)
        case .endOfMessage: 0
        case .unknown: UInt32(SMFIP_NR_UNKN)
        }
    }
}

/// A set of events.
public struct MilterEvents: OptionSet, Sendable, Hashable {
    /// One bit for each event, at the position of the event's raw value.
    public let rawValue: UInt16

    /// The set with these bits.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The set of these events.
    public init(_ events: MilterEvent...) {
        self.init(rawValue: events.reduce(0) { $0 | 1 << UInt16($1.rawValue) })
    }

    /// Every event.
    public static let all = MilterEvents(rawValue: 0x3FF)

    /// Whether the set contains the event.
    public func contains(_ event: MilterEvent) -> Bool { rawValue & 1 << UInt16(event.rawValue) != 0 }
}
