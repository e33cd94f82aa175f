import DNSLookup
import MailSyntax
import SPF
import Synchronization
import TestSupport
import Testing

@Suite("Limits and order")
struct LimitTests {
    @Test(
        "a pass by a term that nearly every client matches is open",
        arguments: [
            ("v=spf1 +all", true), ("v=spf1 ip4:192.0.2.1 +all", false), ("v=spf1 ip4:0.0.0.0/0 -all", true),
            ("v=spf1 ip4:128.0.0.0/1 -all", true), ("v=spf1 ip4:192.0.0.0/8 -all", false), ("v=spf1 a/0 -all", true),
            ("v=spf1 a -all", false), ("v=spf1 ?all", false), ("v=spf1 -all", false),
            ("v=spf1 include:open.example -all", true),
            ("v=spf1 include:narrow.example -all", false), ("v=spf1 redirect=open.example", true),
            ("v=spf1 ?include:open.example -all", false),
        ]
    )
    func open(_ record: String, _ isOpen: Bool) async throws {
        let zone = try zone(
            "d.example TXT \(record)",
            "d.example A 192.0.2.1",
            "open.example TXT v=spf1 -ip4:198.51.100.0/24 +all",
            "narrow.example TXT v=spf1 ip4:192.0.2.0/24 -all"
        )
        #expect(try await check(zone).isOpen == isOpen)
    }

    @Test(
        "RFC 7208 § 4.6.4: terms with lookups are counted over all records",
        arguments: [
            ("v=spf1 a a a a a a a a a a +all", "pass", 10), ("v=spf1 a a a a a a a a a a a +all", "permerror", 10),
            ("v=spf1 mx ptr exists:gone.example a a a a a a ~all", "softfail", 9),
            // "all", "ip4", "ip6" and "exp" cause none.
            ("v=spf1 ip4:192.0.2.9 ip6:::1 a a a a a a a a a a exp=gone.example -all", "fail", 10),
            // An include counts itself and what is in its record; a redirect that is followed counts, too.
            ("v=spf1 include:two.example a a a a a a a ?all", "neutral", 10),
            ("v=spf1 include:two.example a a a a a a a a ?all", "permerror", 10),
            ("v=spf1 a a a a a a a redirect=two.example", "neutral", 10),
            ("v=spf1 a a a a a a a a redirect=two.example", "permerror", 10),
            ("v=spf1 a a a a a a a a a a ~all redirect=two.example", "softfail", 10),
            ("v=spf1 a a a a a a a a a a ip4:192.0.2.1 redirect=two.example", "pass", 10),
            // The PTR query of %{p} counts beside its term.
            ("v=spf1 a a a a a a a a -exists:%{p}.gone.example ~all", "softfail", 10),
            ("v=spf1 a a a a a a a a a -exists:%{p}.gone.example ~all", "permerror", 10),
        ]
    )
    func terms(_ record: String, _ result: String, _ count: Int) async throws {
        let zone = try zone(
            "d.example TXT \(record)",
            "d.example A 192.0.2.2",
            "d.example MX d.example",
            "two.example TXT v=spf1 a:d.example a:d.example"
        )
        for outcome in [try await check(zone), try await check(Asked(zone))] {
            #expect(outcome.result.rawValue == result)
            #expect(outcome.lookups == count)
        }
    }

    @Test(
        "RFC 7208 § 4.6.4: terms whose lookups find nothing are counted",
        arguments: [
            ("v=spf1 a:n.gone exists:m.gone ~all", "softfail", 2),
            ("v=spf1 a:n.gone exists:m.gone mx:o.gone ~all", "permerror", 3),
            ("v=spf1 a mx ~all", "softfail", 2), ("v=spf1 a mx ptr ~all", "permerror", 3),
            // An "mx" is one term, however many of its hosts have no address; the null MX (RFC 7505) is an answer.
            ("v=spf1 mx:three.example ~all", "softfail", 1),
            ("v=spf1 mx:three.example mx:three.example ~all", "softfail", 2),
            ("v=spf1 mx:three.example mx:three.example mx:three.example ~all", "permerror", 3),
            ("v=spf1 mx:null.example mx:null.example mx:null.example ~all", "softfail", 0),
            // A term that matches is none, whichever of its hosts is asked first; in an include it ends that alone.
            ("v=spf1 a mx mx:some.example ~all", "pass", 2),
            ("v=spf1 a mx include:fail.example ~all", "softfail", 2),
            ("v=spf1 include:void.example a:n.gone ~all", "softfail", 2),
            ("v=spf1 include:void.example a:n.gone mx ~all", "permerror", 3),
            // The PTR query of %{p} belongs to its term, of whichever kind that is.
            ("v=spf1 exists:%{p}.gone ~all", "softfail", 1),
            ("v=spf1 a mx include:%{p}.gone ~all", "permerror", 3),
            ("v=spf1 a mx redirect=%{p}.gone", "permerror", 3),
            // No void lookups: explanations, names that cannot be asked about, and what PTR names lack.
            ("v=spf1 a:x..y.z a:x..y.z a:x..y.z ~all", "softfail", 0),
        ]
    )
    func voids(_ record: String, _ result: String, _ count: Int) async throws {
        let zone = try zone(
            "d.example TXT \(record)",
            "three.example MX a.gone",
            "three.example MX b.gone",
            "three.example MX c.gone",
            "some.example MX a.gone",
            "some.example MX z.example",
            "z.example A 192.0.2.1",
            "fail.example TXT v=spf1 -mx:some.example ?all",
            "void.example TXT v=spf1 mx:three.example ?all",
            "null.example MX ."
        )
        for resolver in [zone as any DNSResolving, Asked(zone)] {
            let outcome = try await check(resolver)
            #expect(outcome.result.rawValue == result, "\(outcome.problem ?? "")")
            #expect(outcome.voidLookups == count)
        }
        var options = SPFOptions()
        options.maximumVoidLookups = 100
        let outcome = try await check(zone, options: options)
        #expect(outcome.problemCause != .tooManyVoidLookups(limit: 2))
    }

    @Test("RFC 7208 § 4.6.4: an IPv6 client, and hosts that have IPv4 addresses alone")
    func hostsWithoutIPv6() async throws {
        var lines = ["d.example TXT v=spf1 include:i.example ip6:2001:db8::/32 -all", "i.example TXT v=spf1 mx ~all"]
        for host in ["a", "b", "c", "d"] {
            lines += ["i.example MX \(host).i.example", "\(host).i.example A 192.0.2.9"]
        }
        var zone = DNSZone()
        for line in lines { try add(line, to: &zone) }
        let outcome = try await check(zone, client: "2001:db8::1")
        #expect(outcome.result == .pass)
        #expect(outcome.voidLookups == 1)
    }

    @Test("RFC 7208 § 5.5: names of the client that lack addresses or fail are skipped")
    func clientNames() async throws {
        let zone = try zone(
            "d.example TXT v=spf1 ptr -all",
            "1.2.0.192.in-addr.arpa PTR a.d.example",
            "1.2.0.192.in-addr.arpa PTR b.d.example",
            "1.2.0.192.in-addr.arpa PTR c.d.example",
            "1.2.0.192.in-addr.arpa PTR e.d.example",
            "1.2.0.192.in-addr.arpa PTR f.d.example",
            "a.d.example FAIL",
            "f.d.example A 192.0.2.1"
        )
        let outcome = try await check(zone)
        #expect(outcome.result == .pass)
        #expect(outcome.voidLookups == 0)
        let failing = try SPFTests.zone("d.example TXT v=spf1 ptr -all", "1.2.0.192.in-addr.arpa FAIL")
        #expect(try await check(failing).result == .fail)
    }

    @Test(
        "names that we could not ask about to the end make no fail",
        arguments: ["v=spf1 ptr -all", "v=spf1 exists:%{p}.d.example -all", "v=spf1 -ptr:other.example +all"]
    )
    func localTrouble(_ record: String) async throws {
        let known = try zone("d.example TXT \(record)", "1.2.0.192.in-addr.arpa PTR a.d.example")
        for error in [DNSLookupError.noRoom, .noServer, .cancelled] {
            var zone = known
            zone.add(failure: error, at: try DomainName("a.d.example"))
            if !record.contains("other") { #expect(try await check(zone).result == .temperror, "\(error)") }
            zone = try SPFTests.zone("d.example TXT \(record)")
            zone.add(failure: error, at: try DomainName("1.2.0.192.in-addr.arpa"))
            #expect(try await check(zone).result == .temperror, "\(error)")
        }
        // An explanation changes no result.
        var zone = try SPFTests.zone(
            "d.example TXT v=spf1 exp=why.d.example -all",
            "why.d.example TXT %{p} is not ours"
        )
        zone.add(failure: .noRoom, at: try DomainName("1.2.0.192.in-addr.arpa"))
        #expect(try await check(zone).explanation == "unknown is not ours")
    }

    @Test("RFC 7208 § 5.4: an MX host that matches decides before others are needed")
    func exchangeOrder() async throws {
        let zone = try zone(
            "d.example TXT v=spf1 mx -all",
            "d.example MX a.example",
            "d.example MX b.example",
            "a.example A 192.0.2.1",
            "b.example FAIL"
        )
        for outcome in [try await check(zone), try await check(Asked(zone))] { #expect(outcome.result == .pass) }
        #expect(try await check(zone, client: "192.0.2.9").result == .temperror)
    }

    @Test("answers are waited for together: as many rounds as the longest chain of dependent lookups")
    func together() async throws {
        let rounds = OrderedAnswers(
            try zone(
                "d.example TXT v=spf1 include:a.example mx include:b.example a:h.example -all",
                "a.example TXT v=spf1 include:c.example a:h.example ~all",
                "b.example TXT v=spf1 include:e.example ?all",
                "c.example TXT v=spf1 ip4:198.51.100.0/24",
                "e.example TXT v=spf1 ip4:198.51.100.0/24",
                "d.example MX m.example",
                "d.example MX n.example",
                "m.example A 198.51.100.1",
                "n.example A 198.51.100.2",
                "h.example A 198.51.100.3"
            ),
            .all
        )
        let task = Task(executorPreference: rounds) { try await check(rounds) }
        rounds.run()
        let outcome = try await task.value
        #expect(outcome.result == .fail)
        #expect(outcome.lookups == 7)
        // d.example; then a, b, MX and h; then c, e and the hosts.
        #expect(rounds.turns == 3)
        #expect(rounds.count == 9)
    }

    @Test("what is asked ahead stays within the bound, and changes nothing")
    func cap() async throws {
        let includes = (0..<9).map { "include:i\($0).example" }.joined(separator: " ")
        var lines = ["d.example TXT v=spf1 \(includes) -all"]
        for index in 0..<9 { lines.append("i\(index).example TXT v=spf1 ip4:198.51.100.\(index)") }
        var all = DNSZone()
        for line in lines { try add(line, to: &all) }
        for limit in [160, 10, 3] {
            var options = SPFOptions()
            options.maximumQueries = limit
            let asked = Asked(all)
            let outcome = try await check(asked, options: options)
            #expect(outcome.result == (limit >= 10 ? .fail : .permerror))
            #expect(asked.questions.count <= limit)
        }
    }

    @Test("the work grows with the answers, not with their square, in whatever order they come")
    func linear() async throws {
        var zone = DNSZone()
        try add(
            "d.example TXT v=spf1 " + (0..<10).map { "mx:m\($0).example" }.joined(separator: " ") + " -all",
            to: &zone
        )
        for term in 0..<10 {
            for host in 0..<10 {
                let name = "h\(host).m\(term).example"
                try add("m\(term).example MX \(name)", to: &zone)
                for octet in 1..<200 { try add("\(name) A 198.51.100.\(octet)", to: &zone) }
            }
        }
        for order in OrderedAnswers.Order.allCases {
            let answers = OrderedAnswers(zone, order)
            let task = Task(executorPreference: answers) { try await check(answers) }
            answers.run()
            let outcome = try await task.value
            #expect(outcome.result == .fail)
            #expect(outcome.queries == 111)
            #expect(answers.count == 111)
            // The evaluation is made anew for each MX answer, and asks then for what it has no answer to.
            #expect(answers.asked < 12 * 111, "\(order)")
        }
    }

    @Test("a lookup that is given up is a temperror")
    func cancelled() async throws {
        for error in [DNSLookupError.timeout, .serverFailure, .refused, .malformed, .aliasLoop, .cancelled] {
            var zone = DNSZone()
            zone.add(failure: error, at: try DomainName("d.example"))
            let outcome = try await check(zone)
            #expect(outcome.result == .temperror)
            #expect(outcome.problem?.hasPrefix("d.example TXT: ") == true)
        }
    }

    @Test("the trace shows what was tried, what came back, and the counts")
    func trace() async throws {
        let zone = try zone(
            "d.example TXT v=spf1 ip4:198.51.100.0/24 ip6:2001:db8::/32 include:i.example a:gone.example -all",
            "i.example TXT v=spf1 mx ?all",
            "i.example MX m.example",
            "m.example A 198.51.100.1"
        )
        let outcome = try await check(zone)
        let expected = """
            record of d.example: found [terms 0, void 0]
                d.example TXT: "v=spf1 ip4:198.51.100.0/24 ip6:2001:db8::/32 include:i.example a:gone.example -all"
            ip4:198.51.100.0/24: no match [terms 0, void 0]
            ip6:2001:db8::/32: no match [terms 0, void 0]
            include:i.example: no match [terms 1, void 0]
              record of i.example: found [terms 1, void 0]
                  i.example TXT: "v=spf1 mx ?all"
              mx: no match [terms 2, void 0]
                  i.example MX: 10 m.example
                  m.example A: 198.51.100.1
              ?all: match, neutral [terms 2, void 0]
            a:gone.example: no match [terms 3, void 1]
                gone.example A: no such name
            -all: match, fail [terms 3, void 1]
            """
        #expect(outcome.trace.map(\.description).joined(separator: "\n") == expected)
        #expect(outcome.mechanism == "-all")
        #expect(outcome.queries == 5)
    }
}

/// Answers questions when nothing else can go on.
private final class OrderedAnswers: DNSResolving, TaskExecutor {
    /// Which of the open questions are answered next.
    enum Order: CaseIterable {
        /// One of them.
        case first, last, middle
        /// All of them together.
        case all
    }

    private struct State {
        var jobs: [UnownedJob] = []
        var waiting: [@Sendable () -> Void] = []
        var turns = 0
        var questions = 0
        var asked = 0
    }

    private let zone: DNSZone
    private let order: Order
    private let state = Mutex(State())

    init(_ zone: DNSZone, _ order: Order) {
        self.zone = zone
        self.order = order
    }

    /// How often questions were answered, how many were sent, and how often it was asked whether an answer is there.
    var turns: Int { state.withLock { $0.turns } }
    var count: Int { state.withLock { $0.questions } }
    var asked: Int { state.withLock { $0.asked } }

    func answerAtHand(_ question: DNSQuestion) -> DNSReply? {
        state.withLock { $0.asked += 1 }
        return nil
    }

    func lookUp(_ question: DNSQuestion) async -> DNSReply { await zone.lookUp(question) }

    func ask(
        _ question: DNSQuestion,
        for asker: (any DNSAsker)?,
        answered: @escaping @Sendable (DNSReply) -> Void
    ) -> OpenLookup {
        let reply = DNSReply(zone.answer(question), source: .server)
        state.withLock { state in
            state.questions += 1
            state.waiting.append { answered(reply) }
        }
        return OpenLookup {}
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
    }

    /// Runs the tasks of this executor until there is nothing to do and nobody waits.
    func run() {
        while true {
            while let job = state.withLock({ $0.jobs.isEmpty ? nil : $0.jobs.removeFirst() }) {
                unsafe job.runSynchronously(on: asUnownedTaskExecutor())
            }
            let next = state.withLock { takeNext(&$0) }
            guard !next.isEmpty else { return }
            for answer in next { answer() }
        }
    }

    private func takeNext(_ state: inout State) -> [@Sendable () -> Void] {
        guard !state.waiting.isEmpty else { return [] }
        state.turns += 1
        let last = state.waiting.count - 1
        switch order {
        case .first: return [state.waiting.removeFirst()]
        case .last: return [state.waiting.removeLast()]
        case .middle: return [state.waiting.remove(at: last / 2)]
        case .all:
            defer { state.waiting = [] }
            return state.waiting
        }
    }
}
