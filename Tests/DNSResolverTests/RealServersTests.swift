import DNSLookup
import Foundation
import Glibc
import MailSyntax
import Testing

@testable import DNSResolver

/// A name server program that runs for a test, in a folder of its own.
final class ServerProgram {
    /// Why a server could not be had.
    struct Absent: Error, CustomStringConvertible {
        let description: String
    }

    private let process = Process()
    private let folder: URL
    let server: NameServer

    /// Starts a program with a configuration; it has to stay in the foreground and listen on `port`.
    init(_ program: String, port: Int, files: [String: String], arguments: (URL) -> [String]) throws {
        guard FileManager.default.isExecutableFile(atPath: program) else {
            throw Absent(description: "\(program) is absent: install the package of that name")
        }
        folder = FileManager.default.temporaryDirectory.appending(path: "\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (name, text) in files {
            let filled = text.replacing("FOLDER", with: folder.path).replacing("PORT", with: "\(port)")
            try Data(filled.utf8).write(to: folder.appending(path: name))
        }
        server = NameServer(.v4(IPv4Address(0x7F00_0001)), port: UInt16(port))
        process.executableURL = URL(filePath: program)
        process.arguments = arguments(folder)
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
    }

    /// Waits until it answers.
    func waitUntilReady(_ question: DNSQuestion) async throws {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(60)
        while clock.now < end, process.isRunning {
            var options = ResolverOptions(servers: [server])
            options.timeout = .milliseconds(200)
            let resolver = CachingResolver(options)
            let reply = await resolver.lookUp(question)
            await resolver.shutdown()
            if case .success = reply.result { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw Absent(description: "\(process.executableURL?.path ?? "the server") does not answer")
    }

    /// Ends the program and its children: it inherited the blocked signals of the test's threads, so it cannot be asked to.
    func stop() {
        kill(-process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    /// A port that was free a moment ago.
    static func freePort() async throws -> Int {
        let server = try await ScriptedServer.start { _ in [] }
        await server.stop()
        return server.port
    }

    static func nsd(zone: String) async throws -> ServerProgram {
        let configuration = """
            server:
                ip-address: 127.0.0.1@PORT
                username: ""
                chroot: ""
                zonesdir: "FOLDER"
                database: ""
                pidfile: ""
                xfrdfile: "FOLDER/xfrd.state"
                zonelistfile: "FOLDER/zone.list"
                xfrdir: "FOLDER"
                logfile: "FOLDER/log"
                server-count: 1
                rrl-ratelimit: 0
            remote-control:
                control-enable: no
            zone:
                name: "zone.example"
                zonefile: "zone"
            """
        return try await ServerProgram(
            "/usr/sbin/nsd",
            port: freePort(),
            files: ["nsd.conf": configuration, "zone": zone],
            arguments: { ["-d", "-c", $0.appending(path: "nsd.conf").path] }
        )
    }

    static func unbound(stub: NameServer) async throws -> ServerProgram {
        let configuration = """
            server:
                interface: 127.0.0.1@PORT
                username: ""
                chroot: ""
                directory: "FOLDER"
                pidfile: ""
                logfile: "FOLDER/log"
                use-syslog: no
                num-threads: 1
                do-not-query-localhost: no
                module-config: "iterator"
            remote-control:
                control-enable: no
            stub-zone:
                name: "zone.example"
                stub-addr: 127.0.0.1@\(stub.port)
            """
        return try await ServerProgram(
            "/usr/sbin/unbound",
            port: freePort(),
            files: ["unbound.conf": configuration],
            arguments: { ["-d", "-c", $0.appending(path: "unbound.conf").path] }
        )
    }
}

@Suite("Real servers")
struct RealServersTests {
    static let long = String(repeating: "0123456789abcdef", count: 15)

    static let zone = """
        $ORIGIN zone.example.
        $TTL 300
        @ IN SOA ns hostmaster 1 7200 1800 604800 120
        @ IN NS ns
        ns IN A 127.0.0.1
        @ IN MX 10 mail
        @ IN MX 20 mail2.zone.example.
        mail IN A 192.0.2.1
        mail IN A 192.0.2.2
        mail IN AAAA 2001:db8::1
        text IN TXT "v=spf1 " "-all"
        large IN TXT \((0..<16).map { _ in "\"\(long)\"" }.joined(separator: " "))
        alias IN CNAME alias2
        alias2 IN CNAME text
        dangling IN CNAME nothing
        host.deep IN A 192.0.2.3
        *.wild IN TXT wildcard
        1 IN PTR mail
        odd\\.label IN TXT "a dot in a label"
        """

    /// What every server has to give for a question: the zone itself says it, read by ldns.
    static let questions: [(String, DNSRecordType)] = [
        ("zone.example", .mx), ("mail.zone.example", .a), ("mail.zone.example", .aaaa), ("text.zone.example", .txt),
        ("large.zone.example", .txt), ("alias.zone.example", .txt), ("alias.zone.example", .a),
        ("dangling.zone.example", .txt), ("nothing.zone.example", .a), ("deep.zone.example", .a),
        ("host.deep.zone.example", .a), ("a.b.wild.zone.example", .txt), ("a.wild.zone.example", .mx),
        ("1.zone.example", .ptr), ("MAIL.Zone.Example", .a),
    ]

    @Test("nsd, and unbound in front of it, answer what the zone says")
    func agree() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).zone").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(Self.zone.utf8).write(to: URL(filePath: path))
        let zone = try ZoneFile.load(path: path)
        let ready = DNSQuestion(try DomainName("mail.zone.example"), .a)
        let nsd = try await ServerProgram.nsd(zone: Self.zone)
        defer { nsd.stop() }
        try await nsd.waitUntilReady(ready)
        let unbound = try await ServerProgram.unbound(stub: nsd.server)
        defer { unbound.stop() }
        try await unbound.waitUntilReady(ready)

        var questions = try Self.questions.map { DNSQuestion(try DomainName($0.0), $0.1) }
        questions.append(
            DNSQuestion(try DomainName(labels: ["odd.label", "zone", "example"].map { Octets($0) }), .txt)
        )
        for server in [nsd.server, unbound.server] {
            // A busy host may hold the test or the server up.
            var options = ServersTests.options()
            options.servers = [server]
            let resolver = CachingResolver(options)
            for question in questions {
                let expected = try zone.answer(question).get()
                let reply = await resolver.lookUp(question)
                let answer = try reply.result.get()
                #expect(answer.status == expected.status, "\(question)")
                #expect(Set(answer.records) == Set(expected.records), "\(question)")
                #expect(answer.timeToLive > 0 && answer.timeToLive <= 300, "\(question)")
                #expect(resolver.answerAtHand(question)?.source == .cache, "\(question)")
            }
            // One text is too large for a datagram.
            #expect(resolver.statistics.queriesOverTCP == 1)
            await resolver.shutdown()
        }
    }
}
