internal import CZlib

/// Compresses octets as they come, in the format of RFC 1952; only what is compressed is held.
///
/// It says no time and no name, so the same octets always give the same file.
@safe final class GzipStream {
    /// zlib has no memory, or fails in another way.
    struct Failure: Error {
        /// zlib's number for it.
        let code: Int32
    }

    /// zlib keeps the address of its stream, so the stream stays in one place.
    private let stream: UnsafeMutablePointer<z_stream>
    private(set) var octets = [UInt8]()
    private static let chunk = 32 << 10

    init() throws(Failure) {
        unsafe stream = .allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        // 15 for the largest window, and 16 more for gzip.
        let code = unsafe deflateInit2_(
            stream,
            Z_DEFAULT_COMPRESSION,
            Z_DEFLATED,
            15 + 16,
            8,
            Z_DEFAULT_STRATEGY,
            ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size)
        )
        guard code == Z_OK else { throw Failure(code: code) }
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deinitialize(count: 1)
        unsafe stream.deallocate()
    }

    /// Compresses octets.
    func append(_ octets: [UInt8]) throws(Failure) { try run(octets, Z_NO_FLUSH) }

    /// Ends the file, and returns it.
    func finish() throws(Failure) -> [UInt8] {
        try run([], Z_FINISH)
        return octets
    }

    /// Hands zlib the octets, and takes what it gives until it wants more.
    private func run(_ input: [UInt8], _ flush: Int32) throws(Failure) {
        var input = input
        let code = unsafe input.withUnsafeMutableBufferPointer { input in
            unsafe stream.pointee.next_in = input.baseAddress
            unsafe stream.pointee.avail_in = UInt32(input.count)
            return takeAll(flush)
        }
        guard code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR else { throw Failure(code: code) }
    }

    private func takeAll(_ flush: Int32) -> Int32 {
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.chunk) { room in
            while true {
                unsafe stream.pointee.next_out = room.baseAddress
                unsafe stream.pointee.avail_out = UInt32(Self.chunk)
                let code = unsafe deflate(stream, flush)
                let count = unsafe Self.chunk - Int(stream.pointee.avail_out)
                unsafe octets.append(contentsOf: room.prefix(count))
                guard code == Z_OK, unsafe stream.pointee.avail_out == 0 else { return code }
            }
        }
    }
}
