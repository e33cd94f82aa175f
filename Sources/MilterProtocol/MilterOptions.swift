import CMilter

/// What may be done to a message (SMFIF_*).
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

/// What a filter wants of the MTA.
public struct MilterRequest: Sendable, Hashable {
    /// Modifications that the filter may ask for.
    public var actions: MilterActions
    /// Events that are delivered.
    ///
    /// The MTA is asked not to send the others.
    public var events: MilterEvents
    /// Events that the filter answers with more than `continue`.
    ///
    /// The MTA does not wait for an answer to the others, so that a header field costs no round trip. The end of a
    /// message is always answered.
    public var answered: MilterEvents
    /// Whether to ask for header field values with their leading space, when the MTA offers it.
    public var leadingSpace: Bool

    /// A request; by default every event but unknown commands, with an answer at RCPT and at the end only.
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

    /// The protocol bits that say this.
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

/// What an MTA offers (SMFIC_OPTNEG).
public struct MilterOffer: Sendable, Hashable {
    /// The protocol version.
    public let version: UInt32
    /// The modifications that the MTA can do.
    public let actions: UInt32
    /// The protocol steps that the MTA can leave out, and what else it knows.
    public let protocolBits: UInt32

    /// An offer from its parts.
    public init(version: UInt32, actions: UInt32, protocolBits: UInt32) {
        self.version = version
        self.actions = actions
        self.protocolBits = protocolBits
    }

    /// Reads a packet's data: three 32-bit numbers, big-endian.
    ///
    /// More is for later versions and is not looked at.
    public init(parsing data: UnsafeRawBufferPointer) throws(MilterPayloadError) {
        guard data.count >= Int(MILTER_OPTLEN) else { throw .negotiation }
        func number(_ offset: Int) -> UInt32 {
            unsafe UInt32(bigEndian: data.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        self.init(version: number(0), actions: number(4), protocolBits: number(8))
        // Version 1 has other defaults and no MTA in use speaks it; libmilter refuses it too.
        guard version >= 2 else { throw .negotiation }
    }
}

/// What filter and MTA agreed on.
public struct MilterOptions: Sendable, Hashable {
    /// The protocol version.
    public let version: UInt32
    /// The modifications that may be asked for.
    public let actions: MilterActions
    /// The agreed protocol bits.
    let protocolBits: UInt32

    /// Nothing: the state before negotiation.
    static let none = MilterOptions(version: 0, actions: [], protocolBits: 0)

    private init(version: UInt32, actions: MilterActions, protocolBits: UInt32) {
        self.version = version
        self.actions = actions
        self.protocolBits = protocolBits
    }

    /// The lower version, and what is both offered and requested.
    ///
    /// Postfix ends the milter session over any bit that it did not offer. Bits 28 to 30 are libmilter's own, for its data
    /// size; no request contains them, so they are never echoed.
    public init(offer: MilterOffer, request: MilterRequest) {
        self.init(
            version: min(offer.version, UInt32(SMFI_PROT_VERSION)),
            actions: MilterActions(rawValue: offer.actions).intersection(request.actions),
            protocolBits: offer.protocolBits & request.protocolBits
        )
    }

    /// Whether header field values have their leading space, from the MTA and towards it.
    public var leadingSpace: Bool { protocolBits & UInt32(SMFIP_HDR_LEADSPC) != 0 }

    /// Whether the MTA understands `skip`.
    public var skip: Bool { protocolBits & UInt32(SMFIP_SKIP) != 0 }

    /// Whether the MTA waits for an answer to this event.
    ///
    /// This one table decides: an answer that is not expected desynchronizes the stream, a missing one hangs it.
    public func expectsAnswer(to event: MilterEvent) -> Bool { protocolBits & event.silence == 0 }
}
