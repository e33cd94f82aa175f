internal import NIOCore

/// Plays a dialogue on a connection.
final class SMTPChannelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private var dialogue: SMTPDialogue
    private let timeouts: SMTPTimeouts
    private let outcome: EventLoopPromise<SMTPOutcome>
    private var reader = SMTPReplyReader()
    private var timer: Scheduled<Void>?
    /// Whether the outcome is known, and only QUIT is in the way of the end.
    private var hasOutcome = false

    init(_ dialogue: SMTPDialogue, _ timeouts: SMTPTimeouts, _ outcome: EventLoopPromise<SMTPOutcome>) {
        self.dialogue = dialogue
        self.timeouts = timeouts
        self.outcome = outcome
    }

    func handlerAdded(context: ChannelHandlerContext) {
        startTimer(context, timeouts.time(at: .greeting))
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // The reply to QUIT, or whatever the server still says.
        guard !hasOutcome else { return context.close(promise: nil) }
        reader.append(unwrapInboundIn(data).readableBytesView)
        do throws(SMTPReplyError) {
            guard let reply = try reader.next() else { return }
            // Nothing was asked that more octets could answer, so they answer something that is not said yet.
            guard !reader.isInReply || dialogue.stage == .end else {
                return perform(dialogue.failed(.badReply), context)
            }
            perform(dialogue.receive(reply), context)
        } catch {
            perform(dialogue.failed(.badReply), context)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if !hasOutcome { perform(dialogue.failed(.closed), context) }
        timer?.cancel()
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        channelInactive(context: context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func perform(_ step: SMTPStep, _ context: ChannelHandlerContext) {
        switch step {
        case .send(let octets):
            startTimer(context, timeouts.time(at: dialogue.stage))
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: octets)), promise: nil)
        case .write(let block): write(block, context)
        case .end(let reached, let quits): end(reached, quits: quits, context)
        }
    }

    private func write(_ block: [UInt8], _ context: ChannelHandlerContext) {
        startTimer(context, timeouts.block)
        let done = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        done.futureResult.whenSuccess {
            let (handler, context) = bound.value
            guard !handler.hasOutcome, let step = handler.dialogue.written() else { return }
            handler.perform(step, context)
        }
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: block)), promise: done)
    }

    private func end(_ reached: SMTPOutcome, quits: Bool, _ context: ChannelHandlerContext) {
        hasOutcome = true
        outcome.succeed(reached)
        guard quits, context.channel.isActive else { return context.close(promise: nil) }
        // RFC 5321 § 4.1.1.10: the client should not close before it has sent QUIT and received the reply.
        startTimer(context, timeouts.quit)
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: SMTPDialogue.quit)), promise: nil)
    }

    private func startTimer(_ context: ChannelHandlerContext, _ time: Duration) {
        timer?.cancel()
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        timer = context.eventLoop.scheduleTask(in: TimeAmount(time)) {
            let (handler, context) = bound.value
            guard !handler.hasOutcome else { return context.close(promise: nil) }
            handler.perform(handler.dialogue.failed(.timeout), context)
        }
    }
}
