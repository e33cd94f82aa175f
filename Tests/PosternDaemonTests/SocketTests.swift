import Dispatch
import Glibc
import NIOCore
import NIOPosix
import PosternConfiguration
import ServiceManager
import Synchronization
import TestSupport
import Testing

@testable import PosternDaemon

/// A datagram socket that a test reads.
final class DatagramSocket {
    private let descriptor: Int32

    /// Binds a path, or an abstract name after `@`.
    init(_ name: String) throws {
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        try #require(descriptor >= 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var path = Array(name.utf8)
        if path.first == UInt8(ascii: "@") { path[0] = 0 }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path) }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + path.count)
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, length) }
        }
        try #require(status == 0)
    }

    deinit { close(descriptor) }

    /// The next datagram; nil when there is none now.
    func next() -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = unsafe buffer.withUnsafeMutableBytes {
            unsafe recv(descriptor, $0.baseAddress, $0.count, Int32(MSG_DONTWAIT))
        }
        return count < 0 ? nil : String(decoding: buffer.prefix(count), as: UTF8.self)
    }
}

@Suite("The system log's socket")
struct SyslogSocketTests {
    @Test(
        "RFC 3164 § 4.1: priority, time, tag and the line",
        arguments: [("mail", 6, 22), ("mail", 3, 19), ("local7", 7, 191), ("daemon", 4, 28)]
    )
    func format(_ facility: String, _ severity: Int, _ priority: Int) throws {
        let folder = try Folder()
        let reader = try DatagramSocket(folder.file("log"))
        let code = try #require(SyslogSocket.facilities[facility])
        let syslog = SyslogSocket(path: folder.file("log"), facility: code, identity: "postern")
        syslog.send(Array("4XyZ1: action=accept".utf8), severity: severity)
        let line = try #require(reader.next())
        #expect(line.hasPrefix("<\(priority)>"))
        #expect(line.hasSuffix(" postern[\(getpid())]: 4XyZ1: action=accept"))
        // "Mmm dd hh:mm:ss", the day padded by a space.
        let time = line.drop { $0 != ">" }.dropFirst().prefix(15).map { $0.isNumber ? "9" : $0.isLetter ? "a" : $0 }
        #expect(["aaa 99 99:99:99", "aaa  9 99:99:99"].contains(String(time)))
        #expect(syslog.dropped == 0)
        #expect(reader.next() == nil)
    }

    @Test("a queue that is full loses lines, counts them, and takes lines again once it is read")
    func full() throws {
        let folder = try Folder()
        let reader = try DatagramSocket(folder.file("log"))
        let syslog = SyslogSocket(path: folder.file("log"), facility: 2, identity: "postern")
        var sent = 0
        while syslog.dropped == 0, sent < 100_000 {
            syslog.send(Array("line \(sent)".utf8), severity: 6)
            sent += 1
        }
        #expect(syslog.dropped == 1)
        var lines = [String]()
        while let line = reader.next() { lines.append(line) }
        #expect(lines.count == sent - 1)
        #expect(lines.last?.hasSuffix(": line \(sent - 2)") == true)
        syslog.send(Array("again".utf8), severity: 6)
        #expect(reader.next()?.hasSuffix(": again") == true)
        #expect(syslog.dropped == 1)
    }

    @Test("a log that is absent loses lines; one that comes, or comes again, gets them")
    func reconnects() throws {
        let folder = try Folder()
        let path = folder.file("log")
        let syslog = SyslogSocket(path: path, facility: 2, identity: "postern")
        syslog.send(Array("nobody".utf8), severity: 6)
        #expect(syslog.dropped == 1)
        for round in 0..<3 {
            let reader = try DatagramSocket(path)
            syslog.send(Array("round \(round)".utf8), severity: 6)
            #expect(reader.next()?.hasSuffix(": round \(round)") == true)
            unsafe unlink(path)
        }
        #expect(syslog.dropped == 1)
    }

    @Test("while there is no log, lines go to standard error, with one that says so; then the log is told")
    func substitute() throws {
        let folder = try Folder()
        let path = folder.file("log")
        var ends: [Int32] = [-1, -1]
        try #require(unsafe pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let sink = LogSink(
            syslog: SyslogSocket(path: path, facility: 2, identity: "postern"),
            standardError: nil,
            substitute: SyslogSubstitute(LineStream(descriptor: ends[1]), format: .text)
        )
        for round in ["first", "second"] {
            sink.write(Array("\(round) one".utf8), severity: 6)
            sink.write(Array("\(round) two".utf8), severity: 6)
            let notice = "postern: no system log at \(path): the log goes here while there is none\n"
            #expect(LineStreamTests.read(ends[0]) == notice + "\(round) one\n\(round) two\n")
            let reader = try DatagramSocket(path)
            sink.write(Array("\(round) three".utf8), severity: 6)
            #expect(reader.next()?.hasSuffix(": \(round) three") == true)
            #expect(
                reader.next()?.hasSuffix("the system log is there again; earlier lines went to standard error") == true
            )
            #expect(reader.next() == nil)
            unsafe unlink(path)
        }
        #expect(LineStreamTests.read(ends[0]) == "" && sink.dropped == 0)
    }

    @Test("a path that no socket can have loses lines", arguments: ["", String(repeating: "x", count: 200)])
    func badPath(_ path: String) {
        let syslog = SyslogSocket(path: path, facility: 2, identity: "postern")
        syslog.send(Array("x".utf8), severity: 6)
        #expect(syslog.dropped == 1)
    }
}

@Suite("Lines into an open file, a pipe or a socket")
struct LineStreamTests {
    /// What leads to a reader, and what it reads.
    private static func connection(isSocket: Bool) throws -> (writer: Int32, reader: Int32) {
        var ends: [Int32] = [-1, -1]
        let status =
            isSocket
            ? unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) : unsafe pipe(&ends)
        try #require(status == 0)
        return (ends[1], ends[0])
    }

    /// What there is to read now.
    static func read(_ descriptor: Int32) -> String {
        var text = [UInt8]()
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while unsafe poll(&entry, 1, 0) == 1 {
            let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { break }
            text += buffer.prefix(count)
        }
        return String(decoding: text, as: UTF8.self)
    }

    @Test("who reads too slowly loses lines and holds up nobody", arguments: [false, true])
    func full(isSocket: Bool) throws {
        let (writer, reader) = try Self.connection(isSocket: isSocket)
        defer {
            close(writer)
            close(reader)
        }
        let stream = LineStream(descriptor: writer)
        var written = 0
        while stream.dropped == 0, written < 1_000_000 {
            stream.write(Array("line \(written)".utf8))
            written += 1
        }
        #expect(stream.dropped == 1)
        let expected = (0..<written - 1).map { "line \($0)\n" }.joined()
        #expect(Self.read(reader).hasPrefix(expected))
        stream.write(Array("again".utf8))
        #expect(Self.read(reader).split(separator: "\n").last == "again")
        #expect(stream.dropped == 1)
    }

    @Test("a file gets every line")
    func file() throws {
        let folder = try Folder()
        let descriptor = unsafe open(folder.file("log"), O_RDWR | O_CREAT, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        let stream = LineStream(descriptor: descriptor)
        for number in 0..<3 { stream.write(Array("line \(number)".utf8)) }
        stream.flush()
        #expect(lseek(descriptor, 0, SEEK_SET) == 0)
        #expect(stream.dropped == 0)
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = unsafe buffer.withUnsafeMutableBytes { unsafe Glibc.read(descriptor, $0.baseAddress, $0.count) }
        #expect(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self) == "line 0\nline 1\nline 2\n")
    }
}

@Suite("Lines into a file")
struct FileWriterTests {
    /// A disk that takes what it has room for, when it is not stuck.
    private final class Disk: Sendable {
        private let state = Mutex((octets: [UInt8](), room: Int.max))
        let isStuck = DispatchSemaphore(value: 0)

        var text: String { String(decoding: state.withLock { $0.octets }, as: UTF8.self) }

        func setRoom(_ room: Int) { state.withLock { $0.room = room } }

        func take(_ octets: ArraySlice<UInt8>) -> Int {
            isStuck.wait()
            defer { isStuck.signal() }
            return state.withLock { state in
                let count = min(state.room, octets.count)
                state.octets += octets.prefix(count)
                state.room -= count
                return count
            }
        }
    }

    @Test("a disk that is stuck holds up nobody; what it takes later is written, and what is too much is counted")
    func stuck() {
        let disk = Disk()
        let writer = FileWriter { disk.take($0) }
        let line = [UInt8](repeating: 0x61, count: 999)
        // The first piece is being written while a mebibyte waits.
        for _ in 0..<5000 { writer.write(line) }
        #expect(disk.text == "" && writer.dropped > 0)
        disk.isStuck.signal()
        writer.flush(seconds: 60)
        let lines = disk.text.split(separator: "\n")
        #expect(lines.count + writer.dropped == 5000 && lines.count >= 1048)
        #expect(lines.allSatisfy { $0.utf8.count == 999 })
    }

    @Test("a full disk loses lines and counts them; later ones begin on a line of their own")
    func full() {
        let disk = Disk()
        disk.isStuck.signal()
        disk.setRoom(8)
        let writer = FileWriter { disk.take($0) }
        for line in ["one", "two", "three"] {
            writer.write(Array(line.utf8))
            writer.flush(seconds: 60)
        }
        #expect(disk.text == "one\ntwo\n" && writer.dropped == 1)
        disk.setRoom(2)
        writer.write(Array("four".utf8))
        writer.flush(seconds: 60)
        disk.setRoom(.max)
        writer.write(Array("five".utf8))
        writer.flush(seconds: 60)
        #expect(disk.text == "one\ntwo\nfo\nfive\n" && writer.dropped == 2)
    }
}

@Suite("The service manager")
struct SystemdNotificationTests {
    @Test("sd_notify(3): states, and a status for people, by a path or an abstract name")
    func states() throws {
        let folder = try Folder()
        for name in [folder.file("notify"), "@" + folder.path.dropFirst() + "-notify"] {
            let reader = try DatagramSocket(name)
            let notification = SystemdNotification(address: name)
            notification.send(.ready, status: "serving x")
            #expect(reader.next() == "READY=1\nSTATUS=serving x")
            notification.send(.stopping)
            #expect(reader.next() == "STOPPING=1")
            // systemd.service(5), Type=notify-reload: the time comes with it.
            notification.send(.reloading)
            let lines = reader.next()?.split(separator: "\n") ?? []
            #expect(lines.first == "RELOADING=1")
            #expect(lines.last?.hasPrefix("MONOTONIC_USEC=") == true)
            #expect(lines.last.flatMap { Int($0.dropFirst(15)) } ?? 0 > 0)
        }
    }

    @Test(
        "without a manager nothing happens",
        arguments: [nil, "", "/nonexistent/x", String(repeating: "x", count: 200)]
    )
    func nobody(_ address: String?) {
        SystemdNotification(address: address).send(.ready)
    }

    @Test("sd_watchdog_enabled(3): it is told that we live, in half of the time")
    func watchdog() async throws {
        let folder = try Folder()
        let reader = try DatagramSocket(folder.file("notify"))
        let watchdog = try #require(
            Watchdog(
                loops: Array(MultiThreadedEventLoopGroup.singleton.makeIterator()),
                notification: SystemdNotification(address: folder.file("notify")),
                microseconds: "2000",
                process: "\(getpid())"
            )
        )
        let running = Task { try await watchdog.run() }
        var told = 0
        while told < 3 {
            if let text = reader.next() {
                #expect(text == "WATCHDOG=1")
                told += 1
            }
            await Task.yield()
        }
        running.cancel()
        try await running.value
    }

    @Test("while one loop is stuck it is told nothing")
    func stuckLoop() async throws {
        let folder = try Folder()
        let reader = try DatagramSocket(folder.file("notify"))
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let loops = Array(group.makeIterator())
        let held = DispatchSemaphore(value: 0)
        loops[1].execute { held.wait() }
        let watchdog = try #require(
            Watchdog(
                loops: loops,
                notification: SystemdNotification(address: folder.file("notify")),
                microseconds: "2000",
                process: nil
            )
        )
        let running = Task { try await watchdog.run() }
        try await Task.sleep(for: .milliseconds(100))
        #expect(reader.next() == nil)
        held.signal()
        while reader.next() == nil { await Task.yield() }
        running.cancel()
        try await running.value
        try await group.shutdownGracefully()
    }

    @Test(
        "a watchdog for nobody or for another process is none",
        arguments: [(nil, nil), ("", nil), ("0", nil), ("x", nil), ("1000", "1")] as [(String?, String?)]
    )
    func noWatchdog(_ microseconds: String?, _ process: String?) {
        #expect(Watchdog(loops: [], microseconds: microseconds, process: process) == nil)
    }
}
