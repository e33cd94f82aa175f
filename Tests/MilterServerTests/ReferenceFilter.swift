import Foundation
import Glibc
import Logging
import MilterServer
import NIOCore
import NIOPosix
import Synchronization

@testable import MilterProtocol

/// Why the filter on libmilter cannot be used.
struct ReferenceProblem: Error, CustomStringConvertible {
    let description: String
}

/// What a filter did in one connection.
struct Performance: Hashable {
    var log: [String]
    var replies: [String]
}

/// Plays an MTA's part in one go, and reads all replies until the filter closes the connection.
func exchange(_ stream: [UInt8], socket path: String) throws -> [String] {
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { Glibc.close(descriptor) }
    var patience = timeval(tv_sec: 120, tv_usec: 0)
    unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    let connected = unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    guard connected == 0 else { throw ReferenceProblem(description: "cannot connect to \(path): \(errno)") }
    guard unsafe Glibc.send(descriptor, stream, stream.count, Int32(MSG_NOSIGNAL)) == stream.count else {
        throw ReferenceProblem(description: "cannot send: \(errno)")
    }
    var replies: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = unsafe Glibc.recv(descriptor, &buffer, buffer.count, 0)
        // A process that was stopped and goes on: signal(7).
        if count < 0, errno == EINTR { continue }
        // A filter that closes with something unread resets the connection.
        if count == 0 || (count < 0 && errno == ECONNRESET) { return packets(replies) }
        guard count > 0 else { throw ReferenceProblem(description: "no reply within 120 s, after \(packets(replies))") }
        replies += buffer.prefix(count)
    }
}

/// The program in Tests/Reference, built and started.
final class ReferenceFilter {
    private static func build(_ program: String) throws {
        let source = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Reference/filter.c").path
        let compiler = Process()
        compiler.executableURL = URL(filePath: "/usr/bin/cc")
        compiler.arguments = ["-O1", "-o", program, source, "-lmilter", "-lpthread"]
        do { try compiler.run() } catch {
            throw ReferenceProblem(description: "no C compiler at /usr/bin/cc: \(error)")
        }
        compiler.waitUntilExit()
        guard compiler.terminationStatus == 0 else {
            throw ReferenceProblem(description: "cannot build \(source): is libmilter-dev installed?")
        }
    }

    private let process = Process()
    private let output = Pipe()
    private let path: String
    private var pending = ""

    init(request: MilterRequest, name: String) throws {
        path = NSTemporaryDirectory() + "postern-\(getpid())-\(name).sock"
        let program = NSTemporaryDirectory() + "postern-\(getpid())-\(name)"
        try ReferenceFilter.build(program)
        // A program that runs does not need its file.
        defer { _ = unsafe unlink(program) }
        process.executableURL = URL(filePath: program)
        process.arguments = [
            "unix:" + path, String(request.actions.rawValue, radix: 16), String(request.protocolBits, radix: 16),
        ]
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        guard try line() == "ready" else {
            throw ReferenceProblem(description: "the filter on libmilter does not start")
        }
    }

    /// Plays a stream with this many sessions.
    func perform(_ stream: [UInt8], sessions: Int) throws -> Performance {
        let replies = try exchange(stream, socket: path)
        var log: [String] = []
        while log.filter({ $0 == "close" }).count < sessions {
            let line = try line()
            // Where unknown commands are not sent, libmilter tells of a second ABORT too, which Postfix likes to send.
            if line != "abort" || log.last != "abort" { log.append(line) }
        }
        return Performance(log: log, replies: replies)
    }

    private func line() throws -> String {
        while true {
            if let end = pending.firstIndex(of: "\n") {
                defer { pending = String(pending[pending.index(after: end)...]) }
                return String(pending[..<end])
            }
            let data = output.fileHandleForReading.availableData
            guard !data.isEmpty else { throw ReferenceProblem(description: "the filter on libmilter has ended") }
            pending += String(decoding: data, as: UTF8.self)
        }
    }

    deinit {
        // The process is ours and keeps nothing.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        unsafe unlink(path)
    }
}

/// The same filter on our engine.
final class OurFilter {
    private let server: MilterServer
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    private let path: String
    private let log = SharedLog()

    init(request: MilterRequest, name: String) async throws {
        path = NSTemporaryDirectory() + "postern-\(getpid())-\(name)-ours.sock"
        let log = log
        server = MilterServer(
            configuration: MilterServerConfiguration(listeners: [
                MilterListener(.unix(path: path, mode: 0o600, group: nil))
            ]),
            group: group,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
            makeHandler: { PlannedHandler($0, request: request, log: log) }
        )
        try await server.start()
    }

    func perform(_ stream: [UInt8]) throws -> Performance {
        let replies = try exchange(stream, socket: path)
        return Performance(log: log.take(), replies: replies)
    }

    func stop() async throws {
        await server.drain(within: .seconds(1))
        try await group.shutdownGracefully()
    }
}

final class SharedLog: Sendable {
    private let lines = Mutex<[String]>([])

    func append(_ line: String) { lines.withLock { $0.append(line) } }

    func take() -> [String] {
        lines.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }
}

/// Says and answers what the program in Tests/Reference does.
private final class PlannedHandler: MilterSessionHandler {
    let request: MilterRequest
    private let session: MilterSession
    private let log: SharedLog

    init(_ session: MilterSession, request: MilterRequest, log: SharedLog) {
        self.session = session
        self.request = request
        self.log = log
    }

    private func shown(_ octets: some Sequence<UInt8>) -> String {
        let octets = Array(octets)
        guard octets.count <= 1000 else { return "\(octets.count) octets" }
        var text = ""
        for octet in octets {
            if octet > 0x20, octet < 0x7F, octet != 0x5C {
                text.unicodeScalars.append(Unicode.Scalar(octet))
            } else {
                text += "\\" + (octet < 16 ? "0" : "") + String(octet, radix: 16)
            }
        }
        return text
    }

    private func macro(_ name: StaticString, _ label: String) -> String {
        " \(label)=" + (session.macros[name].map { shown($0) } ?? "-")
    }

    private func planned(_ event: Character) -> Character {
        let plan = Array(String(decoding: session.macros["plan"] ?? [], as: UTF8.self))
        guard let index = plan.firstIndex(of: event), index + 2 < plan.count else { return "c" }
        return plan[index + 2]
    }

    private func answer(_ event: Character) -> MilterResponse {
        switch planned(event) {
        case "a": .accept
        case "r": .reject
        case "t": .tempfail
        case "d": .discard
        case "s": .skip
        case "y": .reply(MilterReply(code: 550, enhancedStatus: "5.7.23", text: "SPF fail: 100%"))
        case "Y":
            .reply(MilterReply(code: 451, enhancedStatus: "4.7.1", text: [octets("one")[...], octets("two")[...]]))
        default: .continue
        }
    }

    func connect(_ connection: MilterConnection) -> MilterResponse {
        let address = " \(connection.family) \(connection.port) " + shown(connection.address)
        log.append("connect " + shown(connection.hostName) + address + macro("j", "j"))
        return answer("C")
    }

    func helo(_ name: ArraySlice<UInt8>) -> MilterResponse {
        log.append("helo " + shown(name) + macro("j", "j"))
        return answer("H")
    }

    private func note(_ event: String, _ arguments: [ArraySlice<UInt8>]) {
        log.append(
            event + arguments.map { " " + shown($0) }.joined() + macro("i", "i") + macro("auth_authen", "{auth_authen}")
        )
    }

    func mail(_ arguments: [ArraySlice<UInt8>]) -> MilterResponse {
        note("mail", arguments)
        return answer("M")
    }

    func recipient(_ arguments: [ArraySlice<UInt8>], answer: MilterAnswer) -> MilterResponse? {
        note("recipient", arguments)
        return self.answer("R")
    }

    func data(answer: MilterAnswer) -> MilterResponse? {
        log.append("data")
        return self.answer("T")
    }

    func header(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> MilterResponse {
        unsafe log.append("header " + shown(name) + " " + shown(value))
        return answer("L")
    }

    func endOfHeaders() -> MilterResponse {
        log.append("endOfHeaders")
        return answer("N")
    }

    func body(_ chunk: UnsafeRawBufferPointer) -> MilterResponse {
        unsafe log.append("body " + shown(chunk))
        return answer("B")
    }

    func endOfMessage(answer: MilterAnswer) -> MilterVerdict? {
        note("endOfMessage", [])
        return planned("E") == "m" ? everyModification : MilterVerdict(self.answer("E"))
    }

    private var everyModification: MilterVerdict {
        let value = octets(" b;\n\tc")[...]
        let sender = octets("<new@example.com>")[...]
        return MilterVerdict(
            .accept,
            modifications: [
                .changeHeader(name: octets("X-Old")[...], index: 2, value: []),
                .changeHeader(name: octets("X-Old")[...], index: 1, value: value),
                .insertHeader(index: 0, name: octets("X-A")[...], value: value),
                .addHeader(name: octets("X-B")[...], value: value),
                .quarantine(reason: octets("held for review")[...]),
                .changeSender(address: sender, arguments: []),
                .changeSender(address: sender, arguments: octets("SIZE=1")[...]),
                .addRecipient(address: octets("<c@example.net>")[...], arguments: []),
                .addRecipient(address: octets("<d@example.net>")[...], arguments: octets("NOTIFY=NEVER")[...]),
                .deleteRecipient(address: octets("<b@example.net>")[...]),
                .replaceBody([UInt8](repeating: 0x78, count: 70_000)[...]),
            ]
        )
    }

    func unknown(_ command: ArraySlice<UInt8>) -> MilterResponse {
        log.append("unknown " + shown(command))
        return answer("U")
    }

    func abort() { log.append("abort") }

    func close() { log.append("close") }
}
