import Foundation
import Glibc
import Logging
import MilterProtocol
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import MilterServer

/// Accepts everything, and says at the end on which thread a task ran.
private final class TaskHandler: MilterSessionHandler {
    private let session: MilterSession

    init(_ session: MilterSession) { self.session = session }

    let request = MilterRequest(events: .all, answered: .all)

    func endOfMessage(answer: MilterAnswer) -> MilterVerdict? {
        let loop = session.eventLoop
        _ = Task(executorPreference: session.executor) {
            let before = loop.inEventLoop
            await Task.yield()
            answer.complete(before && loop.inEventLoop ? .accept : .reject)
        }
        return nil
    }
}

/// Never answers the end of a message.
private final class SilentHandler: MilterSessionHandler {
    let request = MilterRequest()

    func endOfMessage(answer: MilterAnswer) -> MilterVerdict? { nil }
}

@Suite("Server on real sockets", .serialized)
struct MilterSocketTests {
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    private static let hello = packet("C", "x\0U") + packet("H", "x\0")
    private static let message = packet("M", "<>\0") + packet("R", "<a>\0") + packet("N") + packet("E")

    private func path(_ name: String) -> String { NSTemporaryDirectory() + "postern-\(getpid())-server-\(name)" }

    private func server(_ listeners: MilterListener...) -> MilterServer {
        MilterServer(
            configuration: MilterServerConfiguration(listeners: listeners),
            group: Self.group,
            logger: Self.logger
        ) { TaskHandler($0) }
    }

    private func start(_ listeners: MilterListener..., takingOver: Bool = false) async throws -> MilterServer {
        let server = MilterServer(
            configuration: MilterServerConfiguration(listeners: listeners),
            group: Self.group,
            logger: Self.logger
        ) { TaskHandler($0) }
        try await [server as any SocketServer].open(takingOver: takingOver)
        return server
    }

    /// The files that tests of this process have left whose names begin so.
    private func leftovers(_ name: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: NSTemporaryDirectory())
            .filter { $0.hasPrefix("postern-\(getpid())-server-\(name)") }
    }

    private func unix(_ name: String, mode: UInt16 = 0o660, group: String? = nil, maximum: Int = 10) -> MilterListener {
        MilterListener(.unix(path: path(name), mode: mode, group: group), maximumConnections: maximum)
    }

    @Test("two messages over a unix socket, judged by tasks that stay on the loop")
    func unixSocket() async throws {
        let server = try await start(unix("two"))
        let replies = try exchange(offer + Self.hello + Self.message + Self.message + packet("Q"), socket: path("two"))
        #expect(replies.dropFirst() == ["c", "c", "c", "c", "c", "a", "c", "c", "c", "a"])
        await server.drain(within: .seconds(5))
        let statistics = server.statistics
        #expect(statistics.messages == 2 && statistics.connections == 1 && statistics.openConnections == 0)
        #expect(statistics.events == [1, 1, 2, 2, 0, 0, 2, 0, 2, 0])
        #expect(statistics.receivedOctets == (offer + Self.hello + Self.message + Self.message + packet("Q")).count)
    }

    @Test("mode and group of the socket")
    func permissions() async throws {
        let server = try await start(unix("mode", mode: 0o620, group: "\(getgid())"))
        var status = stat()
        #expect(unsafe lstat(path("mode"), &status) == 0)
        #expect(status.st_mode & 0o7777 == 0o620 && status.st_gid == getgid())
        await server.drain(within: .seconds(5))
        #expect(unsafe lstat(path("mode"), &status) != 0)
    }

    @Test("a group that does not exist: no socket is left, and the error names it")
    func unknownGroup() async throws {
        await #expect { try await start(unix("group", group: "no-such-group")) } throws: { error in
            "\(error)".contains("no-such-group") && "\(error)".contains(path("group"))
        }
        #expect(try leftovers("group") == [])
    }

    @Test("a successor that may takes the name over, and keeps it when the predecessor ends")
    func takeOver() async throws {
        let first = try await start(unix("over"))
        let second = try await start(unix("over"), takingOver: true)
        #expect(first.files.map(\.condition) == [.replaced] && second.files.map(\.condition) == [.inPlace])
        #expect(try exchange(offer + packet("Q"), socket: path("over")).count == 1)
        #expect(first.statistics.connections == 0 && second.statistics.connections == 1)
        await first.drain(within: .seconds(5))
        #expect(try exchange(offer + packet("Q"), socket: path("over")).count == 1)
        await second.drain(within: .seconds(5))
        #expect(throws: ReferenceProblem.self) { try exchange(offer + packet("Q"), socket: path("over")) }
    }

    @Test("who listens already keeps the name, and the second server does not start")
    func occupied() async throws {
        let first = try await start(unix("occupied"))
        await #expect { try await start(unix("occupied")) } throws: { error in
            "\(error)".hasSuffix("another postern answers at \(path("occupied")); stop it, or start with --take-over")
        }
        #expect(try exchange(offer + packet("Q"), socket: path("occupied")).count == 1)
        #expect(try leftovers("occupied").count == 1)
        await first.drain(within: .seconds(5))
        #expect(try leftovers("occupied") == [])
    }

    @Test("a socket that a killed process has left is replaced")
    func abandoned() async throws {
        let path = path("abandoned")
        _ = try ListeningSocket.bound(to: SocketAddress(unixDomainSocketPath: path))
        let server = try await start(unix("abandoned"))
        #expect(try exchange(offer + packet("Q"), socket: path).count == 1)
        await server.drain(within: .seconds(5))
        #expect(try leftovers("abandoned") == [])
    }

    @Test(
        "what is no socket is refused and stays, even for who may take over",
        arguments: ["a regular file", "a directory", "a named pipe", "a symbolic link"]
    )
    func noSocket(_ kind: String) async throws {
        let path = path("kind")
        switch kind {
        case "a regular file": try Data([1]).write(to: URL(filePath: path))
        case "a directory": try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        case "a named pipe": try #require(unsafe mkfifo(path, 0o600) == 0)
        default: try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/nonexistent")
        }
        defer { _ = unsafe remove(path) }
        var before = stat()
        try #require(unsafe lstat(path, &before) == 0)
        await #expect { try await start(unix("kind"), takingOver: true) } throws: { error in
            "\(error)".contains("\(path) is \(kind), not a socket")
        }
        var after = stat()
        #expect(unsafe lstat(path, &after) == 0 && after.st_ino == before.st_ino && after.st_size == before.st_size)
        #expect(try leftovers("kind").count == 1)
    }

    @Test("when another server's socket cannot be had, who listens keeps the name")
    func together() async throws {
        let first = try await start(unix("together"))
        let second: [any SocketServer] = [server(unix("together")), server(unix("no/such/directory"))]
        await #expect(throws: ListeningFailure.self) { try await second.open(takingOver: true) }
        #expect(first.files.map(\.condition) == [.inPlace])
        #expect(try exchange(offer + packet("Q"), socket: path("together")).count == 1)
        await first.drain(within: .seconds(5))
        #expect(try leftovers("together") == [])
    }

    @Test("until everything is published, who listened before gets the name back")
    func restored() async throws {
        let first = try await start(unix("restored"))
        let file = SocketFile(path: path("restored"), mode: 0o600, group: nil)
        let socket = try file.bind(takingOver: true)
        #expect(first.files.map(\.condition) == [.inPlace])
        try file.publish(takingOver: true)
        #expect(first.files.map(\.condition) == [.replaced] && file.condition == .inPlace)
        file.withdraw()
        #expect(first.files.map(\.condition) == [.inPlace] && file.condition == nil)
        _ = socket
        await first.drain(within: .seconds(5))
        #expect(try leftovers("restored") == [])
    }

    @Test("a name that is gone or another's is seen, and not removed at the end")
    func lost() async throws {
        let server = try await start(unix("lost"))
        _ = unsafe unlink(path("lost"))
        #expect(server.files.map(\.condition) == [.gone])
        try #require(FileManager.default.createFile(atPath: path("lost"), contents: nil))
        #expect(server.files.map(\.condition) == [.replaced])
        await server.drain(within: .seconds(5))
        #expect(try leftovers("lost").count == 1)
        _ = unsafe unlink(path("lost"))
    }

    @Test("nobody can connect before the mode is what it is to be")
    func notYet() throws {
        let file = SocketFile(path: path("yet"), mode: 0o600, group: nil)
        let socket = try file.bind(takingOver: false)
        let name = try #require(try leftovers("yet").first)
        var status = stat()
        #expect(unsafe lstat(NSTemporaryDirectory() + name, &status) == 0 && status.st_mode & 0o7777 == 0o600)
        #expect(throws: ReferenceProblem.self) { try exchange(offer, socket: NSTemporaryDirectory() + name) }
        _ = socket
        file.withdraw()
        #expect(try leftovers("yet") == [])
    }

    @Test(
        "a socket that cannot be listened on is named as the configuration does, with the reason",
        arguments: [
            // RFC 5737 § 3: an address that no host has.
            (MilterListener.Address.tcp(host: "203.0.113.9", port: 8891), "inet:8891@203.0.113.9: Cannot assign"),
            (.tcp(host: "2001:db8::9", port: 8891), "inet6:8891@2001:db8::9: "),
            (.unix(path: "/nonexistent/x", mode: 0o660, group: nil), "unix:/nonexistent/x: No such file or directory"),
        ]
    )
    func failure(address: MilterListener.Address, problem: String) async throws {
        await #expect { try await start(MilterListener(address)) } throws: { error in
            "\(error)".hasPrefix("cannot listen on \(problem)")
        }
    }

    @Test("nothing is bound when one listener cannot be")
    func allOrNothing() async throws {
        await #expect(throws: MilterServer.StartError.noSuchSocket(name: "x")) {
            try await start(unix("none"), MilterListener(.systemd(name: "x")))
        }
        #expect(throws: ReferenceProblem.self) { try exchange(offer, socket: path("none")) }
    }

    @Test("connections that stay are shared between the loops", .timeLimit(.minutes(10)))
    func shares() async throws {
        let sessions = Mutex<[ObjectIdentifier: Int]>([:])
        let configuration = MilterServerConfiguration(listeners: [MilterListener(.tcp(host: "127.0.0.1", port: 0))])
        let server = MilterServer(configuration: configuration, group: Self.group, logger: Self.logger) { session in
            sessions.withLock { $0[ObjectIdentifier(session.eventLoop), default: 0] += 1 }
            return TaskHandler(session)
        }
        try await server.start()
        let address = try #require(server.localAddresses.first)
        var clients: [any Channel] = []
        for _ in 0..<40 { clients.append(try await ClientBootstrap(group: Self.group).connect(to: address).get()) }
        while server.statistics.openConnections < 40 { await Task.yield() }
        // The loops accept in turns.
        #expect(sessions.withLock { $0.values.min() ?? 0 } >= 18)
        for client in clients { try await client.close() }
        await server.drain(within: .seconds(5))
    }

    @Test("one session too many is told to try again later")
    func maximum() async throws {
        let server = try await start(unix("full", maximum: 0))
        let replies = try exchange(offer + Self.hello + Self.message + packet("Q"), socket: path("full"))
        #expect(replies.dropFirst() == ["t", "t", "t", "t", "t", "t"])
        await server.drain(within: .seconds(5))
        #expect(server.statistics.refusedConnections == 1 && server.statistics.messages == 0)
    }

    @Test("the end cuts off who does not end in time")
    func deadline() async throws {
        let server = try await start(MilterListener(.tcp(host: "127.0.0.1", port: 0)))
        let address = try #require(server.localAddresses.first)
        let client = try await ClientBootstrap(group: Self.group).connect(to: address).get()
        try await client.writeAndFlush(ByteBuffer(bytes: offer + Self.hello + packet("M", "<>\0")))
        while server.statistics.openConnections == 0 { await Task.yield() }
        await server.drain(within: .milliseconds(50))
        #expect(server.statistics.openConnections == 0)
        try await client.closeFuture.get()
    }

    @Test("an MTA that hangs up while it waits", .timeLimit(.minutes(10)), arguments: [[], packet("A") + packet("Q")])
    func hangup(_ parting: [UInt8]) async throws {
        let configuration = MilterServerConfiguration(listeners: [MilterListener(.tcp(host: "127.0.0.1", port: 0))])
        let server = MilterServer(configuration: configuration, group: Self.group, logger: Self.logger) { _ in
            SilentHandler()
        }
        try await server.start()
        let address = try #require(server.localAddresses.first)
        let client = try await ClientBootstrap(group: Self.group).connect(to: address).get()
        try await client.writeAndFlush(ByteBuffer(bytes: offer + Self.hello + Self.message + parting))
        while server.statistics.receivedOctets == 0, server.statistics.connections == 0 { await Task.yield() }
        try await client.close()
        while server.statistics.abortedMessages == 0 { await Task.yield() }
        await server.drain(within: .seconds(5))
        #expect(server.statistics.messages == 0 && server.statistics.violations == 0)
    }

    @Test("a socket that a service manager opened")
    func inherited() throws {
        let sockets = ServiceManagerSockets(processNumber: "42", count: "3", names: "a:b:a", own: 42)
        #expect(sockets.named("a") == [3, 5] && sockets.named("b") == [4] && sockets.named("c").isEmpty)
        #expect(ServiceManagerSockets(processNumber: "41", count: "1", names: "a", own: 42).descriptors.isEmpty)
        #expect(ServiceManagerSockets(processNumber: nil, count: "1", names: "a", own: 42).descriptors.isEmpty)
        #expect(ServiceManagerSockets(processNumber: "42", count: "-1", names: "a", own: 42).descriptors.isEmpty)
        #expect(ServiceManagerSockets(processNumber: "42", count: "2", names: nil, own: 42).named("unknown") == [4])
    }

    @Test(
        "addresses in words",
        arguments: [
            (.unix(path: "/run/p.sock", mode: 0o660, group: nil), "unix:/run/p.sock"),
            (.tcp(host: "127.0.0.1", port: 8891), "inet:8891@127.0.0.1"),
            (.tcp(host: "::1", port: 8891), "inet6:8891@::1"), (.systemd(name: "postern"), "systemd:postern"),
        ] as [(MilterListener.Address, String)]
    )
    func address(_ address: MilterListener.Address, _ text: String) {
        #expect(address.description == text)
    }
}
