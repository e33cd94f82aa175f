import DNSLookup
import MailSyntax
import NIOCore
import TestSupport
import Testing

@testable import DNSResolver

/// What a server does, and what a lookup makes of it; times are a fifth of the real ones.
struct TransportCase: Sendable, CustomTestStringConvertible {
    enum Expected: Sendable, Equatable {
        case text(String)
        case length(Int)
        case negative(DNSAnswer.Status)
        case failure(DNSLookupError)
    }

    let testDescription: String
    let expected: Expected
    /// How many messages the server gets; nil where it depends on the moment.
    let queries: Int?
    let overTCP: Bool
    /// Nothing is sent again soon: for rows that do not wait, and count what is sent.
    let isPatient: Bool
    let script: ScriptedServer.Script

    init(
        _ description: String,
        _ expected: Expected,
        queries: Int? = nil,
        overTCP: Bool = true,
        patient: Bool = true,
        _ script: @escaping ScriptedServer.Script
    ) {
        testDescription = description
        self.expected = expected
        self.queries = queries
        self.overTCP = overTCP
        isPatient = patient
        self.script = script
    }
}

@Suite("A server's behaviour and the outcome")
struct TransportTests {
    static func forged(_ query: ServedQuery, identifier: UInt16? = nil, question: [UInt8]? = nil) -> [UInt8] {
        Wire(
            identifier: identifier ?? query.identifier,
            question: question ?? query.question,
            answers: [Wire.text("forged", owner: question.map { Array($0.dropLast(4)) } ?? Wire.pointerToQuestion)]
        ).octets
    }

    /// An answer whose message has exactly the most octets that TCP carries.
    static func largest(_ query: ServedQuery) -> [UInt8] {
        let room = 65_535 - 12 - query.question.count - 12
        var data = [UInt8]()
        while data.count < room {
            let length = min(255, room - data.count - 1)
            data += [UInt8(length)] + [UInt8](repeating: 0x78, count: length)
        }
        return query.reply([Wire.Record(owner: Wire.pointerToQuestion, type: 16, data: data)])
    }

    static func chain(_ length: Int) -> [Wire.Record] {
        let names = ["name.example"] + (1...length).map { "c\($0).example" }
        let aliases = zip(names, names.dropFirst()).map { Wire.alias($0, to: $1) }
        return aliases.reversed() + [Wire.text("end", owner: Wire.name("c\(length).example"))]
    }

    static let silence: [TransportCase] = [
        TransportCase("silence", .failure(.timeout), patient: false) { _ in [] },
        TransportCase("delay of 1 s", .text("good"), patient: false) { [.send($0.good, after: .milliseconds(200))] },
        TransportCase("delay of 5 s", .text("good"), patient: false) { [.send($0.good, after: .milliseconds(1000))] },
        TransportCase("delay of 19 s", .text("good"), patient: false) { [.send($0.good, after: .milliseconds(3800))] },
        TransportCase("delay of 60 s", .failure(.timeout), patient: false) {
            [.send($0.good, after: .milliseconds(12_000))]
        },
    ]

    static let codes: [TransportCase] = [
        TransportCase("SERVFAIL", .failure(.serverFailure), queries: 1) { [.send($0.reply(code: 2))] },
        TransportCase("REFUSED", .failure(.refused), queries: 1) { [.send($0.reply(code: 5))] },
        TransportCase("unknown code", .failure(.serverFailure), queries: 1) { [.send($0.reply(code: 11))] },
        // RFC 6891 § 7
        TransportCase("FORMERR always", .failure(.serverFailure), queries: 2) { [.send($0.reply(code: 1))] },
        TransportCase("FORMERR for EDNS", .text("good"), queries: 2) {
            [.send($0.hasEDNS ? $0.reply(code: 1) : $0.good)]
        },
        TransportCase("FORMERR for EDNS, the header alone", .text("good"), queries: 2) {
            [.send($0.hasEDNS ? Wire(identifier: $0.identifier, code: 1, question: []).octets : $0.good)]
        },
        TransportCase("NOTIMP always", .failure(.serverFailure), queries: 2) { [.send($0.reply(code: 4))] },
        TransportCase("NOTIMP for EDNS", .text("good"), queries: 2) {
            [.send($0.hasEDNS ? $0.reply(code: 4) : $0.good)]
        },
        TransportCase("BADVERS for EDNS", .text("good"), queries: 2) {
            let option = Wire.Record(owner: [0], type: 41, recordClass: 1232, timeToLive: 1 << 24, data: [])
            return [.send($0.hasEDNS ? $0.reply(additional: [option]) : $0.good)]
        },
        TransportCase("NXDOMAIN", .negative(.noSuchName), queries: 1) { [.send($0.reply(code: 3))] },
        TransportCase("no data", .negative(.noData), queries: 1) {
            [.send($0.reply(authorities: [Wire.authority("example")]))]
        },
        // RFC 2308 § 2.2
        TransportCase("referral", .failure(.serverFailure), queries: 1) {
            let delegation = Wire.Record(owner: Wire.name("example"), type: 2, data: Wire.name("ns.example"))
            return [.send($0.reply(flags: 0x8100, authorities: [delegation]))]
        },
    ]

    static let withoutEDNS: [TransportCase] = [
        TransportCase("EDNS dropped on the way", .text("good"), patient: false) {
            $0.hasEDNS ? [] : [.send($0.good)]
        },
        TransportCase("EDNS dropped on the way, and TC without it", .text("good"), patient: false) {
            if $0.overTCP { return [.send($0.good)] }
            return $0.hasEDNS ? [] : [.send($0.truncated)]
        },
        TransportCase("anything but EDNS dropped on the way, and the first one lost", .text("good"), patient: false) {
            $0.hasEDNS && $0.number > 0 ? [.send($0.good)] : []
        },
    ]

    // RFC 1034 § 5.3.3
    static let aliases: [TransportCase] = [
        TransportCase("an alias alone, then its target", .text("good"), queries: 2) {
            $0.firstLabel == "name" ? [.send($0.reply([alias($0, to: "target.example")]))] : [.send($0.good)]
        },
        TransportCase("two aliases, each alone", .text("good"), queries: 3) {
            switch $0.firstLabel {
            case "name": [.send($0.reply([alias($0, to: "one.example")]))]
            case "one": [.send($0.reply([alias($0, to: "two.example")]))]
            default: [.send($0.good)]
            }
        },
        TransportCase("an alias alone, to a name that does not exist", .negative(.noSuchName), queries: 2) {
            $0.firstLabel == "name"
                ? [.send($0.reply([alias($0, to: "target.example")]))] : [.send($0.reply(code: 3))]
        },
        TransportCase("an alias, and an SOA record that says there is no more", .negative(.noData), queries: 1) {
            [.send($0.reply([alias($0, to: "target.example")], authorities: [Wire.authority("example")]))]
        },
        TransportCase("aliases alone in a circle", .failure(.aliasLoop), queries: 2) {
            [.send($0.reply([alias($0, to: $0.firstLabel == "name" ? "other.example" : "name.example")]))]
        },
        TransportCase("aliases alone without an end", .failure(.tooManyAliases), queries: 16) {
            [.send($0.reply([alias($0, to: "n\($0.number).example")]))]
        },
        TransportCase("an alias alone, and its target's server fails", .failure(.serverFailure), queries: 2) {
            $0.firstLabel == "name"
                ? [.send($0.reply([alias($0, to: "target.example")]))] : [.send($0.reply(code: 2))]
        },
    ]

    private static func alias(_ query: ServedQuery, to target: String) -> Wire.Record {
        Wire.Record(owner: Wire.pointerToQuestion, type: 5, data: Wire.name(target))
    }

    static let truncation: [TransportCase] = [
        TransportCase("TC, then TCP", .text("good"), queries: 2) { [.send($0.overTCP ? $0.good : $0.truncated)] },
        TransportCase("TC, then TCP refused", .failure(.serverFailure), queries: 1, overTCP: false) {
            [.send($0.truncated)]
        },
        TransportCase("TC, then TCP hung", .failure(.timeout), patient: false) {
            $0.overTCP ? [] : [.send($0.truncated)]
        },
        TransportCase("TC, then TCP closed", .failure(.serverFailure), queries: 2) {
            $0.overTCP ? [.close] : [.send($0.truncated)]
        },
        TransportCase("TC, then half a message over TCP", .failure(.serverFailure), queries: 2) {
            $0.overTCP
                ? [.raw(Wire.uint16(UInt16($0.good.count)) + $0.good.prefix(20)), .close] : [.send($0.truncated)]
        },
        TransportCase("TC, then half a message over TCP and silence", .failure(.timeout), patient: false) {
            $0.overTCP ? [.raw(Wire.uint16(UInt16($0.good.count)) + $0.good.prefix(20))] : [.send($0.truncated)]
        },
        TransportCase("TC, then TC over TCP", .failure(.malformed), queries: 2) { [.send($0.truncated)] },
        TransportCase("TC, then another question over TCP, then the right one", .text("good"), queries: 2) {
            guard $0.overTCP else { return [.send($0.truncated)] }
            return [.send(forged($0, question: Wire.question("other.example", .txt))), .send($0.good)]
        },
        TransportCase("TC, then messages without end over TCP", .failure(.serverFailure), queries: 2) { query in
            guard query.overTCP else { return [.send(query.truncated)] }
            return (0..<1000).map { _ in .send(forged(query, identifier: query.identifier &+ 1)) }
        },
        TransportCase("65,535 octets over TCP", .length(65_237)) {
            [.send($0.overTCP ? largest($0) : $0.truncated)]
        },
    ]

    // RFC 5452 § 9.1
    static let forgeries: [TransportCase] = [
        TransportCase("wrong identifier alone", .failure(.timeout), patient: false) {
            [.send(forged($0, identifier: $0.identifier &+ 1))]
        },
        TransportCase("wrong identifier first", .text("good"), queries: 1) {
            [.send(forged($0, identifier: $0.identifier &+ 1)), .send($0.good)]
        },
        TransportCase("wrong name", .text("good"), queries: 1) {
            [.send(forged($0, question: Wire.question("other.example", .txt))), .send($0.good)]
        },
        TransportCase("wrong case", .text("good"), queries: 1) {
            [.send(forged($0, question: Wire.question("Name.example", .txt))), .send($0.good)]
        },
        TransportCase("wrong type", .text("good"), queries: 1) {
            [.send(forged($0, question: Wire.question("name.example", .a))), .send($0.good)]
        },
        TransportCase("wrong class", .text("good"), queries: 1) {
            [.send(forged($0, question: Array($0.question.dropLast()) + [3])), .send($0.good)]
        },
        TransportCase("no question", .text("good"), queries: 1) {
            [.send(forged($0, question: [])), .send($0.good)]
        },
        TransportCase("a query in place of a reply", .text("good"), queries: 1) {
            [.send($0.octets), .send($0.good)]
        },
        TransportCase("wrong source port", .text("good"), queries: 1) {
            [.sendFromElsewhere(forged($0)), .send($0.good, after: .milliseconds(20))]
        },
        TransportCase("a flood of 1,000 forged replies", .text("good")) { query in
            (1...1000).map { .send(forged(query, identifier: query.identifier &+ UInt16($0))) } + [
                .send(query.good, after: .milliseconds(300))
            ]
        },
        TransportCase("garbage first", .text("good"), queries: 1) { query in
            [0, 1, 11, 12, 13, 200, 1400].map { .send((0..<$0).map { UInt8(truncatingIfNeeded: $0 &* 37) }) }
                + [.send(query.good)]
        },
        TransportCase("records of others are not used", .text("good"), queries: 1) {
            [.send($0.reply([Wire.text("forged", owner: Wire.name("other.example")), Wire.text("good")]))]
        },
    ]

    static let malformed: [TransportCase] = [
        TransportCase("pointer to itself", .failure(.malformed), queries: 1) {
            let owner: [UInt8] = [0xC0, UInt8(12 + $0.question.count)]
            return [.send($0.reply([Wire.text("loop", owner: owner)]))]
        },
        TransportCase("two pointers to each other", .failure(.malformed), queries: 1) {
            let start = UInt8(12 + $0.question.count)
            return [.send($0.reply([Wire.text("loop", owner: [0xC0, start + 2, 0xC0, start])]))]
        },
        TransportCase("cut message", .failure(.malformed), queries: 1) { [.send(Array($0.good.dropLast(3)))] },
        TransportCase("more records announced than there are", .failure(.malformed), queries: 1) {
            var reply = $0.good
            reply[7] = 200
            return [.send(reply)]
        },
        TransportCase("string longer than the record", .failure(.malformed), queries: 1) {
            [.send($0.reply([Wire.Record(owner: Wire.pointerToQuestion, type: 16, data: [9, 65])]))]
        },
        TransportCase("circle of aliases", .failure(.aliasLoop), queries: 1) {
            [
                .send(
                    $0.reply([Wire.alias("name.example", to: "b.example"), Wire.alias("b.example", to: "name.example")])
                )
            ]
        },
        TransportCase("fifteen aliases", .text("end"), queries: 1) { [.send($0.reply(chain(15)))] },
        TransportCase("sixteen aliases", .failure(.tooManyAliases), queries: 1) { [.send($0.reply(chain(16)))] },
    ]

    static func options(_ server: ScriptedServer, patient: Bool) -> ResolverOptions {
        var options = ResolverOptions(servers: [server.server])
        options.attemptTimeout = patient ? .seconds(120) : .milliseconds(200)
        options.maximumAttemptTimeout = patient ? .seconds(120) : .milliseconds(1000)
        // Of 22 s rather than 20, as the machine may be busy.
        options.timeout = patient ? .seconds(600) : .milliseconds(4400)
        return options
    }

    /// Waits until the machine is not so busy that the times of a row mean nothing.
    static func waitForQuiet(_ resolver: CachingResolver) async throws {
        var quick = 0
        for number in 0..<200 where quick < 10 {
            let start = ContinuousClock.now
            _ = await resolver.lookUp(DNSQuestion(try DomainName("warm\(number).example"), .txt))
            quick = ContinuousClock.now - start < .milliseconds(20) ? quick + 1 : 0
            try await Task.sleep(for: .milliseconds(10))
        }
    }

    @Test("outcome", arguments: silence + codes + withoutEDNS + aliases + truncation + forgeries + malformed)
    func outcome(_ row: TransportCase) async throws {
        let seen = try await row.isPatient ? Self.seen(row) : undisturbed { try await Self.seen(row) }
        #expect(seen.outcome == row.expected)
        if let queries = row.queries { #expect(seen.queries == queries) }
        #expect(seen.inFlight == 0)
    }

    private static func seen(
        _ row: TransportCase
    ) async throws -> (outcome: TransportCase.Expected, queries: Int, inFlight: Int) {
        let server = try await ScriptedServer.start(overTCP: row.overTCP) { query in
            query.firstLabel.hasPrefix("warm") ? [.send(query.good)] : row.script(query)
        }
        let resolver = CachingResolver(options(server, patient: row.isPatient))
        if !row.isPatient { try await waitForQuiet(resolver) }
        let reply = await resolver.lookUp(DNSQuestion(try DomainName("name.example"), .txt))
        let outcome: TransportCase.Expected =
            switch (reply.result, row.expected) {
            case (.failure(let error), _): .failure(error)
            case (.success(let answer), .length): .length(answer.texts.first?.count ?? 0)
            case (.success(let answer), _):
                answer.status == .records
                    ? .text(String(decoding: answer.texts.first ?? [], as: UTF8.self)) : .negative(answer.status)
            }
        let inFlight = resolver.statistics.inFlight
        await resolver.shutdown()
        await server.stop()
        return (outcome, server.queries.count, inFlight)
    }
}
