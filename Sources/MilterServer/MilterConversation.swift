internal import MilterProtocol

/// One session as packets: the MTA's packets go in, the filter gets their events, and the answers come out.
///
/// It has no channel and no clock. The reader of the connection passes one packet after another, but none while an
/// answer is owed, and writes the contents of `output`.
final class MilterConversation {
    /// A body chunk that the filter has received except for the rest.
    private struct OpenChunk {
        /// The filter's response, or an earlier decision; nil when the MTA gets no answer.
        var response: MilterResponse?
        /// Whether the filter gets this chunk.
        let isDelivered: Bool
    }

    private let session: MilterSession
    private let registry: MilterSessionRegistry
    private let makeHandler: (MilterSession) -> any MilterSessionHandler
    private var handler: any MilterSessionHandler
    private var openChunk: OpenChunk?
    private var pending = PendingAnswer()
    private var statistics = SessionStatistics()
    /// The octets to write.
    var output = MilterWriter()
    /// Whether the MTA has quit.
    private(set) var hasQuit = false

    /// A new session.
    init(
        _ session: MilterSession,
        registry: MilterSessionRegistry,
        makeHandler: @escaping (MilterSession) -> any MilterSessionHandler
    ) {
        self.session = session
        self.registry = registry
        self.makeHandler = makeHandler
        handler = makeHandler(session)
        session.machine = MilterSessionMachine(request: handler.request)
    }

    /// The event whose answer the MTA waits for; nil when it does not wait.
    var owed: MilterEvent? { pending.event }

    /// Whether a body chunk has begun and is incomplete.
    var isWithinChunk: Bool { openChunk != nil }

    /// Whether nothing is in progress, so that the connection can be closed without loss.
    var isIdle: Bool { !session.machine.isInMessage && !pending.isWaited }

    /// Counts received octets.
    func note(receivedOctets count: Int) { statistics.receivedOctets += count }
}

// MARK: Packets

extension MilterConversation {
    /// Processes a packet.
    ///
    /// - Parameters:
    ///   - octet: the command of the packet.
    ///   - data: the data of the packet.
    ///   - rest: how many octets of a body chunk are missing.
    ///   - makeAnswer: makes the answer with this number, which the filter may complete later.
    /// - Returns: whether the packet contained macro definitions, which are kept.
    func receive(
        _ octet: UInt8,
        _ data: UnsafeRawBufferPointer,
        rest: Int,
        _ makeAnswer: (UInt64) -> MilterAnswer
    ) throws(MilterViolation) -> Bool {
        guard let command = MilterCommand(octet: octet) else { throw .unknownCommand(octet) }
        switch session.machine.receive(command) {
        case .negotiate:
            let offer = try parse { () throws(MilterPayloadError) in try unsafe MilterOffer(parsing: data) }
            session.machine.negotiate(offer)
            output.write(session.options)
        case .define:
            unsafe session.machine.define(data)
            return true
        case .deliver(let event, let aborting):
            abort(aborting)
            try unsafe deliver(event, data, rest: rest, makeAnswer)
        case .answer(let response): settle(OpenChunk(response: response, isDelivered: false), rest: rest)
        case .abort: abort(true)
        case .ignore: break
        case .restart(let aborting):
            abort(aborting)
            handler.close()
            handler = makeHandler(session)
        case .close(let violation, let aborting):
            abort(aborting)
            if let violation { throw violation }
            hasQuit = true
        }
        return false
    }

    /// Processes the next octets of a chunk.
    func receivePiece(_ piece: UnsafeRawBufferPointer, rest: Int) {
        guard var chunk = openChunk else { return }
        // The filter decides once: after a response other than `continue`, it does not get the rest.
        if chunk.isDelivered, chunk.response == .continue { chunk.response = unsafe handler.body(piece) }
        settle(chunk, rest: rest)
    }

    /// Keeps a chunk until it is complete, and then answers it.
    private func settle(_ chunk: OpenChunk, rest: Int) {
        openChunk = rest > 0 ? chunk : nil
        guard openChunk == nil, let response = chunk.response else { return }
        if chunk.isDelivered {
            answer(response, to: .body)
        } else {
            output.write(response)
        }
    }

    private func parse<Value>(_ body: () throws(MilterPayloadError) -> Value) throws(MilterViolation) -> Value {
        do throws(MilterPayloadError) { return try body() } catch { throw .payload(error) }
    }

    private func deliver(
        _ event: MilterEvent,
        _ data: UnsafeRawBufferPointer,
        rest: Int,
        _ makeAnswer: (UInt64) -> MilterAnswer
    ) throws(MilterViolation) {
        statistics.events[Int(event.rawValue)] += 1
        let response: MilterResponse?
        switch event {
        case .header:
            let field = try parse { () throws(MilterPayloadError) in try unsafe MilterHeaderField(parsing: data) }
            response = unsafe handler.header(
                name: UnsafeRawBufferPointer(rebasing: data[field.name]),
                value: UnsafeRawBufferPointer(rebasing: data[field.value])
            )
        case .body:
            return settle(OpenChunk(response: unsafe handler.body(data), isDelivered: true), rest: rest)
        case .connect:
            response = handler.connect(
                try parse { () throws(MilterPayloadError) in try unsafe MilterConnection(parsing: data) }
            )
        case .helo: response = unsafe handler.helo(MilterPayload.string(data))
        case .mail: response = try unsafe handler.mail(arguments(data))
        case .recipient:
            let arguments = try unsafe arguments(data)
            response =
                deferred(event, makeAnswer) { answer in
                    handler.recipient(arguments, answer: answer).map { MilterVerdict($0) }
                }?.response
        case .data:
            response = deferred(event, makeAnswer) { handler.data(answer: $0).map { MilterVerdict($0) } }?.response
        case .endOfHeaders: response = handler.endOfHeaders()
        case .unknown: response = unsafe handler.unknown(MilterPayload.string(data))
        case .endOfMessage:
            if let verdict = unsafe endOfMessage(data, makeAnswer) { finish(verdict, at: event) }
            return
        }
        if let response { answer(response, to: event) }
    }

    private func arguments(_ data: UnsafeRawBufferPointer) throws(MilterViolation) -> [ArraySlice<UInt8>] {
        try parse { () throws(MilterPayloadError) in try unsafe MilterPayload.arguments(data) }
    }

    /// The end of a message may carry the last part of its body.
    private func endOfMessage(
        _ data: UnsafeRawBufferPointer,
        _ makeAnswer: (UInt64) -> MilterAnswer
    ) -> MilterVerdict? {
        if unsafe !data.isEmpty, session.machine.wantsBody {
            let response = unsafe handler.body(data)
            if response != .continue, response != .skip { return MilterVerdict(response) }
        }
        return deferred(.endOfMessage, makeAnswer) { handler.endOfMessage(answer: $0) }
    }

    /// Calls the handler with an answer that the handler may complete later, or even before it returns.
    private func deferred(
        _ event: MilterEvent,
        _ makeAnswer: (UInt64) -> MilterAnswer,
        _ call: (MilterAnswer) -> MilterVerdict?
    ) -> MilterVerdict? {
        let number = pending.ask(event)
        let said = call(makeAnswer(number))
        return pending.asked(said)
    }
}

// MARK: Answers

extension MilterConversation {
    /// Processes a later answer of the filter; false when the MTA does not wait for it.
    func complete(_ number: UInt64, with verdict: MilterVerdict) -> Bool {
        guard let event = pending.take(verdict, number: number) else { return false }
        finish(verdict, at: event)
        return true
    }

    /// Writes the answer to an event, if the MTA waits for an answer.
    private func answer(_ response: MilterResponse, to event: MilterEvent) {
        if let answer = session.machine.answer(response, to: event) { output.write(answer) }
    }

    /// Writes the answer to an event; at the end of a message, the modifications come before it.
    private func finish(_ verdict: MilterVerdict, at event: MilterEvent) {
        guard event == .endOfMessage else { return answer(verdict.response, to: event) }
        let options = session.options
        for modification in verdict.modifications { output.write(modification, options: options) }
        statistics.messages += 1
        answer(verdict.response, to: event)
        report()
    }
}

// MARK: Ends

extension MilterConversation {
    /// Refuses a packet for which there is no memory, and its message; the rest of the packet follows as pieces.
    func refuse(_ octet: UInt8, rest: Int) throws(MilterViolation) {
        guard let command = MilterCommand(octet: octet) else { throw .unknownCommand(octet) }
        let response: MilterResponse?
        switch session.machine.receive(command) {
        case .deliver(let event, let aborting):
            abort(aborting)
            response = fail(at: event)
        case .define: response = fail(at: nil)
        case .answer(let settled): response = settled
        default: throw .misplaced(command)
        }
        settle(OpenChunk(response: response, isDelivered: false), rest: rest)
    }

    /// Refuses the message in progress, because there is no memory for the new definitions.
    func refuseDefinitions() { _ = fail(at: nil) }

    private func fail(at event: MilterEvent?) -> MilterResponse? {
        let (response, aborting) = session.machine.fail(at: event)
        if aborting { giveUp { $0.giveUpWithoutRoom() } }
        return response
    }

    private func abort(_ isInMessage: Bool) {
        if isInMessage { giveUp { $0.abort() } }
    }

    private func giveUp(_ tell: (any MilterSessionHandler) -> Void) {
        statistics.abortedMessages += 1
        tell(handler)
        report()
    }

    /// Ends the session when the connection is closed; called once, and nothing is called after it.
    func end() {
        pending.cancel()
        abort(session.machine.disconnect())
        handler.close()
        report()
    }

    private func report() {
        registry.report(statistics)
        statistics = SessionStatistics()
    }
}
