import Glibc
import MilterServer
import NIOCore
import NIOHTTP1
import NIOPosix
import TestSupport
import Testing

@testable import PosternDaemon

/// A server of the administration on a socket of its own, which answers with the path that it is asked for.
private struct Running {
    /// A thread of its own: what other suites do on the shared ones holds up no request.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    let folder: Folder
    let server: AdminServer

    init(most: Int = 100) async throws {
        folder = try Folder()
        server = AdminServer(
            .unix(folder.file("control")),
            group: Self.group,
            maximumConnections: most,
            // Other suites may keep a client of these tests waiting for its turn.
            requestTime: .minutes(10)
        ) { request in
            await Task.yield()
            return AdminResponse(body: "\(request.method.rawValue) \(request.path)\n")
        }
        try await [server as any SocketServer].open()
    }

    var client: AdminClient { AdminClient(socket: folder.file("control")) }

    func ask(_ target: String) async throws -> String { try await client.request("GET", target).text }

    /// Connects and sends text; the connection is the caller's.
    func connect(_ text: String = "") throws -> CInt {
        let descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let path = folder.file("control")
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(status == 0)
        try send(text, descriptor)
        return descriptor
    }

    func send(_ text: String, _ descriptor: CInt) throws {
        let octets = Array(text.utf8)
        try #require(unsafe Glibc.send(descriptor, octets, octets.count, CInt(MSG_NOSIGNAL)) == octets.count)
    }
}

/// What comes from a connection until its end; nil where nothing has come.
///
/// No thread waits here: the few threads of the tests are those that answer.
private func read(_ descriptor: CInt, wait: Bool = true) async -> String? {
    var text = [UInt8]()
    var buffer = [UInt8](repeating: 0, count: 4096)
    for _ in 0..<60_000 {
        let count = unsafe recv(descriptor, &buffer, buffer.count, CInt(MSG_DONTWAIT))
        if count < 0, errno == EAGAIN {
            guard wait || !text.isEmpty else { return nil }
            try? await Task.sleep(for: .milliseconds(5))
        } else if count > 0 {
            text += buffer.prefix(count)
        } else {
            return String(decoding: text, as: UTF8.self)
        }
    }
    return nil
}

@Suite("Asking the daemon")
struct AdminServerTests {
    @Test("no call fails, however many come at once", .timeLimit(.minutes(10)))
    func calls() async throws {
        let running = try await Running()
        let client = running.client
        let answers = try await withThrowingTaskGroup(of: [String].self) { group in
            for caller in 0..<20 {
                group.addTask {
                    var answers = [String]()
                    for number in 0..<50 {
                        answers.append(try await client.request("GET", "/\(caller)/\(number)").text)
                    }
                    return answers
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let expected = (0..<20).flatMap { caller in (0..<50).map { "GET /\(caller)/\($0)\n" } }
        #expect(answers.sorted() == expected.sorted())
        await running.server.stopListening()
    }

    @Test("the answer waits for the end of the request")
    func whole() async throws {
        let running = try await Running()
        let descriptor = try running.connect("POST /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n12")
        defer { close(descriptor) }
        // Another request is begun later and answered.
        #expect(try await running.ask("/") == "GET /\n")
        #expect(await read(descriptor, wait: false) == nil)
        try running.send("3", descriptor)
        let answer = try #require(await read(descriptor))
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.hasSuffix("\r\n\r\nPOST /a\n"))
        await running.server.stopListening()
    }

    @Test("RFC 9110 § 9.3.2: HEAD is answered without content")
    func head() async throws {
        let running = try await Running()
        let descriptor = try running.connect("HEAD /a HTTP/1.1\r\nHost: x\r\n\r\n")
        defer { close(descriptor) }
        let answer = try #require(await read(descriptor))
        #expect(answer.contains("content-length: 8\r\n") || answer.contains("Content-Length: 8\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n"))
        await running.server.stopListening()
    }

    @Test("connections that say nothing hold up nobody: the oldest is closed for the newest")
    func slow() async throws {
        let running = try await Running(most: 8)
        var silent = [CInt]()
        defer { for descriptor in silent { close(descriptor) } }
        for _ in 0..<40 {
            silent.append(try running.connect("GET / HTTP/1.1\r\n"))
            #expect(try await running.ask("/health") == "GET /health\n")
        }
        for descriptor in silent.prefix(32) { #expect(await read(descriptor) == "") }
        for descriptor in silent.suffix(7) { #expect(await read(descriptor, wait: false) == nil) }
        await running.server.stopListening()
    }

    @Test("a body without end is cut off")
    func endless() async throws {
        let running = try await Running()
        let descriptor = try running.connect("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n")
        defer { close(descriptor) }
        let piece = [UInt8](repeating: 0x61, count: 4096)
        var sent = 0
        while sent < 16 << 20 {
            let count = unsafe Glibc.send(descriptor, piece, piece.count, CInt(MSG_NOSIGNAL))
            guard count > 0 else { break }
            sent += count
        }
        #expect(sent < 16 << 20)
        await running.server.stopListening()
    }
}

@Suite("File descriptors")
struct DescriptorTests {
    @Test("what is spare is lent, and taken back")
    func spare() {
        let spare = SpareDescriptors()
        #expect((0..<6).map { _ in spare.lend() } == [true, true, true, true, false, false])
        spare.refill()
        #expect(spare.lend())
    }

    @Test(
        "what the limit on open files leaves for mail servers",
        arguments: [(64, 32, 8), (256, 192, 16), (1024, 768, 64), (65_536, 64_512, 256), (16, 1, 8)]
    )
    func budget(_ limit: Int, _ milter: Int, _ admin: Int) {
        let budget = DescriptorBudget(limit: limit)
        #expect(budget.milterConnections == milter && budget.adminConnections == admin)
    }
}
