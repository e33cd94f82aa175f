import DNSLookup
import MailSyntax
import Testing

@testable import DNSResolver

@Suite("What is done about a question")
struct QueryPlanTests {
    static let one = NameServer(.v4(IPv4Address(1)))
    static let two = NameServer(.v4(IPv4Address(2)))

    static func plan(_ servers: NameServer...) -> QueryPlan {
        QueryPlan(servers: servers, options: ResolverOptions(servers: servers))
    }

    static func send(
        _ server: NameServer,
        _ seconds: Int,
        overTCP: Bool = false,
        edns: Bool = true
    ) -> QueryPlan.Action {
        .send(server, overTCP: overTCP, edns: edns, wait: .seconds(seconds))
    }

    @Test("silence: six times with growing waits, every second time without EDNS, then only listening")
    func silence() {
        var plan = Self.plan(Self.one)
        #expect(plan.begin() == Self.send(Self.one, 1))
        for (seconds, edns) in [(2, false), (4, true), (5, false), (5, true), (5, false)] {
            #expect(plan.timedOut() == Self.send(Self.one, seconds, edns: edns))
        }
        #expect(plan.timedOut() == .wait)
    }

    @Test("a server on whose way EDNS gets lost is asked without it first")
    func plainFirst() {
        let servers = [Self.one, Self.two]
        var plan = QueryPlan(servers: servers, options: ResolverOptions(servers: servers), plainFirst: [Self.one])
        #expect(plan.begin() == Self.send(Self.one, 1, edns: false))
        #expect(plan.timedOut() == Self.send(Self.two, 1))
        #expect(plan.timedOut() == Self.send(Self.one, 2))
        #expect(plan.timedOut() == Self.send(Self.two, 2, edns: false))
    }

    @Test("two silent servers take turns, and the waits grow with each round")
    func turns() {
        var plan = Self.plan(Self.one, Self.two)
        #expect(plan.begin() == Self.send(Self.one, 1))
        let rounds = [
            (Self.two, 1, true), (Self.one, 2, false), (Self.two, 2, false), (Self.one, 4, true), (Self.two, 4, true),
        ]
        for (server, seconds, edns) in rounds {
            #expect(plan.timedOut() == Self.send(server, seconds, edns: edns))
        }
        #expect(plan.timedOut() == .wait)
    }

    @Test("a server that fails is not asked again; the last one's error counts")
    func failures() {
        var plan = Self.plan(Self.one, Self.two)
        _ = plan.begin()
        #expect(plan.failed(Self.one, .serverFailure) == Self.send(Self.two, 1))
        #expect(plan.timedOut() == Self.send(Self.two, 2, edns: false))
        #expect(plan.failed(Self.two, .refused) == .finish(.refused))
    }

    @Test("RFC 6891 § 7: once without EDNS, and replies to what was sent before change nothing")
    func withoutEDNS() {
        var plan = Self.plan(Self.one)
        _ = plan.begin()
        #expect(plan.notUnderstood(by: Self.one, edns: true) == Self.send(Self.one, 2, edns: false))
        #expect(plan.notUnderstood(by: Self.one, edns: true) == .wait)
        #expect(plan.timedOut() == Self.send(Self.one, 4, edns: false))
        #expect(plan.notUnderstood(by: Self.one, edns: false) == .finish(.serverFailure))
    }

    @Test("RFC 7766 § 5: once over TCP, and so from then on")
    func truncation() {
        var plan = Self.plan(Self.one, Self.two)
        _ = plan.begin()
        #expect(plan.truncated(by: Self.one) == Self.send(Self.one, 1, overTCP: true))
        #expect(plan.truncated(by: Self.one) == .wait)
        #expect(plan.timedOut() == Self.send(Self.two, 2))
        #expect(plan.timedOut() == Self.send(Self.one, 2, overTCP: true))
        #expect(plan.disconnected(from: Self.one) == Self.send(Self.one, 4, overTCP: true))
    }

    @Test("a closed port moves on at once; when all are closed, time is given to them")
    func unreachable() {
        var plan = Self.plan(Self.one, Self.two)
        _ = plan.begin()
        #expect(plan.unreachable(Self.one) == Self.send(Self.two, 1))
        #expect(plan.unreachable(Self.two) == .wait)
        #expect(plan.timedOut() == Self.send(Self.one, 2))
        #expect(plan.failed(Self.one, .serverFailure) == Self.send(Self.two, 2, edns: false))
        #expect(plan.unreachable(Self.two) == .wait)
    }

    @Test("without servers there is nothing to wait for")
    func nobody() {
        var plan = Self.plan()
        #expect(plan.begin() == .finish(.serverFailure))
    }
}
