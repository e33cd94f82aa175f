import MilterProtocol
import Testing

/// The result of reading octets.
private func read<Value>(
    _ text: String,
    _ body: (UnsafeRawBufferPointer) throws(MilterPayloadError) -> Value
) -> Result<Value, MilterPayloadError> {
    unsafe Array(text.utf8).withUnsafeBytes { octets in
        do throws(MilterPayloadError) { return .success(try unsafe body(octets)) } catch { return .failure(error) }
    }
}

@Suite("Reading packets")
struct MilterPayloadTests {
    @Test(
        "connections",
        arguments: [
            (
                "mail.example.com\u{0}4\u{1}\u{2}192.0.2.1\u{0}",
                MilterConnection(
                    hostName: octets("mail.example.com"),
                    family: .ipv4,
                    port: 258,
                    address: octets("192.0.2.1")
                )
            ),
            // The terminator may be missing, and Sendmail tags IPv6 addresses as in a literal.
            (
                "[x]\u{0}6\u{0}\u{19}IPv6:2001:db8::1",
                MilterConnection(hostName: octets("[x]"), family: .ipv6, port: 25, address: octets("2001:db8::1"))
            ),
            (
                "localhost\u{0}L\u{0}\u{0}/run/s\u{0}",
                MilterConnection(hostName: octets("localhost"), family: .unix, port: 0, address: octets("/run/s"))
            ),
            ("unknown\u{0}U", MilterConnection(hostName: octets("unknown"), family: .unknown, port: 0, address: [])),
            (
                "unknown\u{0}4\u{0}\u{0}unknown\u{0}",
                MilterConnection(hostName: octets("unknown"), family: .ipv4, port: 0, address: octets("unknown"))
            ),
        ]
    )
    func connection(_ text: String, _ expected: MilterConnection) {
        let result = unsafe read(text) { data throws(MilterPayloadError) in try unsafe MilterConnection(parsing: data) }
        #expect(result == .success(expected))
    }

    @Test(
        "connections that are none",
        arguments: ["", "name", "name\0", "name\0004", "name\0006\u{1}", "name\0X\u{1}\u{1}a\0"]
    )
    func noConnection(_ text: String) {
        let result = unsafe read(text) { data throws(MilterPayloadError) in try unsafe MilterConnection(parsing: data) }
        #expect(result == .failure(.connection))
    }

    @Test(
        "header fields",
        arguments: [
            ("Subject\0 hi\n\tyou\0", 0..<7, 8..<16), ("X\0\0", 0..<1, 2..<2), ("X\0a\0rest", 0..<1, 2..<3),
        ]
    )
    func header(_ text: String, _ name: Range<Int>, _ value: Range<Int>) throws {
        let field = try unsafe read(text) { data throws(MilterPayloadError) in
            try unsafe MilterHeaderField(parsing: data)
        }.get()
        #expect(field.name == name && field.value == value)
    }

    @Test("header fields that are none", arguments: ["", "X", "X\0", "X\0a", "\0a\0"])
    func noHeader(_ text: String) {
        let result = unsafe read(text) { data throws(MilterPayloadError) in try unsafe MilterHeaderField(parsing: data)
        }
        #expect(result == .failure(.header))
    }

    @Test(
        "arguments",
        arguments: [
            ("<a@b>\0SIZE=1\0", ["<a@b>", "SIZE=1"]), ("<a@b>", ["<a@b>"]), ("\0\0a", ["", "", "a"]),
            (String(repeating: "\0", count: 256), Array(repeating: "", count: 256)),
        ]
    )
    func arguments(_ text: String, _ expected: [String]) throws {
        let result = unsafe read(text) { data throws(MilterPayloadError) in try unsafe MilterPayload.arguments(data) }
        #expect(try result.get().map { String(decoding: $0, as: UTF8.self) } == expected)
    }

    @Test("no arguments, or too many", arguments: ["", String(repeating: "\0", count: 257)])
    func noArguments(_ text: String) {
        let result = unsafe read(text) { data throws(MilterPayloadError) in try unsafe MilterPayload.arguments(data) }
        #expect(result == .failure(.arguments))
    }

    @Test(
        "offers of less than 12 octets or of version 1",
        arguments: ["", "\0\0\0\u{6}\0\0\0\u{1}\0\0\0", "\0\0\0\u{1}\0\0\0\0\0\0\0\0"]
    )
    func offer(_ text: String) {
        let result = unsafe read(text) { data throws(MilterPayloadError) in try unsafe MilterOffer(parsing: data) }
        #expect(result == .failure(.negotiation))
    }

    @Test("the commands are those of the protocol")
    func commands() {
        let known = (UInt8.min...UInt8.max).filter { MilterCommand(octet: $0) != nil }
        #expect(String(decoding: known, as: UTF8.self) == "ABCDEHKLMNOQRTU")
    }
}

@Suite("Framing")
struct MilterFrameTests {
    private func frame(_ octets: [UInt8], cap: Int = 100) -> MilterFrame {
        unsafe octets.withUnsafeBytes { unsafe MilterFrame(at: $0, maximumLength: cap) }
    }

    @Test("packets, at every length of what has arrived")
    func prefixes() {
        let packet: [UInt8] = [0, 0, 0, 4, 0x42, 1, 2, 3]
        for count in packet.indices {
            let begun = MilterFrame.begun(command: 0x42, dataLength: 3)
            #expect(frame(Array(packet.prefix(count))) == (count < 5 ? .incomplete : begun))
        }
        #expect(frame(packet) == .complete(command: 0x42, dataLength: 3))
        #expect(frame(packet + [0, 0]) == .complete(command: 0x42, dataLength: 3))
    }

    @Test("no packets")
    func invalid() {
        #expect(frame([0, 0, 0, 0]) == .invalid(length: 0))
        #expect(frame([0, 0, 0, 101]) == .invalid(length: 101))
        #expect(frame([0, 0, 0, 100]) == .incomplete)
        #expect(frame([0xFF, 0xFF, 0xFF, 0xFF, 0], cap: .max) == .begun(command: 0, dataLength: 4_294_967_294))
        #expect(frame(Array("GET / HTTP/1.1\r\n".utf8), cap: 1_048_576) == .invalid(length: 0x4745_5420))
    }
}
