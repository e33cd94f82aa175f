internal import MilterProtocol
internal import NIOCore

/// Connects a channel with its session's conversation.
///
/// Packets are read in the receive buffer. A packet that is split between two reads is assembled in `held`, except a
/// body chunk, which goes to the filter piece by piece. While an answer is owed, nothing is read.
final class MilterChannelHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let session: MilterSession
    private let registry: MilterSessionRegistry
    private let conversation: MilterConversation
    private let timers: SessionTimers
    private var context: ChannelHandlerContext?

    private var reader: MilterPacketReader
    /// The beginning of an incomplete packet.
    private var held = ByteBuffer()
    /// How many written octets the MTA has not yet taken, if they are many.
    private var unsent = 0
    private var share: MemoryShare

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
        self.registry = registry
        conversation = MilterConversation(session, registry: registry, makeHandler: makeHandler)
        timers = SessionTimers(configuration, on: session.eventLoop)
        reader = MilterPacketReader(maximumLength: configuration.maximumPacketLength)
        share = MemoryShare(of: session.memory)
    }
}

// MARK: The channel's events
extension MilterChannelHandler {
    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        timers.start(isWaiting: { self.isAnswerOwed }, close: { self.timeOut() })
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        end()
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

    /// Reads on, unless an answer is owed or the MTA does not take the answers already written.
    private func readIfAllowed() {
        guard isReadWanted, !isAnswerOwed, let context, context.channel.isWritable else { return }
        isReadWanted = false
        context.read()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isClosed else { return }
        var incoming = unwrapInboundIn(data)
        timers.note()
        conversation.note(receivedOctets: incoming.readableBytes)
        let packetsBefore = reader.packetCount
        if isAnswerOwed {
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
        closeIfOver()
    }
}

// MARK: Octets to packets
extension MilterChannelHandler {
    private var isAnswerOwed: Bool { conversation.owed != nil }

    private var canRead: Bool { !isAnswerOwed && !isClosed }

    /// Reads the packets of a buffer, after the packets that are held.
    private func take(_ incoming: inout ByteBuffer) {
        while held.readableBytes > 0, incoming.readableBytes > 0, canRead {
            // Only the rest of the split packet is copied to the held buffer.
            let rest = max(reader.neededCount - held.readableBytes, 0)
            if var piece = incoming.readSlice(length: min(rest, incoming.readableBytes)) { keep(&piece) }
            processHeld()
        }
        if held.readableBytes == 0, canRead { process(&incoming) }
        hold(&incoming)
        // Large packets are rare, and the memory of a buffer that waits for the next packet is not counted anywhere.
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

    /// Keeps the octets that could not be read yet.
    ///
    /// While an answer is owed the MTA waits, so these octets are few; if it sends more anyway, the limit for packets
    /// is the limit here.
    private func hold(_ incoming: inout ByteBuffer) {
        guard incoming.readableBytes > 0, !isClosed else { return }
        guard held.readableBytes + incoming.readableBytes <= reader.maximumLength + 262_144 else {
            return violate(.packetLength(UInt32(clamping: held.readableBytes + incoming.readableBytes)))
        }
        keep(&incoming)
    }

    /// Appends octets to an incomplete packet; if there is no room for them, the packet is refused.
    private func keep(_ piece: inout ByteBuffer) {
        let octets = held.readableBytes + piece.readableBytes
        // Octets that complete a packet are consumed at once, and need no room.
        let isComplete = octets >= reader.neededCount && !isAnswerOwed
        guard octets <= MemoryShare.free || isComplete || share.hold(heldOctets + piece.readableBytes) else {
            return refuse(&piece)
        }
        if held.readableBytes == 0 { held.clear(minimumCapacity: min(reader.neededCount, 131_072)) }
        held.writeBuffer(&piece)
    }

    /// The octets of this connection that count against the shared memory.
    private var heldOctets: Int { held.readableBytes + session.machine.macros.octetCount + unsent }

    /// Skips the rest of a packet for which there is no room, and refuses its message temporarily.
    private func refuse(_ piece: inout ByteBuffer) {
        // Octets that arrive while an answer is owed may be many packets, and no MTA sends such octets.
        guard !isAnswerOwed else { return close() }
        if held.readableBytes == 0 { swap(&held, &piece) }
        let begun = held.readableBytes + piece.readableBytes
        let refused = unsafe held.withUnsafeReadableBytes { unsafe reader.passOver($0, count: begun) }
        held = ByteBuffer()
        piece.clear()
        guard let (command, rest) = refused else { return close() }
        do throws(MilterViolation) {
            try conversation.refuse(command, rest: rest)
        } catch {
            violate(error)
        }
    }

    private func process(_ buffer: inout ByteBuffer) {
        let consumed = unsafe buffer.withUnsafeReadableBytes { octets in unsafe processParts(octets) }
        buffer.moveReaderIndex(forwardBy: consumed)
    }

    /// Reads until a packet is incomplete, an answer is owed or the connection is closed.
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
                    unsafe conversation.receivePiece(UnsafeRawBufferPointer(rebasing: octets[data]), rest: rest)
                }
            }
        } catch {
            violate(error)
        }
        return isClosed ? octets.count : position
    }

    private func receive(_ command: UInt8, _ data: UnsafeRawBufferPointer, rest: Int) throws(MilterViolation) {
        let hasDefinitions = try unsafe conversation.receive(command, data, rest: rest) { number in
            MilterAnswer(self, number: number, eventLoop: session.eventLoop)
        }
        if hasDefinitions, !share.hold(heldOctets) { conversation.refuseDefinitions() }
        if conversation.owed == .endOfMessage { timers.startProgress { self.writeProgress() } }
        closeIfOver()
    }
}

// MARK: Answers
extension MilterChannelHandler {
    func complete(_ number: UInt64, with verdict: MilterVerdict) {
        guard !isClosed, conversation.complete(number, with: verdict) else { return }
        timers.note()
        timers.stopProgress()
        closeIfOver()
        if held.readableBytes > 0 { processHeld() }
        // Octets that arrived meanwhile have not been read, and may begin a packet.
        notePacket(isAnother: true)
        flush()
        readIfAllowed()
    }

    private func writeProgress() {
        conversation.output.writeProgress()
        flush()
    }

    private func flush() {
        guard !conversation.output.octets.isEmpty, let context else { return }
        let buffer = context.channel.allocator.buffer(bytes: conversation.output.octets)
        conversation.output.removeAll()
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
}

// MARK: Ends
extension MilterChannelHandler {
    private func violate(_ violation: MilterViolation) {
        // Before negotiation, every error has the same cause: the peer does not speak this protocol.
        registry.report(session.machine.isNegotiated ? violation : .notMilter, on: session.listener)
        close()
    }

    private func timeOut() {
        registry.reportTimeout(on: session.listener)
        close()
    }

    private func closeIfOver() {
        if conversation.hasQuit || isDraining && conversation.isIdle { close() }
    }

    private func close() {
        guard !isClosed else { return }
        flush()
        end()
        context?.close(promise: nil)
    }

    private func end() {
        guard !isClosed else { return }
        isClosed = true
        timers.end()
        conversation.end()
        held = ByteBuffer()
        share.mustHold(heldOctets)
    }

    private func notePacket(isAnother: Bool) {
        guard session.machine.isNegotiated else { return }
        timers.notePacket(isBegun: held.readableBytes > 0 || conversation.isWithinChunk, isAnother: isAnother)
    }
}
