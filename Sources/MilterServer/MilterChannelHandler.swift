internal import MilterProtocol
internal import NIOCore

/// Connects a channel with its session's machine and handler.
///
/// Packets are read where they were received. One that is split between two reads is put together in `held`, but for a
/// chunk of a body, which goes to the filter piece by piece. While an answer is pending nothing is read.
final class MilterChannelHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// A chunk of a body, of which the filter has had all but the rest.
    private struct OpenChunk {
        /// The filter's response, or what was settled before; nil when the MTA is told nothing.
        var response: MilterResponse?
        /// Whether the filter is asked about this chunk.
        let isDelivered: Bool
    }

    private let session: MilterSession
    private let configuration: MilterServerConfiguration
    private let registry: MilterSessionRegistry
    private let makeHandler: (MilterSession) -> any MilterSessionHandler
    private var handler: any MilterSessionHandler
    private var context: ChannelHandlerContext?

    private var reader: MilterPacketReader
    /// The beginning of what is not complete.
    private var held = ByteBuffer()
    /// How many octets were written that the MTA has not taken yet, where they are many.
    private var unsent = 0
    private var share: MemoryShare
    private var openChunk: OpenChunk?
    private var writer = MilterWriter()
    private var statistics = SessionStatistics()
    private var patience: SessionPatience
    private var timer: Scheduled<Void>?

    private var pending = PendingAnswer()
    private var progress: Scheduled<Void>?
    private var isReadWanted = false
    private var isDraining = false
    private var isClosed = false

    init(
        session: MilterSession,
        configuration: MilterServerConfiguration,
        registry: MilterSessionRegistry,
        makeHandler: @escaping (MilterSession) -> any MilterSessionHandler
    ) {
        self.session = session
        self.configuration = configuration
        self.registry = registry
        self.makeHandler = makeHandler
        handler = makeHandler(session)
        reader = MilterPacketReader(maximumLength: configuration.maximumPacketLength)
        patience = SessionPatience(configuration, now: session.eventLoop.now)
        share = MemoryShare(of: session.memory)
        session.machine = MilterSessionMachine(request: handler.request)
    }
}

// MARK: The channel's events
extension MilterChannelHandler {
    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        patience = SessionPatience(configuration, now: session.eventLoop.now)
        scheduleTimeout()
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end(session.machine.disconnect())
        context.fireChannelInactive()
    }

    func read(context: ChannelHandlerContext) {
        isReadWanted = true
        readIfAllowed()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        readIfAllowed()
        context.fireChannelWritabilityChanged()
    }

    /// Reads on, unless an answer is pending or the MTA does not take those that it has.
    private func readIfAllowed() {
        guard isReadWanted, !pending.isWaited, let context, context.channel.isWritable else { return }
        isReadWanted = false
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosed else { return }
        var incoming = unwrapInboundIn(data)
        patience.note(now: session.eventLoop.now)
        statistics.receivedOctets += incoming.readableBytes
        let packetsBefore = reader.packetCount
        if pending.isWaited {
            hold(&incoming)
        } else {
            take(&incoming)
        }
        notePacket(isAnother: reader.packetCount != packetsBefore)
        flush()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { close() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is MilterDrainEvent else { return context.fireUserInboundEventTriggered(event) }
        isDraining = true
        closeIfDrained()
    }
}

// MARK: Octets to packets
extension MilterChannelHandler {
    /// Reads the packets of a buffer, after those of what is held.
    private func take(_ incoming: inout ByteBuffer) {
        while held.readableBytes > 0, incoming.readableBytes > 0, canRead {
            // Only the rest of the split packet goes through the held buffer.
            let rest = max(reader.neededCount - held.readableBytes, 0)
            if var piece = incoming.readSlice(length: min(rest, incoming.readableBytes)) { keep(&piece) }
            processHeld()
        }
        if held.readableBytes == 0, canRead { process(&incoming) }
        hold(&incoming)
        // Large packets are rare, and a buffer that waits for the next one is counted nowhere.
        if held.readableBytes == 0, held.capacity > 16_384 { held = ByteBuffer() }
        share.mustHold(heldOctets)
    }

    private var canRead: Bool { !pending.isWaited && !isClosed }

    private func processHeld() {
        var buffer = held
        held = ByteBuffer()
        process(&buffer)
        guard !isClosed else { return }
        if buffer.readableBytes == 0 { buffer.clear() }
        held = buffer
    }

    /// Keeps what could not be read yet.
    ///
    /// While an answer is pending the MTA waits, so that this is little; if it sends more all the same, the cap on
    /// packets is the cap here.
    private func hold(_ incoming: inout ByteBuffer) {
        guard incoming.readableBytes > 0, !isClosed else { return }
        guard held.readableBytes + incoming.readableBytes <= configuration.maximumPacketLength + 262_144 else {
            return violate(.packetLength(UInt32(clamping: held.readableBytes + incoming.readableBytes)))
        }
        keep(&incoming)
    }

    /// Adds octets to those of a packet that is not complete; without room for them the packet is refused.
    private func keep(_ piece: inout ByteBuffer) {
        let octets = held.readableBytes + piece.readableBytes
        // What completes a packet is kept for no time.
        let isComplete = octets >= reader.neededCount && !pending.isWaited
        guard octets <= MemoryShare.free || isComplete || share.hold(heldOctets + piece.readableBytes) else {
            return refuse(&piece)
        }
        if held.readableBytes == 0 { held.clear(minimumCapacity: min(reader.neededCount, 131_072)) }
        held.writeBuffer(&piece)
    }

    /// What counts of this connection for the memory that all share.
    private var heldOctets: Int { held.readableBytes + session.machine.macros.octetCount + unsent }

    private func process(_ buffer: inout ByteBuffer) {
        let consumed = unsafe buffer.withUnsafeReadableBytes { octets in unsafe processParts(octets) }
        buffer.moveReaderIndex(forwardBy: consumed)
    }

    /// Reads until a packet is incomplete, an answer is pending or the connection is closed.
    ///
    /// - Returns: how many octets were read.
    private func processParts(_ octets: UnsafeRawBufferPointer) -> Int {
        var position = 0
        do throws(MilterViolation) {
            while canRead, let part = try unsafe reader.next(in: octets, &position) {
                switch part {
                case .packet(let command, let data, let rest):
                    try unsafe receive(command, UnsafeRawBufferPointer(rebasing: octets[data]), rest: rest)
                case .piece(let data, let rest):
                    unsafe receivePiece(UnsafeRawBufferPointer(rebasing: octets[data]), rest: rest)
                }
            }
        } catch {
            violate(error)
        }
        return isClosed ? octets.count : position
    }

    /// Takes the next octets of a chunk.
    private func receivePiece(_ piece: UnsafeRawBufferPointer, rest: Int) {
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
            writer.write(response)
        }
    }
}

// MARK: Packets that cannot be kept
extension MilterChannelHandler {
    /// Has the rest of a packet passed over, and its message come again later.
    private func refuse(_ piece: inout ByteBuffer) {
        // Octets that come while an answer is owed may be many packets, and no MTA sends them.
        guard !pending.isWaited else { return close() }
        if held.readableBytes == 0 { swap(&held, &piece) }
        let begun = held.readableBytes + piece.readableBytes
        let refused = unsafe held.withUnsafeReadableBytes { unsafe reader.passOver($0, count: begun) }
        held = ByteBuffer()
        piece.clear()
        guard let (command, rest) = refused else { return close() }
        do throws(MilterViolation) {
            try refuse(command, rest: rest)
        } catch {
            violate(error)
        }
    }

    private func refuse(_ octet: UInt8, rest: Int) throws(MilterViolation) {
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

    private func fail(at event: MilterEvent?) -> MilterResponse? {
        let (response, aborting) = session.machine.fail(at: event)
        if aborting { giveUp { $0.giveUpWithoutRoom() } }
        return response
    }
}

// MARK: Packets to events
extension MilterChannelHandler {
    /// Takes a packet; of a chunk of a body, `rest` octets may be missing.
    private func receive(_ octet: UInt8, _ data: UnsafeRawBufferPointer, rest: Int) throws(MilterViolation) {
        guard let command = MilterCommand(octet: octet) else { throw .unknownCommand(octet) }
        switch session.machine.receive(command) {
        case .negotiate:
            let offer = try parse { () throws(MilterPayloadError) in try unsafe MilterOffer(parsing: data) }
            session.machine.negotiate(offer)
            writer.write(session.options)
        case .define:
            unsafe session.machine.define(data)
            if !share.hold(heldOctets) { _ = fail(at: nil) }
        case .deliver(let event, let aborting):
            abort(aborting)
            try unsafe deliver(event, data, rest: rest)
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
            close()
        }
        closeIfDrained()
    }

    private func parse<Value>(_ body: () throws(MilterPayloadError) -> Value) throws(MilterViolation) -> Value {
        do throws(MilterPayloadError) { return try body() } catch { throw .payload(error) }
    }

    private func deliver(
        _ event: MilterEvent,
        _ data: UnsafeRawBufferPointer,
        rest: Int
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
            response = deferred(event) { handler.recipient(arguments, answer: $0).map { MilterVerdict($0) } }?.response
        case .data: response = deferred(event) { handler.data(answer: $0).map { MilterVerdict($0) } }?.response
        case .endOfHeaders: response = handler.endOfHeaders()
        case .unknown: response = unsafe handler.unknown(MilterPayload.string(data))
        case .endOfMessage:
            if let verdict = unsafe endOfMessage(data) { finish(verdict, at: event) }
            return
        }
        if let response { answer(response, to: event) }
    }

    private func arguments(_ data: UnsafeRawBufferPointer) throws(MilterViolation) -> [ArraySlice<UInt8>] {
        try parse { () throws(MilterPayloadError) in try unsafe MilterPayload.arguments(data) }
    }

    /// The end of a message may carry the last of its body.
    private func endOfMessage(_ data: UnsafeRawBufferPointer) -> MilterVerdict? {
        if unsafe !data.isEmpty, session.machine.wantsBody {
            let response = unsafe handler.body(data)
            if response != .continue, response != .skip { return MilterVerdict(response) }
        }
        return deferred(.endOfMessage) { handler.endOfMessage(answer: $0) }
    }

    /// Calls the handler with an answer that it may complete later, or even before it returns.
    private func deferred(_ event: MilterEvent, _ call: (MilterAnswer) -> MilterVerdict?) -> MilterVerdict? {
        let number = pending.ask(event)
        let said = call(MilterAnswer(self, number: number, eventLoop: session.eventLoop))
        let verdict = pending.asked(said)
        if verdict == nil, event == .endOfMessage { scheduleProgress() }
        return verdict
    }

    private func abort(_ isInMessage: Bool) {
        if isInMessage { giveUp { $0.abort() } }
    }

    private func giveUp(_ tell: (any MilterSessionHandler) -> Void) {
        statistics.abortedMessages += 1
        tell(handler)
        report()
    }
}

// MARK: Answers
extension MilterChannelHandler {
    func complete(_ number: UInt64, with verdict: MilterVerdict) {
        guard !isClosed, let event = pending.take(verdict, number: number) else { return }
        patience.note(now: session.eventLoop.now)
        progress?.cancel()
        progress = nil
        finish(verdict, at: event)
        closeIfDrained()
        if held.readableBytes > 0 { processHeld() }
        // What was sent meanwhile was not read, and may begin a packet.
        notePacket(isAnother: true)
        flush()
        readIfAllowed()
    }

    /// Writes the answer of an event, if the MTA waits for one.
    private func answer(_ response: MilterResponse, to event: MilterEvent) {
        if let answer = session.machine.answer(response, to: event) { writer.write(answer) }
    }

    /// Writes the answer of an event, and at the end of a message its changes before that.
    private func finish(_ verdict: MilterVerdict, at event: MilterEvent) {
        guard event == .endOfMessage else { return answer(verdict.response, to: event) }
        let options = session.options
        for modification in verdict.modifications { writer.write(modification, options: options) }
        statistics.messages += 1
        answer(verdict.response, to: event)
        report()
    }

    private func flush() {
        guard !writer.octets.isEmpty, let context else { return }
        let buffer = context.channel.allocator.buffer(bytes: writer.octets)
        writer.removeAll()
        guard buffer.readableBytes > MemoryShare.free else {
            return context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        }
        unsent += buffer.readableBytes
        share.mustHold(heldOctets)
        context.writeAndFlush(wrapOutboundOut(buffer)).assumeIsolated().whenComplete { [self] _ in
            unsent -= buffer.readableBytes
            share.mustHold(heldOctets)
        }
    }

    private func scheduleProgress() {
        progress = session.eventLoop.assumeIsolated().scheduleTask(in: configuration.progressInterval) { [self] in
            guard pending.event == .endOfMessage, !isClosed else { return }
            writer.writeProgress()
            flush()
            scheduleProgress()
        }
    }
}

// MARK: Ends
extension MilterChannelHandler {
    private func violate(_ violation: MilterViolation) {
        // Before negotiation everything wrong is of one kind: whoever is there does not speak this protocol.
        registry.report(session.machine.isNegotiated ? violation : .notMilter, on: session.listener)
        close()
    }

    private func closeIfDrained() {
        if isDraining, !session.machine.isInMessage, !pending.isWaited { close() }
    }

    private func close() {
        guard !isClosed else { return }
        flush()
        let aborting = session.machine.disconnect()
        end(aborting)
        context?.close(promise: nil)
    }

    private func end(_ aborting: Bool) {
        guard !isClosed else { return }
        isClosed = true
        timer?.cancel()
        progress?.cancel()
        pending.cancel()
        held = ByteBuffer()
        share.mustHold(heldOctets)
        abort(aborting)
        handler.close()
        report()
    }

    private func report() {
        registry.report(statistics)
        statistics = SessionStatistics()
    }

    private func notePacket(isAnother: Bool) {
        guard session.machine.isNegotiated else { return }
        patience.notePacket(isBegun: held.readableBytes > 0 || openChunk != nil, isAnother: isAnother)
    }

    /// Closes the connection when its time is over, but not while the MTA waits for an answer.
    private func scheduleTimeout() {
        let time = patience.nextLook(now: session.eventLoop.now, isWaiting: pending.isWaited)
        timer = session.eventLoop.assumeIsolated().scheduleTask(deadline: time) { [self] in
            guard !isClosed else { return }
            if !pending.isWaited, session.eventLoop.now >= patience.closingTime {
                registry.reportTimeout(on: session.listener)
                return close()
            }
            scheduleTimeout()
        }
    }
}
