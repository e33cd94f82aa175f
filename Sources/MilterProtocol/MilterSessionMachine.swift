/// What an MTA may not say, or not now.
public enum MilterViolation: Error, Sendable, Hashable {
    /// Something else than option negotiation came first. This is what a health checker or a web browser looks like.
    case notMilter
    /// An octet that is no command.
    case unknownCommand(UInt8)
    /// A command that does not belong there.
    case misplaced(MilterCommand)
    /// A packet of length 0 or beyond the cap.
    case packetLength(UInt32)
    /// A packet with data that its command does not allow.
    case payload(MilterPayloadError)
}

/// What is to be done about a command.
public enum MilterStep: Sendable, Hashable {
    /// Read the offer, and hand it to `negotiate`.
    case negotiate
    /// Read the definitions, and hand them to `define`.
    case define
    /// Hand the event to the filter, and its response to `answer`. Before that, tell it that the message in progress is
    /// given up, if `aborting` says so.
    case deliver(MilterEvent, aborting: Bool)
    /// The event is not for the filter: write this answer, if there is one.
    case answer(MilterResponse?)
    /// Tell the filter that the message in progress is given up.
    case abort
    /// Nothing is to be done.
    case ignore
    /// The SMTP session ends and another one follows. The filter is told of an abort if `aborting` says so.
    case restart(aborting: Bool)
    /// Close the connection, because the MTA quits or has violated the protocol. The filter is told of an abort if
    /// `aborting` says so.
    case close(MilterViolation?, aborting: Bool)
}

/// The state of one milter connection: commands in, steps out.
///
/// A value without I/O or clock. For every command call `receive` and do what the step says; for an event that was delivered
/// call `answer` with the filter's response, before the next command.
public struct MilterSessionMachine: Sendable {
    private enum Phase: Sendable, Hashable {
        case new
        case idle(connected: Bool)
        case message(MilterEvent)
    }

    /// What was agreed on.
    public private(set) var options = MilterOptions.none
    /// The macros defined at this point.
    public private(set) var macros = MilterMacros()

    private let request: MilterRequest
    private var phase = Phase.new
    /// The response after which nothing more of this connection is delivered.
    private var settledConnection: MilterResponse?
    /// The response after which nothing more of this message is delivered.
    private var settledMessage: MilterResponse?
    private var skipsBody = false
    private var hasFreshMailMacros = false

    /// A connection's machine, and what its filter wants.
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

    /// Takes an MTA's offer.
    public mutating func negotiate(_ offer: MilterOffer) {
        options = MilterOptions(offer: offer, request: request)
        phase = .idle(connected: false)
    }

    /// Takes macro definitions: a packet's data.
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

    /// Refuses the message in progress for now, or where there is none all messages of the connection, because the filter
    /// cannot take what was sent; nothing of it is delivered any more.
    ///
    /// - Parameter event: what could not be taken; nil for definitions of macros.
    /// - Returns: the answer to write, or nil if the MTA waits for none; and whether the filter is to be told that the message
    ///   in progress is given up.
    public mutating func fail(at event: MilterEvent?) -> (answer: MilterResponse?, aborting: Bool) {
        let aborting = isInMessage && settledMessage == nil && settledConnection == nil
        if isInMessage { settledMessage = .tempfail } else { settledConnection = .tempfail }
        guard let event, options.expectsAnswer(to: event) else { return (nil, aborting) }
        if event == .endOfMessage { _ = endMessage() }
        return (.tempfail, aborting)
    }

    /// The connection is gone.
    ///
    /// - Returns: whether the filter is to be told that the message in progress is given up.
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

    /// Whether an event may come after another one of the same message.
    ///
    /// Steps may be left out: DATA is not sent for mail that did not come by SMTP, an empty body has no chunk.
    private static func may(_ event: MilterEvent, follow previous: MilterEvent) -> Bool {
        switch event {
        case .recipient, .header, .body: event.rawValue >= previous.rawValue
        default: event.rawValue > previous.rawValue
        }
    }

    /// The response, or `continue` for one that does not exist at this event.
    private func permitted(_ response: MilterResponse, at event: MilterEvent) -> MilterResponse {
        switch (response, event) {
        case (.skip, .body): response
        case (.skip, _), (.discard, .connect), (.discard, .helo), (.discard, .unknown), (.accept, .unknown): .continue
        default: response
        }
    }

    private mutating func settle(_ response: MilterResponse, at event: MilterEvent) {
        // What the MTA never hears must not have an effect here either.
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

    /// A new MAIL begins a message whether or not the previous one was ended.
    ///
    /// - Returns: whether a message was in progress.
    private mutating func beginMessage() -> Bool {
        // The definitions for this MAIL came before it, and are not the previous message's.
        let aborting = endMessage(keepsMacros: hasFreshMailMacros)
        hasFreshMailMacros = false
        phase = .message(.mail)
        return aborting
    }

    /// Forgets the message in progress.
    ///
    /// - Returns: whether there was one whose filter has not spoken its last word.
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
