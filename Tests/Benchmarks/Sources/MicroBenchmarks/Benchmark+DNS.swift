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

    /// Hits in a cache of many names, any of which may be next.
    static let growth = [1_000, 10_000, 100_000, 1_000_000].map { count in
        Benchmark("dns-cache-hit-\(count)") {
            var cache = CacheOptions()
            cache.maximumEntries = 4 * count
            cache.maximumBytes = 4 << 30
            let resolver = try await makeResolver(cache, textLength: 64)
            for start in stride(from: 0, to: count, by: 100) {
                await withDiscardingTaskGroup { group in
                    for number in start..<start + 100 {
                        group.addTask { use(await resolver.lookUp(DNSQuestion(name(number), .txt))) }
                    }
                }
            }
            guard resolver.statistics.entries == count else { throw UnexpectedResult(resolver.statistics) }
            let questions = (0..<1000).map { _ in DNSQuestion(name(.random(in: 0..<count)), .txt) }
            var next = 0
            return {
                next = (next + 1) % questions.count
                guard resolver.answerAtHand(questions[next]) != nil else { throw UnexpectedResult(questions[next]) }
            }
        }
    }

    private static func name(_ number: Int) -> DomainName { (try? DomainName("n\(number).example.com")) ?? .root }

    private static func makeResolver(
        _ cache: CacheOptions = CacheOptions(),
        textLength: Int = 400
    ) async throws -> CachingResolver {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let server = try await DatagramBootstrap(group: group)
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(TextServer(length: textLength))
                }
            }
            .bind(host: "127.0.0.1", port: 0)
            .get()
        guard let port = server.localAddress?.port, let address = IPAddress("127.0.0.1") else {
            throw UnexpectedResult(server)
        }
        let options = ResolverOptions(servers: [NameServer(address, port: UInt16(port))])
        return CachingResolver(options, cache: cache, eventLoopGroup: group)
    }
}

/// A name server that answers every question with a TXT record of one length.
private final class TextServer: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let length: Int

    init(length: Int) { self.length = length }

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
        // RFC 1035 § 3.3.14: character-strings, each with its length in front.
        let strings = stride(from: 0, to: length, by: 255).map { min(length - $0, 255) }
        reply.writeInteger(UInt16(length + strings.count))
        for string in strings {
            reply.writeInteger(UInt8(string))
            reply.writeRepeatingByte(0x41, count: string)
        }
        context.writeAndFlush(
            wrapOutboundOut(AddressedEnvelope(remoteAddress: query.remoteAddress, data: reply)),
            promise: nil
        )
    }
}
