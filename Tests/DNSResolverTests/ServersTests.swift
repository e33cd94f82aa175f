import DNSLookup
import Foundation
import MailSyntax
import NIOCore
import NIOPosix
import Synchronization
import TestSupport
import Testing

@testable import DNSResolver

@Suite("Servers, ports and connections")
struct ServersTests {
    private static func question(_ name: String) throws -> DNSQuestion { DNSQuestion(try DomainName(name), .txt) }

    /// A thread for resolvers whose time counts: what other suites do holds up none of their events.
    private static let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// What a host that holds a test up does not change: where nothing is silent, nothing is sent again, given up or
    /// closed.
    static func options(_ servers: ScriptedServer..., timeout: Duration = .seconds(120)) -> ResolverOptions {
        var options = ResolverOptions(servers: servers.map(\.server))
        options.attemptTimeout = timeout
        options.maximumAttemptTimeout = timeout * 5
        options.timeout = .seconds(600)
        options.patience = .seconds(600)
        options.idleTimeout = .seconds(600)
        options.hold = .milliseconds(150)
        return options
    }

    static func source(_ resolver: CachingResolver, _ name: String) async throws -> DNSSource? {
        let reply = await resolver.lookUp(try question(name))
        return (try? reply.result.get()) == nil ? nil : reply.source
    }

    @Test("RFC 5452 § 9.2: neither ports nor identifiers can be foretold")
    func unpredictable() async throws {
        let server = try await ScriptedServer.start { [.send($0.good)] }
        // One loop, so that the ports follow each other.
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let resolver = CachingResolver(Self.options(server), eventLoopGroup: group)
        for number in 0..<600 { _ = try await Self.source(resolver, "n\(number).example") }
        let identifiers = server.queries.map(\.identifier)
        let ports = server.ports
        // Of 600 among 65,536, some 597 are distinct; 570 would be 27 pairs where three are expected.
        #expect(Set(identifiers).count > 570)
        let steps = zip(identifiers, identifiers.dropFirst()).map { $1 &- $0 }
        #expect(Set(steps).count > 570)
        // A port carries 16 questions at most, in a run, and the next one is not beside it.
        var runs = [(port: Int, count: Int)]()
        for port in ports {
            if runs.last?.port == port { runs[runs.count - 1].count += 1 } else { runs.append((port, 1)) }
        }
        #expect(runs.allSatisfy { $0.count <= UDPSocket.questionsPerSocket })
        #expect(Set(runs.map(\.port)).count > runs.count - 4)
        let portSteps = zip(runs, runs.dropFirst()).map { abs($1.port - $0.port) }
        #expect(portSteps.filter { $0 < 16 }.count <= 2)
        await resolver.shutdown()
        await server.stop()
        try await group.shutdownGracefully()
    }

    @Test("30 % of all messages lost, and every lookup is answered")
    func loss() async throws {
        // Each message is lost or not by its question and its count, so that every run is the same.
        let seen = Mutex<[String: Int]>([:])
        let server = try await ScriptedServer.start { query in
            let count = seen.withLock { seen in
                seen[query.firstLabel, default: 0] += 1
                return seen[query.firstLabel, default: 0]
            }
            var mixed = UInt64(count)
            for octet in query.firstLabel.utf8 { mixed = (mixed ^ UInt64(octet)) &* 0x100_0000_01B3 }
            mixed ^= mixed >> 29
            return (mixed &* 0x9E37_79B9_7F4A_7C15) >> 32 % 10 < 3 ? [] : [.send(query.good)]
        }
        let resolver = CachingResolver(Self.options(server, timeout: .milliseconds(500)))
        let answered = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<200 {
                group.addTask { (try? await Self.source(resolver, "n\(number).example")) == .some(.server) }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(answered == 200)
        #expect(server.queries.count > 230)
        await resolver.shutdown()
        await server.stop()
    }

    @Test("the next server is asked when one is silent, fails or cannot be reached")
    func failover() async throws {
        let good = try await ScriptedServer.start { [.send($0.good)] }
        for script: ScriptedServer.Script? in [
            { _ in [] }, { [.send($0.reply(code: 2))] }, { [.send($0.reply(code: 5))] }, nil,
        ] {
            let bad = try await ScriptedServer.start(script ?? { _ in [] })
            if script == nil { await bad.stop() }
            let resolver = CachingResolver(Self.options(bad, good, timeout: .milliseconds(200)))
            #expect(try await Self.source(resolver, "name.example") == .server)
            let statistics = resolver.statistics
            #expect(statistics.servers.allSatisfy { $0.queries > 0 })
            #expect(statistics.lookupTimes.counts.reduce(0, +) == 1)
            await resolver.shutdown()
            await bad.stop()
        }
        await good.stop()
    }

    @Test("a server that does not answer is left alone, and taken back when it answers again", arguments: [600, 0.15])
    func holding(hold: Double) async throws {
        let first = try await ScriptedServer.start { _ in [] }
        let second = try await ScriptedServer.start { [.send($0.good)] }
        var options = Self.options(first, second, timeout: .milliseconds(200))
        options.hold = .seconds(hold)
        let resolver = CachingResolver(options)
        for number in 0..<5 { _ = try await Self.source(resolver, "host.n\(number).example") }
        #expect(resolver.statistics.servers.map(\.isHeld) == [true, false])
        #expect(resolver.statistics.health == .answering)
        // From here on the first server is asked only because its hold is over.
        options.attemptTimeout = .seconds(120)
        resolver.update(options)
        let before = first.queries.count
        for number in 0..<20 { _ = try await Self.source(resolver, "m\(number).example") }
        if hold > 1 {
            #expect(first.queries.count == before)
        } else {
            first.follow { [.send($0.good)] }
            var number = 0
            while resolver.statistics.servers[0].isHeld {
                _ = try await Self.source(resolver, "p\(number).example")
                number += 1
                try await Task.sleep(for: .milliseconds(10))
            }
            let after = second.queries.count
            _ = try await Self.source(resolver, "last.example")
            #expect(second.queries.count == after)
        }
        await resolver.shutdown()
        for server in [first, second] { await server.stop() }
    }

    @Test("a server dies under load and returns: one event each way, and lookups succeed again")
    func deathAndReturn() async throws {
        let events = Mutex<[ResolverHealth]>([])
        let server = try await ScriptedServer.start { [.send($0.good)] }
        // A closed port is known without waiting.
        let resolver = CachingResolver(
            Self.options(server),
            onHealthChange: { event in events.withLock { $0.append(event) } }
        )
        func load(_ prefix: String) async -> Int {
            await withTaskGroup(of: Bool.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        (try? await Self.source(resolver, "host.\(prefix)\(number).example")) == .some(.server)
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
        }
        #expect(await load("a") == 50)
        await server.stop()
        #expect(await load("b") == 0)
        #expect(await load("c") == 0)
        #expect(events.withLock { $0 } == [.notAnswering])
        #expect(resolver.statistics.health == .notAnswering)
        #expect(resolver.statistics.servers.map(\.isDown) == [true])
        let back = try await ScriptedServer.start(port: server.port) { [.send($0.good)] }
        while resolver.health != .answering { try await Task.sleep(for: .milliseconds(10)) }
        // The same names as before: nothing is held against them.
        #expect(await load("d") == 50)
        #expect(await load("b") == 50)
        #expect(events.withLock { $0 } == [.notAnswering, .answering])
        #expect(resolver.statistics.inFlight == 0)
        await resolver.shutdown()
        await back.stop()
    }

    @Test("a server that is silent to everything, ourselves included, is asked nothing but whether it is back")
    func silence() async throws {
        let server = try await ScriptedServer.start { _ in [] }
        server.answerProbes(false)
        let resolver = CachingResolver(Self.options(server, timeout: .milliseconds(500)))
        #expect(await resolver.lookUp(try Self.question("a.example")).result.error == .noServer)
        #expect(resolver.health == .notAnswering)
        let asked = server.queries.count
        for number in 0..<100 {
            #expect(await resolver.lookUp(try Self.question("n\(number).example")).result.error == .noServer)
        }
        #expect(server.queries.count == asked)
        server.follow { [.send($0.good)] }
        while resolver.health != .answering { try await Task.sleep(for: .milliseconds(10)) }
        // Nothing is remembered of the names.
        #expect(try await Self.source(resolver, "n7.example") == .server)
        await resolver.shutdown()
        await server.stop()
    }

    @Test("five hundred silent domains are no outage: the server answers ourselves")
    func silentDomains() async throws {
        struct Seen {
            let errors: Set<DNSLookupError?>
            let events: [ResolverHealth]
            let health: ResolverHealth
            let probes: Int
        }
        let seen = try await undisturbed {
            let events = Mutex<[ResolverHealth]>([])
            let server = try await ScriptedServer.start { _ in [] }
            var options = Self.options(server, timeout: .milliseconds(250))
            options.timeout = .milliseconds(4500)
            let resolver = CachingResolver(
                options,
                eventLoopGroup: Self.group,
                onHealthChange: { event in events.withLock { $0.append(event) } }
            )
            let errors = await withTaskGroup(of: DNSLookupError?.self) { group in
                for number in 0..<500 {
                    group.addTask { await resolver.lookUp(DNSQuestion(DomainName.silent(number), .txt)).result.error }
                }
                return await group.reduce(into: Set()) { $0.insert($1) }
            }
            let health = resolver.health
            await resolver.shutdown()
            await server.stop()
            return Seen(errors: errors, events: events.withLock { $0 }, health: health, probes: server.probes)
        }
        #expect(seen.errors == [.timeout])
        #expect(seen.events == [])
        #expect(seen.health == .answering)
        #expect(seen.probes > 0)
    }

    @Test("who asks nothing wants to know as well whether servers are there", arguments: [true, false])
    func checking(isOpen: Bool) async throws {
        let server = try await ScriptedServer.start { _ in [] }
        if !isOpen { await server.stop() }
        let resolver = CachingResolver(Self.options(server))
        #expect(resolver.health == .unknown)
        resolver.checkServers()
        while resolver.health == .unknown { try await Task.sleep(for: .milliseconds(10)) }
        #expect(resolver.health == (isOpen ? .answering : .notAnswering))
        #expect(server.queries.isEmpty)
        await resolver.shutdown()
        if isOpen { await server.stop() }
    }

    @Test(
        "one domain that nobody answers for is not an outage, and a server that fails at everything is",
        arguments: [2, 5]
    )
    func attackersName(code: UInt16) async throws {
        let events = Mutex<[ResolverHealth]>([])
        let server = try await ScriptedServer.start { [.send($0.reply(code: code))] }
        let resolver = CachingResolver(
            Self.options(server),
            onHealthChange: { event in events.withLock { $0.append(event) } }
        )
        for number in 0..<50 { _ = try await Self.source(resolver, "n\(number).attacker.example") }
        while server.probes == 0 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(events.withLock { $0.isEmpty })
        server.answerProbes(false)
        while resolver.health != .notAnswering { try await Task.sleep(for: .milliseconds(10)) }
        #expect(resolver.statistics.servers.map(\.isFailing) == [true])
        #expect(resolver.statistics.servers.map(\.isDown) == [false])
        await resolver.shutdown()
        await server.stop()
    }

    @Test("a server on whose way EDNS gets lost is asked without it, once that is known")
    func lostEDNS() async throws {
        let (sources, overEDNS) = try await undisturbed {
            let server = try await ScriptedServer.start { $0.hasEDNS ? [] : [.send($0.good)] }
            let resolver = CachingResolver(Self.options(server, timeout: .seconds(1)))
            var sources = [DNSSource?]()
            for number in 0..<4 { sources.append(try await Self.source(resolver, "n\(number).example")) }
            await resolver.shutdown()
            await server.stop()
            return (sources, server.queries.map(\.hasEDNS))
        }
        #expect(sources == [.server, .server, .server, .server])
        #expect(overEDNS == [true, false, true, false, true, false, false])
    }

    @Test("a server that is slow but answers is not an outage")
    func slow() async throws {
        let events = Mutex<[ResolverHealth]>([])
        let server = try await ScriptedServer.start { [.send($0.good, after: .milliseconds(300))] }
        let resolver = CachingResolver(
            Self.options(server, timeout: .milliseconds(100)),
            eventLoopGroup: Self.group,
            onHealthChange: { event in events.withLock { $0.append(event) } }
        )
        for number in 0..<7 { #expect(try await Self.source(resolver, "host.n\(number).example") == .server) }
        #expect(events.withLock { $0.isEmpty })
        await resolver.shutdown()
        await server.stop()
    }

    @Test("RFC 7766 § 6.2.1: connections are reused, also for several questions at a time")
    func reuse() async throws {
        let server = try await ScriptedServer.start { [.send($0.overTCP ? $0.good : $0.truncated)] }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let resolver = CachingResolver(Self.options(server), eventLoopGroup: group)
        for number in 0..<10 { #expect(try await Self.source(resolver, "n\(number).example") == .server) }
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<50 { group.addTask { _ = try? await Self.source(resolver, "m\(number).example") } }
        }
        #expect(server.connections == 1)
        #expect(resolver.statistics.queriesOverTCP == 60)
        await resolver.shutdown()
        await server.stop()
        try await group.shutdownGracefully()
    }

    @Test("RFC 7766 § 6.2.4: a connection that the server closed is no failure")
    func closedConnection() async throws {
        let server = try await ScriptedServer.start { query in
            guard query.overTCP else { return [.send(query.truncated)] }
            // Every second question on TCP meets a close.
            return query.firstLabel == "close" && query.number < 4 ? [.close] : [.send(query.good)]
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let resolver = CachingResolver(Self.options(server), eventLoopGroup: group)
        #expect(try await Self.source(resolver, "first.example") == .server)
        #expect(try await Self.source(resolver, "close.example") == .server)
        #expect(server.connections == 2)
        await resolver.shutdown()
        await server.stop()
        try await group.shutdownGracefully()
    }

    @Test("cancelling frees the question at once")
    func cancelling() async throws {
        let server = try await ScriptedServer.start { _ in [] }
        let resolver = CachingResolver(Self.options(server))
        let tasks = (0..<100).map { number in Task { await resolver.lookUp(try Self.question("n\(number).example")) } }
        while server.queries.count < 100 { try await Task.sleep(for: .milliseconds(1)) }
        #expect(resolver.statistics.inFlight == 100)
        for task in tasks { task.cancel() }
        for task in tasks { #expect(try await task.value.result.error == .cancelled) }
        #expect(resolver.statistics.inFlight == 0)
        await resolver.shutdown()
        await server.stop()
    }

    @Test("questions beyond the bound wait for their turn, however many", arguments: [1, 2])
    func bound(loops: Int) async throws {
        let server = try await ScriptedServer.start { [.send($0.good, after: .milliseconds(10))] }
        var options = Self.options(server)
        options.maximumInFlight = 20
        let group = MultiThreadedEventLoopGroup(numberOfThreads: loops)
        let resolver = CachingResolver(options, eventLoopGroup: group)
        let answered = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<400 {
                group.addTask { (try? await Self.source(resolver, "n\(number).example")) == .some(.server) }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(answered == 400)
        #expect(resolver.statistics.waiting == 0)
        #expect(resolver.statistics.unserved == 0)
        await resolver.shutdown()
        await server.stop()
        try await group.shutdownGracefully()
    }

    @Test("what gets no room until it is given up says so, and nothing is remembered of the name")
    func noRoom() async throws {
        let isSilent = Atomic(true)
        let server = try await ScriptedServer.start { isSilent.load(ordering: .relaxed) ? [] : [.send($0.good)] }
        let resolver = CachingResolver(Self.options(server), eventLoopGroup: Self.group)
        let question = try Self.question("last.silent.example")
        let tasks = (0..<20).map { number in
            Task { await resolver.lookUp(DNSQuestion(try DomainName("n\(number).silent.example"), .txt)) }
        }
        while resolver.statistics.waiting < 16 { try await Task.sleep(for: .milliseconds(1)) }
        let last = Task { await resolver.lookUp(question) }
        while resolver.statistics.waiting < 17 { try await Task.sleep(for: .milliseconds(1)) }
        while server.queries.count < 4 { try await Task.sleep(for: .milliseconds(1)) }
        last.cancel()
        #expect(await last.value.result.error == .noRoom)
        while resolver.statistics.unserved < 1 { try await Task.sleep(for: .milliseconds(1)) }
        #expect(server.queries.count == 4)
        for task in tasks { task.cancel() }
        for task in tasks { #expect(try await task.value.result.error?.isLocal == true) }
        isSilent.store(false, ordering: .relaxed)
        #expect(await resolver.lookUp(question).source == .server)
        #expect(resolver.statistics.waiting == 0)
        await resolver.shutdown()
        await server.stop()
    }

    @Test("one message with a hundred silent names keeps no other from its answer")
    func fairness() async throws {
        let server = try await ScriptedServer.start { query in
            query.firstLabel.hasPrefix("good") ? [.send(query.good)] : []
        }
        var options = Self.options(server)
        options.maximumInFlight = 8
        let resolver = CachingResolver(options)
        let greedy = Asker()
        let ask: @Sendable (Int) -> Task<DNSReply, Never> = { number in
            Task { await resolver.lookUp(DNSQuestion(DomainName.silent(number), .txt), for: greedy) }
        }
        var tasks = (0..<8).map(ask)
        while server.queries.count < 8 { try await Task.sleep(for: .milliseconds(1)) }
        tasks += (8..<100).map(ask)
        while resolver.statistics.waiting < 92 { try await Task.sleep(for: .milliseconds(1)) }
        let other = Task { await resolver.lookUp(try Self.question("good.example"), for: Asker()) }
        while resolver.statistics.waiting < 93 { try await Task.sleep(for: .milliseconds(1)) }
        tasks[0].cancel()
        #expect(try await other.value.source == .server)
        for task in tasks { task.cancel() }
        for task in tasks { _ = await task.value }
        await resolver.shutdown()
        await server.stop()
    }

    @Test("other servers can be named while running")
    func update() async throws {
        let first = try await ScriptedServer.start { [.send($0.good)] }
        let second = try await ScriptedServer.start { [.send($0.good)] }
        let resolver = CachingResolver(Self.options(first))
        _ = try await Self.source(resolver, "a.example")
        resolver.update(Self.options(second))
        _ = try await Self.source(resolver, "b.example")
        #expect(try await Self.source(resolver, "a.example") == .cache)
        #expect(first.queries.count == 1)
        #expect(second.queries.count == 1)
        await resolver.shutdown()
        #expect(await resolver.lookUp(try Self.question("c.example")).result.error == .cancelled)
        for server in [first, second] { await server.stop() }
    }

    @Test("a server is asked over IPv6, and over TCP there")
    func v6() async throws {
        let server = try await ScriptedServer.start(host: "::1") { [.send($0.overTCP ? $0.good : $0.truncated)] }
        let name = try #require(NameServer("[::1]:\(server.port)"))
        var options = Self.options()
        options.servers = [name]
        let resolver = CachingResolver(options)
        #expect(try await Self.source(resolver, "name.example") == .server)
        await resolver.shutdown()
        await server.stop()
    }

    @Test("no server at all, or one that cannot be reached, is a failure and not a wait")
    func nobody() async throws {
        let resolver = CachingResolver(ResolverOptions(servers: []))
        #expect(await resolver.lookUp(try Self.question("a.example")).result.error == .serverFailure)
        await resolver.shutdown()
    }
}

/// A message, as far as its lookups go.
private final class Asker: DNSAsker {
    private let questions = Atomic(0)

    var questionCount: Int { questions.load(ordering: .relaxed) }

    func countQuestion() -> Int { questions.add(1, ordering: .relaxed).oldValue }
}

extension DomainName {
    /// A name of one of many owners whose servers are silent.
    fileprivate static func silent(_ number: Int) -> DomainName {
        (try? DomainName("silent.owner\(number).example\(number)")) ?? .root
    }
}

@Suite("Names of servers")
struct NameServerTests {
    static let cases: [(String, String?)] = [
        ("192.0.2.1", "192.0.2.1"), ("192.0.2.1:5353", "192.0.2.1:5353"), ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]:5353", "[2001:db8::1]:5353"), ("[::1]", "::1"), ("fe80::1%eth0", "fe80::1%eth0"),
        ("192.0.2.1:0", nil), ("192.0.2.1:65536", nil), ("192.0.2.1%eth0", nil), ("dns.example", nil), ("", nil),
        ("[::1", nil), ("[::1]5353", nil), (":53", nil), ("[]:53", nil), ("%eth0", nil),
    ]

    @Test("text", arguments: cases)
    func text(_ row: (String, String?)) {
        #expect(NameServer(row.0).map { "\($0)" } == row.1)
    }

    @Test("IPv6 on loopback")
    func v6() {
        #expect(NameServer("[::1]:5353")?.socketAddress?.port == 5353)
        #expect(NameServer("fe80::1%no-such-interface")?.socketAddress == nil)
        #expect(NameServer("fe80::1%lo")?.socketAddress != nil)
    }

    @Test("resolv.conf(5)")
    func resolvConf() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).conf").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let text =
            "# comment\n;nameserver 192.0.2.9\nsearch example\n  nameserver\t192.0.2.1\nnameserver 2001:db8::1 \r\n"
        try Data((text + "nameserver\nnameserver bogus\nnameservers 192.0.2.8\n").utf8).write(to: URL(filePath: path))
        #expect(ResolverOptions.systemServers(resolvConf: path).map { "\($0)" } == ["192.0.2.1", "2001:db8::1"])
        #expect(ResolverOptions.systemServers(resolvConf: "/nonexistent").map { "\($0)" } == ["127.0.0.1"])
    }
}
