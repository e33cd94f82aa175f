import Foundation
import NIOCore
import NIOPosix

/// One client of the filters: a connection at a time, with messages one after the other, until there is no more work.
///
/// A message passes the filters one after the other, each with a connection of its own; what one adds or changes, the next
/// sees. Postfix asks them about the envelope by turns, which costs them the same.
///
/// Everything happens on one event loop.
final class Client: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private enum Phase {
        case negotiating
        case session
        case message
        case idle
        case closed
    }

    private let work: Work
    private let addresses: [SocketAddress]
    private let scripts: ScriptCache
    private let eventLoop: any EventLoop
    private let finished: EventLoopPromise<Results>
    private var results = Results()
    private var isFinished = false

    // The connection.
    private var context: ChannelHandlerContext?
    private var phase = Phase.closed
    private var agreed: UInt32 = 0
    private var received = ByteBuffer()
    private var messagesHere = 0

    // The message.
    private var item: Work.Item?
    /// The message as the filters so far have changed it.
    private var message: Message?
    /// Which filter has it.
    private var place = 0
    private var steps: ArraySlice<Script.Step> = []
    private var awaited: MTAProtocol.Event?
    private var refusedRecipients = 0
    private var began = NIODeadline.now()
    private var endSent = NIODeadline.now()
    /// The time that the filters so far took at the end of the message.
    private var waited = TimeAmount.zero

    init(
        _ work: Work,
        addresses: [SocketAddress],
        scripts: ScriptCache,
        eventLoop: any EventLoop,
        finished: EventLoopPromise<Results>
    ) {
        self.work = work
        self.addresses = addresses
        self.scripts = scripts
        self.eventLoop = eventLoop
        self.finished = finished
    }

    /// Takes the next message, when it is due, on this connection or a new one.
    func next() {
        guard !isFinished, let item = work.take() else {
            quit()
            return finish()
        }
        self.item = item
        guard let due = item.due, due > .now() else { return begin() }
        eventLoop.assumeIsolated().scheduleTask(deadline: due) { self.begin() }
    }

    /// Ends without the message that is under way.
    func giveUp() {
        close()
        finish()
    }

    private func finish() {
        if !isFinished { finished.succeed(results) }
        isFinished = true
    }

    private func begin() {
        began = item?.due ?? .now()
        message = item?.message
        place = 0
        waited = .zero
        if let item { work.trace?("begin \(item.message.id)") }
        context == nil ? connect() : beginMessage()
    }

    private func connect() {
        guard !isFinished else { return }
        let bound = NIOLoopBound(self, eventLoop: eventLoop)
        let address = addresses[place]
        phase = .negotiating
        messagesHere = 0
        ClientBootstrap(group: eventLoop)
            .channelOption(.socketOption(.tcp_nodelay), value: address.protocol == .unix ? 0 : 1)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(bound.value)
                }
            }
            .connect(to: address)
            .assumeIsolated()
            .whenFailure { error in
                // connect(2): a unix socket whose queue is full refuses at once; a client that may wait would wait.
                if let error = error as? IOError, error.errnoCode == EAGAIN {
                    self.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(1)) { self.connect() }
                    return
                }
                self.count("\(error)")
                self.phase = .closed
                self.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(20)) { self.next() }
            }
    }
}

// MARK: The connection
extension Client {
    func channelActive(context: ChannelHandlerContext) {
        self.context = context
        var buffer = context.channel.allocator.buffer(capacity: 17)
        buffer.writePacket(UInt8(ascii: "O")) { buffer in
            buffer.writeInteger(MTAProtocol.version)
            buffer.writeInteger(MTAProtocol.offeredActions)
            buffer.writeInteger(MTAProtocol.offeredSteps)
        }
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.context === context else { return }
        var incoming = unwrapInboundIn(data)
        if received.readableBytes == 0 { received = incoming } else { received.writeBuffer(&incoming) }
        while self.context === context,
            let length = received.getInteger(at: received.readerIndex, as: UInt32.self), length > 0,
            received.readableBytes >= 4 + Int(length)
        {
            received.moveReaderIndex(forwardBy: 4)
            if let packet = received.readSlice(length: Int(length)) { receive(packet) }
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if self.context === context { fail("closed by the filter in \(phase)") }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if self.context === context { fail("\(error)") }
    }

    private func receive(_ packet: ByteBuffer) {
        var packet = packet
        guard let octet = packet.readInteger(as: UInt8.self), let answer = MTAProtocol.Answer(octet: octet) else {
            return fail("unknown packet")
        }
        switch (phase, answer) {
        case (.negotiating, .negotiation):
            agreed = packet.getInteger(at: packet.readerIndex + 8, as: UInt32.self) ?? 0
            beginSession()
        case (_, .progress): break
        case (.message, .modification):
            if place + 1 < addresses.count { message?.apply(octet, packet, keepsSpace: keepsSpace) }
        case (.session, .proceed): write()
        case (.message, _): take(answer)
        default: fail("\(answer) in \(phase)")
        }
    }

    private var keepsSpace: Bool { agreed & MTAProtocol.leadingSpace != 0 }

    private func fail(_ error: String) {
        count(error)
        close()
        eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(20)) { self.next() }
    }

    private func count(_ error: String) { results.errors[error, default: 0] += 1 }

    private func quit() {
        guard let context else { return }
        var buffer = ByteBuffer()
        buffer.writePacket(UInt8(ascii: "Q"))
        context.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        close()
    }

    private func close() {
        let context = context
        self.context = nil
        phase = .closed
        received = ByteBuffer()
        context?.close(promise: nil)
    }
}

// MARK: The message
extension Client {
    private func beginSession() {
        guard let message else { return }
        phase = .session
        steps = Script(sessionOf: message, agreed: agreed).steps[...]
        write()
    }

    private func beginMessage() {
        guard let message else { return }
        phase = .message
        refusedRecipients = 0
        let script = place == 0 ? scripts.script(of: message, agreed: agreed) : Script(message, agreed: agreed)
        steps = script.steps[...]
        write()
    }

    private func write() {
        guard let context else { return }
        guard let step = steps.popFirst() else { return beginMessage() }
        awaited = step.event
        for buffer in step.buffers.dropLast() { context.write(wrapOutboundOut(buffer), promise: nil) }
        guard let last = step.buffers.last else { return }
        if awaited == .endOfMessage {
            let promise = eventLoop.makePromise(of: Void.self)
            promise.futureResult.assumeIsolated().whenSuccess { self.endSent = .now() }
            context.writeAndFlush(wrapOutboundOut(last), promise: promise)
        } else {
            context.writeAndFlush(wrapOutboundOut(last), promise: nil)
        }
        if awaited == nil { write() }
    }

    private func take(_ answer: MTAProtocol.Answer) {
        switch (awaited, answer) {
        case (.endOfMessage, _): finishMessage(answer)
        case (.recipient, .reject), (.recipient, .tempfail):
            refusedRecipients += 1
            if refusedRecipients == message?.recipients.count { abortMessage(answer) } else { write() }
        case (.body, .skip):
            steps = steps.drop { $0.event == .body }
            write()
        case (_, .proceed): write()
        default: abortMessage(answer)
        }
    }

    private func abortMessage(_ answer: MTAProtocol.Answer) {
        var buffer = ByteBuffer()
        buffer.writePacket(UInt8(ascii: "A"))
        context?.writeAndFlush(wrapOutboundOut(buffer), promise: nil)
        endSent = .now()
        finishMessage(answer)
    }

    private func finishMessage(_ answer: MTAProtocol.Answer) {
        let now = NIODeadline.now()
        waited = waited + (now - endSent)
        if answer == .proceed || answer == .accept, place + 1 < addresses.count {
            quit()
            place += 1
            return connect()
        }
        count(answer, end: waited.nanoseconds / 1000, total: (now - began).nanoseconds / 1000)
        phase = .idle
        messagesHere += 1
        if messagesHere == work.messagesPerConnection { quit() }
        next()
    }

    /// Counts a message that took so many microseconds at its end, and altogether.
    private func count(_ answer: MTAProtocol.Answer, end: Int64, total: Int64) {
        let verdict = answer == .proceed ? "accept" : "\(answer)"
        if let item { work.trace?("end \(item.message.id) \(verdict) \(end) \(total)") }
        results.completed += 1
        guard work.isInTime else { return }
        results.endOfMessage.append(UInt32(clamping: end))
        results.total.append(UInt32(clamping: total))
        results.verdicts[verdict, default: 0] += 1
    }
}
