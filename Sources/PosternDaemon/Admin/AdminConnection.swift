internal import FoundationEssentials
internal import NIOCore
internal import NIOHTTP1

/// A request about the daemon itself.
struct AdminRequest: Sendable {
    let method: HTTPMethod
    /// The path without the query.
    let path: String
    /// The query's names with their values.
    let query: [String: String]

    /// A request for a target: a path with or without a query (RFC 9112 § 3.2.1).
    init(_ method: HTTPMethod, target: String) {
        self.method = method
        path = String(target.prefix { $0 != "?" })
        let items = URLComponents(string: target)?.queryItems ?? []
        query = Dictionary(items.map { ($0.name, $0.value ?? "") }) { first, _ in first }
    }
}

/// The reply to a request.
struct AdminResponse: Sendable {
    var status: HTTPResponseStatus = .ok
    var contentType = "text/plain; charset=utf-8"
    var body: String
}

/// One connection: reads a request, answers it when it is complete, and closes.
final class AdminConnection: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    /// How long the daemon may take to answer, and the client to read the answer.
    private static let answerTime = TimeAmount.seconds(60)
    /// The most octets of a request's body; none of the requests needs a body.
    private static let maximumOctets = 65_536

    private let answer: AdminServer.Answer
    private let requestTime: TimeAmount
    private var request: AdminRequest?
    private var octets = 0
    private var deadline: Scheduled<Void>?

    /// A connection whose request goes to `answer`.
    ///
    /// - Parameters:
    ///   - requestTime: how long the client may take to send its request.
    ///   - answer: answers the request.
    init(requestTime: TimeAmount, answer: @escaping AdminServer.Answer) {
        self.requestTime = requestTime
        self.answer = answer
    }

    func handlerAdded(context: ChannelHandlerContext) {
        close(context.channel, in: requestTime)
    }

    private func close(_ channel: any Channel, in time: TimeAmount) {
        deadline?.cancel()
        deadline = channel.eventLoop.scheduleTask(in: time) { channel.close(promise: nil) }
    }

    func channelInactive(context: ChannelHandlerContext) {
        deadline?.cancel()
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): request = AdminRequest(head.method, target: head.uri)
        case .body(let buffer):
            octets += buffer.readableBytes
            if octets > Self.maximumOctets { context.close(promise: nil) }
        // An answer before the end of the request could reach a client that still writes, or does not read yet.
        case .end:
            guard let request else { return }
            close(context.channel, in: Self.answerTime)
            respond(to: request, context)
        }
    }

    private func respond(to request: AdminRequest, _ context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let eventLoop = context.eventLoop
        Task { [answer] in
            let response = await answer(request)
            eventLoop.execute {
                let (connection, context) = bound.value
                connection.write(response, to: request, context)
            }
        }
    }

    /// Writes all parts at once, and then closes the connection.
    private func write(_ response: AdminResponse, to request: AdminRequest, _ context: ChannelHandlerContext) {
        guard context.channel.isActive else { return }
        let headers: HTTPHeaders = [
            "Content-Type": response.contentType,
            "Content-Length": String(response.body.utf8.count),
            "Connection": "close",
        ]
        let head = HTTPResponseHead(version: .http1_1, status: response.status, headers: headers)
        context.write(wrapOutboundOut(.head(head)), promise: nil)
        // RFC 9110 § 9.3.2: an answer to HEAD has no content.
        if request.method != .HEAD {
            context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: response.body)))), promise: nil)
        }
        let channel = context.channel
        context.writeAndFlush(wrapOutboundOut(.end(nil))).whenComplete { _ in channel.close(promise: nil) }
    }
}
