import DNSLookup
import Foundation
import MailSyntax
import Synchronization
import Testing

@testable import DNSResolver

@Suite("The cache")
struct CacheTests {
    static func question(_ name: String, _ type: DNSRecordType = .txt) throws -> DNSQuestion {
        DNSQuestion(try DomainName(name), type)
    }

    /// For how long an answer is kept.
    struct Lifetime: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let name: String
        let make: @Sendable (DNSQuestion) -> QueryOutcome
        /// In seconds; zero for not at all.
        let expected: Int
        var options: @Sendable (inout CacheOptions) -> Void = { _ in }
    }

    static let lifetimes: [Lifetime] = [
        Lifetime(testDescription: "its TTL", name: "a.example", make: QueryOutcome.text("x"), expected: 300),
        Lifetime(
            testDescription: "RFC 1035 § 3.2.1: a TTL of zero",
            name: "a.example",
            make: QueryOutcome.text("x", timeToLive: 0),
            expected: 0
        ),
        Lifetime(
            testDescription: "the shortest",
            name: "a.example",
            make: QueryOutcome.text("x", timeToLive: 1),
            expected: 30,
            options: { $0.minimumTTL = .seconds(30) }
        ),
        Lifetime(
            testDescription: "the longest",
            name: "a.example",
            make: QueryOutcome.text("x", timeToLive: 604_800),
            expected: 86_400
        ),
        Lifetime(
            testDescription: "a key",
            name: "s._domainkey.a.example",
            make: QueryOutcome.text("x", timeToLive: 86_400),
            expected: 3600
        ),
        Lifetime(
            testDescription: "a key, whatever the shortest is",
            name: "s._domainkey.a.example",
            make: QueryOutcome.text("x", timeToLive: 60),
            expected: 3600,
            options: { $0.minimumTTL = .seconds(7200) }
        ),
        Lifetime(
            testDescription: "RFC 2308 § 5: no such name",
            name: "a.example",
            make: QueryOutcome.noSuchName(timeToLive: 90),
            expected: 90
        ),
        Lifetime(
            testDescription: "RFC 2308 § 5: no SOA",
            name: "a.example",
            make: QueryOutcome.noData(timeToLive: 0),
            expected: 0,
            options: { $0.minimumTTL = .seconds(30) }
        ),
        Lifetime(
            testDescription: "the longest negative one",
            name: "a.example",
            make: QueryOutcome.noData(timeToLive: 86_400),
            expected: 3600
        ),
        Lifetime(
            testDescription: "RFC 9520 § 3.2: a failure",
            name: "a.example",
            make: QueryOutcome.failure(.serverFailure),
            expected: 5
        ),
    ]

    @Test("an answer is kept for", arguments: lifetimes)
    func lifetime(_ row: Lifetime) async throws {
        let transport = FakeTransport()
        transport.answer(row.make)
        var options = CacheOptions()
        options.refreshAhead = 0
        row.options(&options)
        let resolver = CachingResolver(transport, cache: options, now: transport.clock)
        let question = try Self.question(row.name)
        #expect(await resolver.lookUp(question).source == .server)
        if row.expected > 0 {
            transport.advance(.seconds(row.expected) - .milliseconds(1))
            #expect(await resolver.lookUp(question).source == .cache)
            transport.advance(.milliseconds(1))
        }
        #expect(await resolver.lookUp(question).source == .server)
        #expect(transport.sent.count == 2)
    }

    @Test("RFC 9520 § 3.2: failures are kept for longer each time, up to five minutes, and an answer ends that")
    func failuresGrow() async throws {
        let transport = FakeTransport()
        transport.answer(QueryOutcome.failure(.timeout))
        let resolver = CachingResolver(transport, cache: CacheOptions(), now: transport.clock)
        let question = try Self.question("a.example")
        for seconds in [5, 10, 20, 40, 80, 160, 300, 300] {
            #expect(await resolver.lookUp(question).source == .server)
            transport.advance(.seconds(seconds) - .milliseconds(1))
            #expect(await resolver.lookUp(question).source == .cache)
            transport.advance(.milliseconds(1))
        }
        transport.answer(QueryOutcome.text("x", timeToLive: 1))
        #expect(await resolver.lookUp(question).source == .server)
        transport.advance(.seconds(1))
        transport.answer(QueryOutcome.failure(.timeout))
        _ = await resolver.lookUp(question)
        transport.advance(.seconds(5))
        #expect(await resolver.lookUp(question).source == .server)
    }

    @Test("when the DNS is back, failures from before do not count")
    func outageEnds() async throws {
        let transport = FakeTransport()
        transport.answer(QueryOutcome.failure(.timeout))
        let outages = CachingResolver.Outages()
        let resolver = CachingResolver(transport, cache: CacheOptions(), outages: outages, now: transport.clock)
        let question = try Self.question("a.example")
        _ = await resolver.lookUp(question)
        #expect(await resolver.lookUp(question).source == .cache)
        outages.ended.add(1, ordering: .relaxed)
        #expect(await resolver.lookUp(question).source == .server)
    }

    @Test("RFC 8020 § 2: a name that does not exist has nothing below it, of any type")
    func denialCovers() async throws {
        let transport = FakeTransport()
        transport.answer(QueryOutcome.noSuchName())
        let resolver = CachingResolver(transport, cache: CacheOptions(), now: transport.clock)
        #expect(await resolver.lookUp(try Self.question("gone.example")).source == .server)
        for (name, type) in [("gone.example", DNSRecordType.mx), ("a.b.gone.example", .txt), ("gone.example", .txt)] {
            let reply = await resolver.lookUp(try Self.question(name, type))
            #expect(reply.source == .cache)
            #expect(try reply.result.get().status == .noSuchName)
            #expect(try reply.result.get().question == Self.question(name, type))
        }
        transport.answer(QueryOutcome.text("x"))
        for name in ["example", "other.example", "xgone.example"] {
            #expect(await resolver.lookUp(try Self.question(name)).source == .server)
        }
    }

    @Test("an alias to a name that does not exist denies only its end")
    func aliasedDenial() async throws {
        let transport = FakeTransport()
        transport.answer { question in
            QueryOutcome(result: .success(DNSAnswer(question, negative: .noSuchName, timeToLive: 300)))
        }
        let resolver = CachingResolver(transport, cache: CacheOptions(), now: transport.clock)
        _ = await resolver.lookUp(try Self.question("alias.example"))
        #expect(await resolver.lookUp(try Self.question("alias.example")).source == .cache)
        #expect(await resolver.lookUp(try Self.question("below.alias.example")).source == .server)
    }

    @Test("1,000 who ask the same cause one question")
    func joins() async throws {
        let transport = FakeTransport()
        let resolver = CachingResolver(transport, cache: CacheOptions(), now: transport.clock)
        let question = try Self.question("a.example")
        let sources = await withTaskGroup(of: DNSSource.self) { group in
            for _ in 0..<1000 { group.addTask { await resolver.lookUp(question).source } }
            while resolver.statistics.joins < 999 { await Task.yield() }
            transport.sent.first?.completion(QueryOutcome.text("x")(question))
            return await group.reduce(into: [:]) { counts, source in counts[source, default: 0] += 1 }
        }
        #expect(transport.sent.count == 1)
        #expect(sources == [.server: 1, .joined: 999])
        #expect(resolver.statistics.inFlight == 0)
    }

    @Test("who is cancelled leaves at once, and the last one takes the question along")
    func cancellation() async throws {
        let transport = FakeTransport()
        let resolver = CachingResolver(transport, cache: CacheOptions(), now: transport.clock)
        let question = try Self.question("a.example")
        let first = Task { await resolver.lookUp(question) }
        await transport.waitForSent(1)
        let second = Task { await resolver.lookUp(question) }
        while resolver.statistics.joins < 1 { await Task.yield() }
        first.cancel()
        #expect(await first.value.result.error == .cancelled)
        #expect(transport.cancelled.isEmpty)
        second.cancel()
        #expect(await second.value.result.error == .cancelled)
        #expect(transport.cancelled == [transport.sent[0].handle])
        #expect(resolver.statistics.inFlight == 0)
        // A reply that comes too late is nobody's.
        transport.sent[0].completion(QueryOutcome.text("late")(question))
        let third = Task { await resolver.lookUp(question) }
        await transport.waitForSent(2)
        transport.sent[1].completion(QueryOutcome.text("x")(question))
        #expect(await third.value.source == .server)
    }

    @Test("who is answered by a call shares the question with those who wait in tasks")
    func answeredByCall() async throws {
        let transport = FakeTransport()
        let resolver = CachingResolver(transport, cache: CacheOptions(), now: transport.clock)
        let question = try Self.question("a.example")
        let replies = Mutex([String]())
        func ask(_ name: String) -> OpenLookup {
            resolver.ask(question, for: nil) { reply in replies.withLock { $0.append("\(name) \(reply.source)") } }
        }
        let first = ask("first")
        let second = ask("second")
        let task = Task { await resolver.lookUp(question) }
        while resolver.statistics.joins < 2 { await Task.yield() }
        first.cancel()
        first.cancel()
        #expect(replies.withLock { $0 } == ["first server"])
        #expect(transport.cancelled.isEmpty)
        transport.sent[0].completion(QueryOutcome.text("x")(question))
        #expect(await task.value.source == .joined)
        second.cancel()
        _ = ask("third")
        #expect(replies.withLock { $0 } == ["first server", "second joined", "third cache"])
        #expect(transport.sent.count == 1)
        let other = try Self.question("b.example")
        let alone = resolver.ask(other, for: nil) { reply in
            replies.withLock { $0 = reply.result.error == .cancelled ? ["cancelled"] : [] }
        }
        alone.cancel()
        #expect(replies.withLock { $0 } == ["cancelled"])
        #expect(transport.cancelled == [transport.sent[1].handle])
    }

    @Test("who is cancelled before asking does not wait")
    func cancelledBefore() async throws {
        let transport = FakeTransport()
        let resolver = CachingResolver(transport, cache: CacheOptions(), now: transport.clock)
        let question = try Self.question("a.example")
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await resolver.lookUp(question)
        }
        task.cancel()
        #expect(await task.value.result.error == .cancelled)
        #expect(resolver.statistics.inFlight == 0)
    }

    @Test("an answer in demand is fetched ahead of its end, once")
    func refreshAhead() async throws {
        let transport = FakeTransport()
        transport.answer(QueryOutcome.text("x"))
        let resolver = CachingResolver(transport, cache: CacheOptions(), now: transport.clock)
        let question = try Self.question("a.example")
        for _ in 0..<4 { _ = await resolver.lookUp(question) }
        transport.advance(.seconds(269))
        _ = await resolver.lookUp(question)
        #expect(transport.sent.count == 1)
        transport.advance(.seconds(2))
        transport.answer(nil)
        #expect(await resolver.lookUp(question).source == .cache)
        #expect(await resolver.lookUp(question).source == .cache)
        #expect(transport.sent.count == 2)
        // A failure does not take away what is still good.
        transport.sent[1].completion(QueryOutcome.failure(.timeout)(question))
        #expect(await resolver.lookUp(question).source == .cache)
        #expect(transport.sent.count == 2)
    }

    @Test("who joins a question that was sent ahead, and for which there is no room, waits like others")
    func joinsAheadWithoutRoom() async throws {
        let transport = FakeTransport()
        transport.answer(QueryOutcome.text("x"))
        let resolver = CachingResolver(transport, cache: CacheOptions(), now: transport.clock)
        let question = try Self.question("a.example")
        for _ in 0..<4 { _ = await resolver.lookUp(question) }
        transport.advance(.seconds(271))
        transport.answer(nil)
        #expect(await resolver.lookUp(question).source == .cache)
        #expect(transport.sent.last?.demand == .ahead)
        transport.advance(.seconds(40))
        let reply = Task { await resolver.lookUp(question) }
        while resolver.statistics.joins == 0 { await Task.yield() }
        transport.sent[1].completion(QueryOutcome.failure(.noRoom)(question))
        await transport.waitForSent(3)
        #expect(transport.sent[2].demand == .wanted(asked: 0))
        transport.sent[2].completion(QueryOutcome.text("y")(question))
        #expect(try await reply.value.result.get().texts == [Array("y".utf8)])
        // Nobody waits: nothing is sent again.
        for _ in 0..<4 { _ = await resolver.lookUp(question) }
        transport.advance(.seconds(271))
        _ = await resolver.lookUp(question)
        transport.sent[3].completion(QueryOutcome.failure(.noRoom)(question))
        #expect(transport.sent.count == 4)
        #expect(resolver.statistics.inFlight == 0)
    }

    @Test("an answer that nobody uses is not fetched ahead")
    func noRefreshWithoutDemand() async throws {
        let transport = FakeTransport()
        transport.answer(QueryOutcome.text("x"))
        let resolver = CachingResolver(transport, cache: CacheOptions(), now: transport.clock)
        let question = try Self.question("a.example")
        _ = await resolver.lookUp(question)
        transport.advance(.seconds(299))
        _ = await resolver.lookUp(question)
        #expect(transport.sent.count == 1)
    }

    @Test("RFC 8767 § 5: a stale answer stands in while servers fail; a key never")
    func serveStale() async throws {
        let transport = FakeTransport()
        var options = CacheOptions()
        options.serveStale = .seconds(3600)
        let resolver = CachingResolver(transport, cache: options, now: transport.clock)
        let question = try Self.question("a.example")
        let key = try Self.question("s._domainkey.a.example")
        transport.answer(QueryOutcome.text("x"))
        for question in [question, key] { _ = await resolver.lookUp(question) }
        transport.advance(.seconds(300))
        transport.answer(QueryOutcome.failure(.timeout))
        #expect(await resolver.lookUp(question).source == .stale)
        #expect(await resolver.lookUp(key).result.error == .timeout)
        #expect(transport.sent.count == 4)
        // RFC 8767 § 5: servers are not asked again before 30 seconds have passed.
        transport.advance(.seconds(30))
        #expect(await resolver.lookUp(question).source == .stale)
        #expect(transport.sent.count == 4)
        transport.advance(.seconds(3600))
        #expect(await resolver.lookUp(question).result.error == .timeout)
    }

    @Test("RFC 8767 § 5: who waits too long gets the stale answer, and the question goes on")
    func staleTimer() async throws {
        let transport = FakeTransport()
        var options = CacheOptions()
        options.serveStale = .seconds(3600)
        options.staleResponseTime = .milliseconds(20)
        let resolver = CachingResolver(transport, cache: options, now: transport.clock)
        let question = try Self.question("a.example")
        transport.answer(QueryOutcome.text("old"))
        _ = await resolver.lookUp(question)
        transport.advance(.seconds(300))
        transport.answer(nil)
        #expect(await resolver.lookUp(question).source == .stale)
        #expect(await resolver.lookUp(question).source == .stale)
        #expect(!transport.cancelled.contains(transport.sent[1].handle))
        transport.sent[1].completion(QueryOutcome.text("new")(question))
        #expect(try await resolver.lookUp(question).result.get().texts == [Array("new".utf8)])
        #expect(transport.sent.count == 2)
    }

    @Test("the least recently used goes first")
    func evictionOrder() async throws {
        let transport = FakeTransport()
        transport.answer(QueryOutcome.text("x"))
        var options = CacheOptions()
        options.maximumEntries = 3
        options.maximumBytes = 100_000
        let resolver = CachingResolver(transport, cache: options, now: transport.clock)
        for name in ["a.example", "b.example", "c.example", "a.example", "d.example", "a.example", "b.example"] {
            _ = await resolver.lookUp(try Self.question(name))
        }
        #expect(transport.sent.map { "\($0.question.name)" } == ["a", "b", "c", "d", "b"].map { $0 + ".example" })
        #expect(resolver.statistics.evictions == 2)
        #expect(resolver.statistics.entries == 3)
    }

    @Test("octets are bounded, and an answer too large for its share is not kept")
    func bytesBounded() async throws {
        let transport = FakeTransport()
        transport.answer { QueryOutcome.text(String(repeating: "x", count: 2000))($0) }
        var options = CacheOptions()
        options.maximumBytes = 100_000
        let resolver = CachingResolver(transport, cache: options, now: transport.clock)
        for number in 0..<100 { _ = await resolver.lookUp(try Self.question("n\(number).example")) }
        #expect(resolver.statistics.bytes <= 100_000)
        #expect(resolver.statistics.evictions == 100 - resolver.statistics.entries)
        #expect(resolver.statistics.entries > 10)
        transport.answer { QueryOutcome.text(String(repeating: "x", count: 65_000))($0) }
        _ = await resolver.lookUp(try Self.question("large.example"))
        #expect(await resolver.lookUp(try Self.question("large.example")).source == .server)
    }

    @Test("hits and evictions are those of one list in the order of use")
    func model() async throws {
        let transport = FakeTransport()
        transport.answer(QueryOutcome.text("x"))
        var options = CacheOptions()
        options.maximumBytes = 600_000
        options.refreshAhead = 0
        let resolver = CachingResolver(transport, cache: options, now: transport.clock)
        var lastUse: [Int: Int] = [:]
        var uses: [Int] = []
        var oldest = 0
        var hits = 0
        var evictions = 0
        // A first pass fills the cache, so that its capacity is known.
        for number in 10_000..<14_000 { _ = await resolver.lookUp(try Self.question("n\(number).example")) }
        let capacity = resolver.statistics.entries
        let before = resolver.statistics
        for number in 14_000 - capacity..<14_000 {
            lastUse[number] = uses.count
            uses.append(number)
        }
        var state: UInt64 = 1
        for _ in 0..<20_000 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let number = 10_000 + Int(state >> 33) % 4_000
            _ = await resolver.lookUp(try Self.question("n\(number).example"))
            if lastUse[number] != nil { hits += 1 }
            lastUse[number] = uses.count
            uses.append(number)
            while lastUse.count > capacity {
                if lastUse[uses[oldest]] == oldest {
                    lastUse[uses[oldest]] = nil
                    evictions += 1
                }
                oldest += 1
            }
        }
        #expect(capacity > 500 && capacity < 3000)
        #expect(resolver.statistics.hits - before.hits == hits)
        #expect(resolver.statistics.evictions - before.evictions == evictions)
        #expect(resolver.statistics.bytes <= 600_000)
    }

    @Test("what a lookup finds at hand needs no waiting")
    func atHand() async throws {
        let transport = FakeTransport()
        transport.answer(QueryOutcome.text("x"))
        let resolver = CachingResolver(transport, cache: CacheOptions(), now: transport.clock)
        let question = try Self.question("a.example")
        #expect(resolver.answerAtHand(question) == nil)
        _ = await resolver.lookUp(question)
        #expect(resolver.answerAtHand(question)?.source == .cache)
    }

    @Test("a snapshot makes the next process warm")
    func snapshot() async throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).snapshot").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let transport = FakeTransport()
        let name = try DomainName("b.example")
        let records: [DNSRecordType: DNSRecord] = [
            .a: .a(IPv4Address(1)), .aaaa: .aaaa(IPv6Address(high: 1, low: 2)), .ptr: .ptr(name), .txt: .txt([0, 255]),
            .mx: .mx(preference: 7, exchange: name),
        ]
        transport.answer { question in
            switch "\(question.name)" {
            case "gone.example": QueryOutcome.noSuchName()(question)
            case "empty.example": QueryOutcome.noData(timeToLive: 300)(question)
            case "soon.example": QueryOutcome.text("x", timeToLive: 50)(question)
            default:
                QueryOutcome(
                    result: .success(
                        DNSAnswer(question, records: records[question.type].map { [$0] } ?? [], timeToLive: 300)
                    )
                )
            }
        }
        let resolver = CachingResolver(transport, cache: CacheOptions(), now: transport.clock)
        var questions = try DNSRecordType.allCases.map { try Self.question("a.example", $0) }
        questions += [try Self.question("gone.example"), try Self.question("empty.example")]
        var answers = [DNSAnswer]()
        for question in questions { answers.append(try await resolver.lookUp(question).result.get()) }
        _ = await resolver.lookUp(try Self.question("soon.example"))
        try resolver.saveSnapshot(to: path, at: 1000)

        let next = CachingResolver(transport, cache: CacheOptions(), now: transport.clock)
        #expect(try next.loadSnapshot(from: path, at: 1100) == 7)
        for (question, answer) in zip(questions, answers) {
            let reply = try #require(next.answerAtHand(question))
            #expect(try reply.result.get().records == answer.records)
            #expect(try reply.result.get().status == answer.status)
        }
        #expect(next.answerAtHand(try Self.question("below.gone.example")) != nil)
        #expect(next.answerAtHand(try Self.question("soon.example")) == nil)
        transport.advance(.seconds(200))
        #expect(next.answerAtHand(questions[0]) == nil)

        // A clock that went backwards, a damaged file, something else: nothing is taken, nothing traps.
        #expect(try next.loadSnapshot(from: path, at: 999) == 0)
        let octets = try Data(contentsOf: URL(filePath: path))
        for length in stride(from: 16, to: octets.count, by: 11) {
            try octets.prefix(length).write(to: URL(filePath: path))
            #expect(try next.loadSnapshot(from: path, at: 1100) <= 7)
        }
        try Data("something else entirely".utf8).write(to: URL(filePath: path))
        #expect(throws: CachingResolver.SnapshotError.self) { try next.loadSnapshot(from: path, at: 1100) }
    }

    @Test("a snapshot is readable for us alone, and one that others could have written is not believed")
    func snapshotOwner() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "\(UUID())").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let path = folder + "/cache"
        let transport = FakeTransport()
        let resolver = CachingResolver(transport, cache: CacheOptions(), now: transport.clock)
        try resolver.saveSnapshot(to: path, at: 1000)
        try resolver.saveSnapshot(to: path, at: 1000)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["cache"])
        #expect(try mode(path) == 0o600)
        #expect(try resolver.loadSnapshot(from: path, at: 1000) == 0)
        for mode in [0o620, 0o602, 0o666] {
            try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
            #expect(throws: CachingResolver.SnapshotError.self) { try resolver.loadSnapshot(from: path, at: 1000) }
        }
        try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: path)
        #expect(try resolver.loadSnapshot(from: path, at: 1000) == 0)
        try FileManager.default.createSymbolicLink(atPath: folder + "/link", withDestinationPath: path)
        #expect(throws: CachingResolver.SnapshotError.self) { try resolver.loadSnapshot(from: folder + "/link", at: 1) }
        // What the link leads to is left alone.
        try resolver.saveSnapshot(to: folder + "/link", at: 1000)
        #expect(try mode(path) == 0o640)
        #expect(throws: CachingResolver.SnapshotError(description: "cannot be created: No such file or directory")) {
            try resolver.saveSnapshot(to: folder + "/none/cache", at: 1000)
        }
    }

    private func mode(_ path: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    @Test("a snapshot of another user is not believed", .enabled(if: geteuid() == 0, "only root can give files away"))
    func snapshotOfOthers() throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "\(UUID()).snapshot").path
        defer { try? FileManager.default.removeItem(atPath: path) }
        let transport = FakeTransport()
        let resolver = CachingResolver(transport, cache: CacheOptions(), now: transport.clock)
        try resolver.saveSnapshot(to: path, at: 1000)
        #expect(unsafe chown(path, 65_534, 65_534) == 0)
        #expect(throws: CachingResolver.SnapshotError.self) { try resolver.loadSnapshot(from: path, at: 1000) }
    }
}

extension Result {
    var error: Failure? { if case .failure(let error) = self { error } else { nil } }
}
