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

    private struct Pending {
        let number: UInt64
        let event: MilterEvent
    }

    /// A chunk of a body, of which the filter has had all but the rest.
    private struct OpenChunk {
        /// How many octets are still to come.
        var rest: Int
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

    private var held = ByteBuffer()
    private var needed = MilterFrame.headLength
    /// How many octets were written that the MTA has not taken yet, where they are many.
    private var unsent = 0
    private var share: MemoryShare
    private var openChunk: OpenChunk?
    private var writer = MilterWriter()
    private var statistics = SessionStatistics()
    /// When the MTA last said or was told something.
    private var lastActivity: NIODeadline
    /// Since when the MTA has been at what it must complete in time: its first packet, or one that it has begun.
    private var packetBegan: NIODeadline?
    /// How many packets were complete.
    private var packets = 0
    private var timer: Scheduled<Void>?

    private var answers: UInt64 = 0
    private var pending: Pending?
    private var early: MilterVerdict?
    private var isDelivering = false
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
        lastActivity = session.eventLoop.now
        share = MemoryShare(of: session.memory)
        session.machine = MilterSessionMachine(request: handler.request)
    }
}

// The channel's events.
extension MilterChannelHandler {
    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        lastActivity = session.eventLoop.now
        packetBegan = lastActivity
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
        guard isReadWanted, pending == nil, let context, context.channel.isWritable else { return }
        isReadWanted = false
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosed else { return }
        var incoming = unwrapInboundIn(data)
        lastActivity = session.eventLoop.now
        statistics.receivedOctets += incoming.readableBytes
        let packetsBefore = packets
        if pending != nil {
            hold(&incoming)
        } else {
            take(&incoming)
        }
        notePacket(isNew: packets != packetsBefore)
        flush()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { close() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard event is MilterDrainEvent else { return context.fireUserInboundEventTriggered(event) }
        isDraining = true
        closeIfDrained()
    }
}

// Octets to packets.
extension MilterChannelHandler {
    /// Reads the packets of a buffer, after those of what is held.
    private func take(_ incoming: inout ByteBuffer) {
        while held.readableBytes > 0, incoming.readableBytes > 0, !isClosed, pending == nil {
            // Only the rest of the split packet goes through the held buffer.
            let rest = max(needed - held.readableBytes, 0)
            if var piece = incoming.readSlice(length: min(rest, incoming.readableBytes)) { keep(&piece) }
            processHeld()
        }
        if held.readableBytes == 0, pending == nil, !isClosed { process(&incoming) }
        hold(&incoming)
        // Large packets are rare, and a buffer that waits for the next one is counted nowhere.
        if held.readableBytes == 0, held.capacity > 16_384 { held = ByteBuffer() }
        share.mustHold(heldOctets)
    }

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
        let isComplete = octets >= needed && pending == nil
        guard octets <= MemoryShare.free || isComplete || share.hold(heldOctets + piece.readableBytes) else {
            return refuse(&piece)
        }
        if held.readableBytes == 0 { held.clear(minimumCapacity: min(needed, 131_072)) }
        held.writeBuffer(&piece)
    }

    /// What counts of this connection for the memory that all share.
    private var heldOctets: Int { held.readableBytes + session.machine.macros.octetCount + unsent }

    private func process(_ buffer: inout ByteBuffer) {
        needed = MilterFrame.headLength
        let consumed = unsafe buffer.withUnsafeReadableBytes { octets in unsafe processPackets(octets) }
        buffer.moveReaderIndex(forwardBy: consumed)
    }

    /// Reads packets until one is incomplete, an answer is pending or the connection is closed.
    ///
    /// - Returns: how many octets were read.
    private func processPackets(_ octets: UnsafeRawBufferPointer) -> Int {
        var consumed = 0
        while consumed < octets.count, pending == nil, !isClosed {
            let rest = unsafe UnsafeRawBufferPointer(rebasing: octets[consumed...])
            if let chunk = openChunk {
                consumed += unsafe receive(rest, of: chunk)
                continue
            }
            let frame = unsafe MilterFrame(at: rest, maximumLength: configuration.maximumPacketLength)
            guard let (command, length) = packet(frame) else { break }
            let data = unsafe UnsafeRawBufferPointer(rebasing: rest.dropFirst(MilterFrame.headLength).prefix(length))
            consumed += MilterFrame.headLength + data.count
            do throws(MilterViolation) {
                try unsafe receive(command, data, rest: length - data.count)
            } catch {
                violate(error)
            }
        }
        return isClosed ? octets.count : consumed
    }

    /// The command octet and the length of a packet that can be received: one that is there, or a chunk of a body.
    private func packet(_ frame: MilterFrame) -> (command: UInt8, dataLength: Int)? {
        switch frame {
        case .incomplete: break
        case .invalid(let length): violate(.packetLength(length))
        case .begun(let command, let length):
            if MilterCommand(octet: command) == .event(.body) { return (command, length) }
            needed = MilterFrame.headLength + length
        case .complete(let command, let length): return (command, length)
        }
        return nil
    }

    /// Takes the next octets of a chunk.
    ///
    /// - Returns: how many belong to it.
    private func receive(_ octets: UnsafeRawBufferPointer, of chunk: OpenChunk) -> Int {
        var chunk = chunk
        let piece = unsafe UnsafeRawBufferPointer(rebasing: octets.prefix(chunk.rest))
        chunk.rest -= piece.count
        if chunk.rest == 0 { packets += 1 }
        // The filter has its say once: after another response it is not asked about the rest.
        if chunk.isDelivered, chunk.response == .continue { chunk.response = unsafe handler.body(piece) }
        settle(chunk)
        return piece.count
    }

    /// Keeps a chunk until it is whole, and then answers it.
    private func settle(_ chunk: OpenChunk) {
        openChunk = chunk.rest > 0 ? chunk : nil
        guard openChunk == nil, let response = chunk.response else { return }
        if chunk.isDelivered {
            answer(response, to: .body)
        } else {
            writer.write(response)
        }
    }
}

// Packets that cannot be kept.
extension MilterChannelHandler {
    /// Has the rest of a packet passed over, and its message come again later.
    private func refuse(_ piece: inout ByteBuffer) {
        // Octets that come while an answer is owed may be many packets, and no MTA sends them.
        guard pending == nil else { return close() }
        if held.readableBytes == 0 { swap(&held, &piece) }
        let begun = held.readableBytes + piece.readableBytes - MilterFrame.headLength
        let frame = unsafe held.withUnsafeReadableBytes { octets in
            unsafe MilterFrame(at: octets, maximumLength: configuration.maximumPacketLength)
        }
        held = ByteBuffer()
        piece.clear()
        guard case .begun(let command, let length) = frame else { return close() }
        do throws(MilterViolation) {
            try refuse(command, rest: length - begun)
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
        settle(OpenChunk(rest: rest, response: response, isDelivered: false))
    }

    private func fail(at event: MilterEvent?) -> MilterResponse? {
        let (response, aborting) = session.machine.fail(at: event)
        if aborting { giveUp { $0.giveUpWithoutRoom() } }
        return response
    }
}

// Packets to events.
extension MilterChannelHandler {
    /// Takes a packet; of a chunk of a body, `rest` octets may be missing.
    private func receive(_ octet: UInt8, _ data: UnsafeRawBufferPointer, rest: Int) throws(MilterViolation) {
        if rest == 0 { packets += 1 }
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
        case .answer(let response): settle(OpenChunk(rest: rest, response: response, isDelivered: false))
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
        isDelivering = true
        defer { isDelivering = false }
        let response: MilterResponse?
        switch event {
        case .header:
            let field = try parse { () throws(MilterPayloadError) in try unsafe MilterHeaderField(parsing: data) }
            response = unsafe handler.header(
                name: UnsafeRawBufferPointer(rebasing: data[field.name]),
                value: UnsafeRawBufferPointer(rebasing: data[field.value])
            )
        case .body:
            return settle(OpenChunk(rest: rest, response: unsafe handler.body(data), isDelivered: true))
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
        answers += 1
        pending = Pending(number: answers, event: event)
        let verdict = call(MilterAnswer(self, number: answers, eventLoop: session.eventLoop)) ?? early
        early = nil
        guard verdict == nil else {
            pending = nil
            return verdict
        }
        if event == .endOfMessage { scheduleProgress() }
        return nil
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

// Answers.
extension MilterChannelHandler {
    func complete(_ number: UInt64, with verdict: MilterVerdict) {
        guard let pending, pending.number == number, !isClosed else { return }
        guard !isDelivering else {
            early = early ?? verdict
            return
        }
        self.pending = nil
        lastActivity = session.eventLoop.now
        progress?.cancel()
        progress = nil
        finish(verdict, at: pending.event)
        closeIfDrained()
        if held.readableBytes > 0 { processHeld() }
        // What was sent meanwhile was not read, and may begin a packet.
        notePacket(isNew: true)
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
            guard pending?.event == .endOfMessage, !isClosed else { return }
            writer.writeProgress()
            flush()
            scheduleProgress()
        }
    }
}

// Ends.
extension MilterChannelHandler {
    private func violate(_ violation: MilterViolation) {
        // Before negotiation everything wrong is of one kind: whoever is there does not speak this protocol.
        registry.report(session.machine.isNegotiated ? violation : .notMilter, on: session.listener)
        close()
    }

    private func closeIfDrained() {
        if isDraining, !session.machine.isInMessage, pending == nil { close() }
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
        pending = nil
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

    /// Notes whether a packet is begun and not complete, and since when.
    ///
    /// Whoever sends it octet by octet gets no more time for it.
    private func notePacket(isNew: Bool) {
        guard session.machine.isNegotiated else { return }
        if held.readableBytes == 0, openChunk == nil {
            packetBegan = nil
        } else if isNew || packetBegan == nil {
            packetBegan = lastActivity
        }
    }

    /// When the connection is to be closed unless something happens; nil while the MTA waits for an answer.
    private var closingTime: NIODeadline? {
        guard pending == nil else { return nil }
        return packetBegan.map { $0 + configuration.commandTimeout } ?? lastActivity + configuration.idleTimeout
    }

    /// Looks at the closing time when it comes, and often enough to notice that it has moved to the front.
    private func scheduleTimeout() {
        let now = session.eventLoop.now
        let next = now + min(configuration.commandTimeout, configuration.idleTimeout)
        let time = min(closingTime ?? next, next)
        timer = session.eventLoop.assumeIsolated().scheduleTask(deadline: time) { [self] in
            guard !isClosed else { return }
            if let closingTime, session.eventLoop.now >= closingTime {
                registry.reportTimeout(on: session.listener)
                return close()
            }
            scheduleTimeout()
        }
    }
}
