internal import MilterProtocol

/// One session as packets: those of the MTA go in, its filter is told of the events in them, and the answers come out.
///
/// It has no channel and no clock. Whoever reads the connection gives it one packet after another, but none while an answer
/// is owed, and writes what is in `output`.
final class MilterConversation {
    /// A chunk of a body, of which the filter has had all but the rest.
    private struct OpenChunk {
        /// The filter's response, or what was settled before; nil when the MTA is told nothing.
        var response: MilterResponse?
        /// Whether the filter is asked about this chunk.
        let isDelivered: Bool
    }

    private let session: MilterSession
    private let registry: MilterSessionRegistry
    private let makeHandler: (MilterSession) -> any MilterSessionHandler
    private var handler: any MilterSessionHandler
    private var openChunk: OpenChunk?
    private var pending = PendingAnswer()
    private var statistics = SessionStatistics()
    /// What is to be written.
    var output = MilterWriter()
    /// Whether the MTA has quit.
    private(set) var hasQuit = false

    /// A session that begins.
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

    /// What the MTA waits for; nil when it waits for nothing.
    var owed: MilterEvent? { pending.event }

    /// Whether a chunk of a body is begun and not complete.
    var isWithinChunk: Bool { openChunk != nil }

    /// Whether nothing is under way, so that the connection can be closed without loss.
    var isIdle: Bool { !session.machine.isInMessage && !pending.isWaited }

    /// Counts octets that were received.
    func note(receivedOctets count: Int) { statistics.receivedOctets += count }
}

// MARK: Packets

extension MilterConversation {
    /// Takes a packet.
    ///
    /// - Parameters:
    ///   - octet: its command.
    ///   - data: its data.
    ///   - rest: how many octets of a chunk of a body are missing.
    ///   - makeAnswer: makes the answer with this number, for a filter that may give it later.
    /// - Returns: whether there are definitions in it, which are kept.
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

    /// Takes the next octets of a chunk.
    func receivePiece(_ piece: UnsafeRawBufferPointer, rest: Int) {
        guard var chunk = openChunk else { return }
        // The filter has its say once: after another response it is not asked about the rest.
        if chunk.isDelivered, chunk.response == .continue { chunk.response = unsafe handler.body(piece) }
        settle(chunk, rest: rest)
    }

    /// Keeps a chunk until it is whole, and then answers it.
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

    /// The end of a message may carry the last of its body.
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

    /// Calls the handler with an answer that it may complete later, or even before it returns.
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
    /// Takes an answer that the filter gives later; false when the MTA does not wait for it.
    func complete(_ number: UInt64, with verdict: MilterVerdict) -> Bool {
        guard let event = pending.take(verdict, number: number) else { return false }
        finish(verdict, at: event)
        return true
    }

    /// Writes the answer of an event, if the MTA waits for one.
    private func answer(_ response: MilterResponse, to event: MilterEvent) {
        if let answer = session.machine.answer(response, to: event) { output.write(answer) }
    }

    /// Writes the answer of an event, and at the end of a message its changes before that.
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
    /// Refuses a packet that found no memory, and the message that it belongs to; the rest of it comes as pieces.
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

    /// Refuses the message in progress, because there is no memory for the definitions that came.
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

    /// The connection is gone; called once, and nothing after it.
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
