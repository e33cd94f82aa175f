internal import NIOCore

/// Chooses the sizes of the buffers that receive a connection's octets.
struct ReceiveBuffers: RecvByteBufferAllocator {
    /// Most messages fit into 32 KiB; a piece of a large message is hashed while it is in the processor's cache.
    ///
    /// With 16 KiB, the allocator would put four buffers into a page, and return the page to the system every few
    /// messages.
    private var sizes = AdaptiveRecvByteBufferAllocator(minimum: 4096, initial: 32_768, maximum: 65_536)
    /// Whether nothing has been read yet.
    ///
    /// An MTA begins with 17 octets and waits for the answer. NIO copies the first buffer of a channel, however little
    /// it holds, so the first buffer is small.
    private var isFirst = true
    private let registry: MilterSessionRegistry

    /// The approximate limit for the buffers of all connections, in octets: a channel keeps its buffer while it waits.
    private static let maximumOctets = 16 << 20

    /// The buffers of a connection in a registry.
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
