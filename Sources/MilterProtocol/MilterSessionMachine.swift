/// A violation of the protocol by an MTA.
public enum MilterViolation: Error, Sendable, Hashable {
    /// The first packet is not option negotiation, for example because the peer is a health checker or a web browser.
    case notMilter
    /// An octet that is not a command.
    case unknownCommand(UInt8)
    /// A command in the wrong place.
    case misplaced(MilterCommand)
    /// A packet of length 0 or beyond the limit.
    case packetLength(UInt32)
    /// A packet with data that its command does not allow.
    case payload(MilterPayloadError)
}

/// The next step for a command.
public enum MilterStep: Sendable, Hashable {
    /// Read the offer, and pass it to `negotiate`.
    case negotiate
    /// Read the definitions, and pass them to `define`.
    case define
    /// Pass the event to the filter, and its response to `answer`.
    ///
    /// If `aborting`, first tell the filter that the message in progress is given up.
    case deliver(MilterEvent, aborting: Bool)
    /// The event is not for the filter: write this answer, if there is one.
    case answer(MilterResponse?)
    /// Tell the filter that the message in progress is given up.
    case abort
    /// Do nothing.
    case ignore
    /// The SMTP session ends, and another session follows; if `aborting`, tell the filter of the abort.
    case restart(aborting: Bool)
    /// Close the connection, because the MTA quits or has violated the protocol; if `aborting`, tell the filter too.
    case close(MilterViolation?, aborting: Bool)
}

/// The state of one milter connection: commands in, steps out.
///
/// A value without I/O or clock. For every command, call `receive` and perform the step that it returns. For a
/// delivered event, call `answer` with the filter's response, before the next command.
public struct MilterSessionMachine: Sendable {
    private enum Phase: Sendable, Hashable {
        case new
        case idle(connected: Bool)
        case message(MilterEvent)
    }

    /// The negotiated options.
    public private(set) var options = MilterOptions.none
    /// The macros that are defined at this point.
    public private(set) var macros = MilterMacros()

    private let request: MilterRequest
    private var phase = Phase.new
    /// The response that settled the connection: no further events of the connection are delivered.
    private var settledConnection: MilterResponse?
    /// The response that settled the message: no further events of the message are delivered.
    private var settledMessage: MilterResponse?
    private var skipsBody = false
    private var hasFreshMailMacros = false

    /// A machine for a connection, with the requests of its filter.
    public init(request: MilterRequest) { self.request = request }

    /// Whether a message is in progress.
    public var isInMessage: Bool { if case .message = phase { true } else { false } }

    /// Whether the filter wants the body octets that the end of a message may carry.
    public var wantsBody: Bool { request.events.contains(.body) && !skipsBody }

    /// Whether the MTA has negotiated.
    public var isNegotiated: Bool { phase != .new }

    /// Takes a command.
    public mutating func receive(_ command: MilterCommand) -> MilterStep {
        switch command {
        case .negotiate: return phase == .new || phase == .idle(connected: false) ? .negotiate : violate(command)
        case .quit: return .close(nil, aborting: endMessage())
        case _ where phase == .new: return .close(.notMilter, aborting: false)
        case .macros: return .define
        case .abort: return endMessage() ? .abort : .ignore
        case .quitNewConnection:
            let aborting = endMessage()
            phase = .idle(connected: false)
            settledConnection = nil
            macros.clear(from: .connect)
            return .restart(aborting: aborting)
        case .event(let event): return receive(event)
        }
    }

    /// Takes the offer of an MTA.
    public mutating func negotiate(_ offer: MilterOffer) {
        options = MilterOptions(offer: offer, request: request)
        phase = .idle(connected: false)
    }

    /// Takes macro definitions, the data of a packet.
    public mutating func define(_ data: UnsafeRawBufferPointer) {
        if unsafe macros.define(data) { hasFreshMailMacros = true }
    }

    /// Takes the filter's response to a delivered event.
    ///
    /// - Returns: the answer to write, or nil if the MTA waits for none.
    public mutating func answer(_ response: MilterResponse, to event: MilterEvent) -> MilterResponse? {
        let response = permitted(response, at: event)
        settle(response, at: event)
        guard options.expectsAnswer(to: event) else { return nil }
        return response == .skip && !options.skip ? .continue : response
    }

    /// Refuses the message in progress for now, because the filter cannot take something that was sent.
    ///
    /// Without a message in progress, it refuses all messages of the connection. No further events are delivered.
    ///
    /// - Parameter event: the event that could not be taken; nil for macro definitions.
    /// - Returns: the answer to write, or nil if the MTA waits for none; and whether to tell the filter that the
    ///   message in progress is given up.
    public mutating func fail(at event: MilterEvent?) -> (answer: MilterResponse?, aborting: Bool) {
        let aborting = isInMessage && settledMessage == nil && settledConnection == nil
        if isInMessage { settledMessage = .tempfail } else { settledConnection = .tempfail }
        guard let event, options.expectsAnswer(to: event) else { return (nil, aborting) }
        if event == .endOfMessage { _ = endMessage() }
        return (.tempfail, aborting)
    }

    /// Ends the machine, because the connection is gone.
    ///
    /// - Returns: whether to tell the filter that the message in progress is given up.
    public mutating func disconnect() -> Bool { endMessage() }

    private mutating func receive(_ event: MilterEvent) -> MilterStep {
        var aborting = false
        switch (event, phase) {
        case (.unknown, _): break
        case (.connect, .idle(connected: false)): phase = .idle(connected: true)
        case (.connect, _): return violate(.event(event))
        case (.helo, _):
            aborting = endMessage()
            phase = .idle(connected: true)
        case (.mail, _): aborting = beginMessage()
        case (_, .message(let previous)) where MilterSessionMachine.may(event, follow: previous):
            phase = .message(event)
        default: return violate(.event(event))
        }
        if let settled = settledConnection ?? (isInMessage ? settledMessage : nil) {
            if event == .endOfMessage { _ = endMessage() }
            return .answer(options.expectsAnswer(to: event) ? settled : nil)
        }
        guard request.events.contains(event), !(event == .body && skipsBody) else {
            if event == .endOfMessage { _ = endMessage() }
            let expected = options.expectsAnswer(to: event)
            return .answer(expected ? (event == .body && skipsBody && options.skip ? .skip : .continue) : nil)
        }
        return .deliver(event, aborting: aborting)
    }

    /// Whether an event may follow another event of the same message.
    ///
    /// Steps may be missing: DATA is not sent for mail that did not come by SMTP, and an empty body has no chunk.
    private static func may(_ event: MilterEvent, follow previous: MilterEvent) -> Bool {
        switch event {
        case .recipient, .header, .body: event.rawValue >= previous.rawValue
        default: event.rawValue > previous.rawValue
        }
    }

    /// The response; `continue` when the response is not defined for this event.
    private func permitted(_ response: MilterResponse, at event: MilterEvent) -> MilterResponse {
        switch (response, event) {
        case (.skip, .body): response
        case (.skip, _), (.discard, .connect), (.discard, .helo), (.discard, .unknown), (.accept, .unknown): .continue
        default: response
        }
    }

    private mutating func settle(_ response: MilterResponse, at event: MilterEvent) {
        // A response that the MTA never receives must have no effect here either.
        guard options.expectsAnswer(to: event) || response == .skip else { return }
        switch (event, response) {
        case (.endOfMessage, _): _ = endMessage()
        case (.body, .skip): skipsBody = true
        case (.unknown, _), (_, .continue), (_, .skip): break
        case (.connect, _), (.helo, .accept): settledConnection = response
        case (.helo, _): break
        case (.recipient, _) where response.refuses: break
        default: settledMessage = response
        }
    }

    /// Begins a message at MAIL, whether or not the previous message has ended.
    ///
    /// - Returns: whether a message was in progress.
    private mutating func beginMessage() -> Bool {
        // The definitions for this MAIL came before it, and do not belong to the previous message.
        let aborting = endMessage(keepsMacros: hasFreshMailMacros)
        hasFreshMailMacros = false
        phase = .message(.mail)
        return aborting
    }

    /// Ends the message in progress.
    ///
    /// - Returns: whether there was a message that the filter had not settled.
    private mutating func endMessage(keepsMacros: Bool = false) -> Bool {
        guard isInMessage else { return false }
        let wasOpen = settledMessage == nil && settledConnection == nil
        phase = .idle(connected: true)
        settledMessage = nil
        skipsBody = false
        hasFreshMailMacros = false
        if !keepsMacros { macros.clear(from: .mail) }
        return wasOpen
    }

    private mutating func violate(_ command: MilterCommand) -> MilterStep {
        .close(.misplaced(command), aborting: endMessage())
    }
}
