import CZlib
import Testing

/// The octets of a gzip file.
func inflated(_ file: [UInt8]) throws -> [UInt8] {
    var stream = unsafe z_stream()
    // 16 more than the largest window: the gzip format.
    let begun = unsafe inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    try #require(begun == Z_OK)
    defer { unsafe inflateEnd(&stream) }
    var input = file
    var octets = [UInt8]()
    let code = unsafe input.withUnsafeMutableBufferPointer { input in
        unsafe stream.next_in = input.baseAddress
        unsafe stream.avail_in = UInt32(input.count)
        return unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 65_536) { room in
            var code = Z_OK
            while code == Z_OK {
                unsafe stream.next_out = room.baseAddress
                unsafe stream.avail_out = UInt32(room.count)
                code = unsafe inflate(&stream, Z_NO_FLUSH)
                unsafe octets.append(contentsOf: room.prefix(room.count - Int(stream.avail_out)))
            }
            return code
        }
    }
    try #require(code == Z_STREAM_END)
    return octets
}
