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

    private var size: Int { isFirst ? 64 : sizes.nextBufferSize() ?? sizes.initial }

    func buffer(allocator: ByteBufferAllocator) -> ByteBuffer { allocator.buffer(capacity: size) }

    func nextBufferSize() -> Int? { size }

    mutating func record(actualReadBytes: Int) -> Bool {
        guard isFirst else { return sizes.record(actualReadBytes: actualReadBytes) }
        isFirst = false
        return true
    }
}
