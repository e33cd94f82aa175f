import CMilter

/// The modifications of a message that a filter may make (SMFIF_*).
public struct MilterActions: OptionSet, Sendable, Hashable {
    /// The bits of the protocol.
    public let rawValue: UInt32

    /// The actions with these bits.
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// Add or insert header fields.
    public static let addHeaders = MilterActions(rawValue: UInt32(SMFIF_ADDHDRS))
    /// Change or delete header fields.
    public static let changeHeaders = MilterActions(rawValue: UInt32(SMFIF_CHGHDRS))
    /// Replace the body.
    public static let changeBody = MilterActions(rawValue: UInt32(SMFIF_CHGBODY))
    /// Add recipients.
    public static let addRecipients = MilterActions(rawValue: UInt32(SMFIF_ADDRCPT))
    /// Add recipients with ESMTP arguments.
    public static let addRecipientsWithArguments = MilterActions(rawValue: UInt32(SMFIF_ADDRCPT_PAR))
    /// Remove recipients.
    public static let deleteRecipients = MilterActions(rawValue: UInt32(SMFIF_DELRCPT))
    /// Change the envelope sender.
    public static let changeSender = MilterActions(rawValue: UInt32(SMFIF_CHGFROM))
    /// Put the message into the MTA's hold queue.
    public static let quarantine = MilterActions(rawValue: UInt32(SMFIF_QUARANTINE))
}

/// The requests of a filter to the MTA.
public struct MilterRequest: Sendable, Hashable {
    /// The modifications that the filter may request.
    public var actions: MilterActions
    /// The events that the MTA sends.
    ///
    /// The MTA is asked not to send the others.
    public var events: MilterEvents
    /// The events that the filter answers with more than `continue`.
    ///
    /// The MTA does not wait for an answer to the others, so that a header field costs no round trip. The filter always
    /// answers the end of a message.
    public var answered: MilterEvents
    /// Whether to request header field values with their leading space, if the MTA offers it.
    public var leadingSpace: Bool

    /// A request; by default for every event except unknown commands, with answers only at RCPT and at the end.
    public init(
        actions: MilterActions = [.addHeaders, .changeHeaders, .quarantine],
        events: MilterEvents = .all.subtracting(MilterEvents(.unknown)),
        answered: MilterEvents = MilterEvents(.recipient, .endOfMessage),
        leadingSpace: Bool = true
    ) {
        self.actions = actions
        self.events = events
        self.answered = answered
        self.leadingSpace = leadingSpace
    }

    /// The protocol bits that express this request.
    var protocolBits: UInt32 {
        var bits = UInt32(SMFIP_SKIP)
        if leadingSpace { bits |= UInt32(SMFIP_HDR_LEADSPC) }
        for event in MilterEvent.allCases {
            if !events.contains(event) { bits |= event.omission }
            if !events.contains(event) || !answered.contains(event) { bits |= event.silence }
        }
        return bits
    }
}

/// The offer of an MTA (SMFIC_OPTNEG).
public struct MilterOffer: Sendable, Hashable {
    /// The protocol version.
    public let version: UInt32
    /// The modifications that the MTA can make.
    public let actions: UInt32
    /// The protocol steps that the MTA can leave out, and its other abilities.
    public let protocolBits: UInt32

    /// An offer from its parts.
    public init(version: UInt32, actions: UInt32, protocolBits: UInt32) {
        self.version = version
        self.actions = actions
        self.protocolBits = protocolBits
    }

    /// Reads a packet's data: three 32-bit numbers, big-endian.
    ///
    /// Further octets are for later versions and are ignored.
    public init(parsing data: UnsafeRawBufferPointer) throws(MilterPayloadError) {
        guard data.count >= Int(MILTER_OPTLEN) else { throw .negotiation }
        func number(_ offset: Int) -> UInt32 {
            unsafe UInt32(bigEndian: data.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        self.init(version: number(0), actions: number(4), protocolBits: number(8))
        // Version 1 has other defaults, and no MTA in use speaks it; libmilter refuses it too.
        guard version >= 2 else { throw .negotiation }
    }
}

/// The options that filter and MTA agreed on.
public struct MilterOptions: Sendable, Hashable {
    /// The protocol version.
    public let version: UInt32
    /// The modifications that the filter may request.
    public let actions: MilterActions
    /// The agreed protocol bits.
    let protocolBits: UInt32

    /// No options: the state before negotiation.
    static let none = MilterOptions(version: 0, actions: [], protocolBits: 0)

    private init(version: UInt32, actions: MilterActions, protocolBits: UInt32) {
        self.version = version
        self.actions = actions
        self.protocolBits = protocolBits
    }

    /// The lower version, and the options that are both offered and requested.
    ///
    /// Postfix ends the milter session if it gets a bit that it did not offer. libmilter uses bits 28 to 30 itself, for
    /// its data size; no request contains them, so they are never echoed.
    public init(offer: MilterOffer, request: MilterRequest) {
        self.init(
            version: min(offer.version, UInt32(SMFI_PROT_VERSION)),
            actions: MilterActions(rawValue: offer.actions).intersection(request.actions),
            protocolBits: offer.protocolBits & request.protocolBits
        )
    }

    /// Whether header field values have their leading space, in both directions.
    public var leadingSpace: Bool { protocolBits & UInt32(SMFIP_HDR_LEADSPC) != 0 }

    /// Whether the MTA understands `skip`.
    public var skip: Bool { protocolBits & UInt32(SMFIP_SKIP) != 0 }

    /// Whether the MTA waits for an answer to this event.
    ///
    /// This table alone decides: an unexpected answer desynchronizes the stream, and a missing answer hangs it.
    public func expectsAnswer(to event: MilterEvent) -> Bool { protocolBits & event.silence == 0 }
}
