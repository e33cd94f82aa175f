import DNSLookup
import DNSResolver
import MailSyntax
import NIOCore
import NIOPosix

extension Benchmark {
    /// The resolver: what it knows, and what it has to ask for.
    static let dns = [
        Benchmark("dns-cache-hit") {
            let resolver = try await makeResolver()
            let question = DNSQuestion(try DomainName("s2025._domainkey.example.com"), .txt)
            let reply = await resolver.lookUp(question)
            guard case .success(let answer) = reply.result, answer.records.count == 1 else {
                throw UnexpectedResult(reply)
            }
            return { use(resolver.answerAtHand(question)) }
        },
        Benchmark("dns-lookup") {
            let resolver = try await makeResolver()
            var number = 0
            return {
                number += 1
                let reply = await resolver.lookUp(DNSQuestion(try DomainName("n\(number).example.com"), .txt))
                guard case .success = reply.result else { throw UnexpectedResult(reply) }
            }
        },
    ]

    private static func makeResolver() async throws -> CachingResolver {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await DatagramBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(TextServer())
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        guard let port = server.localAddress?.port, let address = IPAddress("127.0.0.1") else {
            throw UnexpectedResult(server)
        }
        let options = ResolverOptions(servers: [NameServer(address, port: UInt16(port))])
        return CachingResolver(options, eventLoopGroup: group)
    }
}

/// A name server that answers every question with a TXT record as long as a key's.
private final class TextServer: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let query = unwrapInboundIn(data)
        let octets = Array(query.data.readableBytesView)
        // RFC 1035 § 4.1: 12 octets of header, then the question: a name, its type and its class.
        guard octets.count > 17, let end = octets[12...].firstIndex(of: 0), octets.count >= end + 5 else { return }
        var reply = context.channel.allocator.buffer(capacity: 512)
        reply.writeBytes(octets[0..<2])
        reply.writeBytes([0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0])
        reply.writeBytes(octets[12..<(end + 5)])
        reply.writeBytes([0xC0, 12, 0, 16, 0, 1, 0, 0, 1, 44])
        reply.writeInteger(UInt16(402))
        for length in [255, 145] {
            reply.writeInteger(UInt8(length))
            reply.writeRepeatingByte(0x41, count: length)
        }
        context.writeAndFlush(
            wrapOutboundOut(AddressedEnvelope(remoteAddress: query.remoteAddress, data: reply)),
            promise: nil
        )
    }
}
