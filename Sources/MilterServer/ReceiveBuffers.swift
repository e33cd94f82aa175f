internal import NIOCore

/// How large the buffers are that a connection's octets are read into.
struct ReceiveBuffers: RecvByteBufferAllocator {
    /// Most messages fit into 32 KiB; of a large one, a piece is hashed while it is in the processor's cache.
    ///
    /// Of 16 KiB, the allocator would hold four in a page, and give that back to the system every few messages.
    private var sizes = AdaptiveRecvByteBufferAllocator(minimum: 4096, initial: 32_768, maximum: 65_536)
    /// Whether nothing was read yet.
    ///
    /// An MTA begins with 17 octets and waits for the answer. NIO copies the first buffer of a channel, however little it
    /// holds, so that one is small.
    private var isFirst = true
    private let registry: MilterSessionRegistry

    /// How many octets the buffers of all connections take about, at most: a channel keeps its buffer while it waits.
    private static let maximumOctets = 16 << 20

    /// The buffers of a connection that is in a registry.
    init(_ registry: MilterSessionRegistry) {
        self.registry = registry
    }

    private var size: Int {
        guard !isFirst else { return 64 }
        let most = max(Self.maximumOctets / max(registry.openConnections, 1), sizes.minimum)
        return min(sizes.nextBufferSize() ?? sizes.initial, most)
    }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: size) }

    func nextBufferSize() -> Int? { size }

    mutating func record(actualReadBytes: Int) -> Bool {
        guard isFirst else { return sizes.record(actualReadBytes: actualReadBytes) }
        isFirst = false
        return true
    }
}
