import DMARC
import MailEvents
import Testing

@testable import AggregateReports

@Suite("What an event says to an owner")
struct ObservedMessageTests {
    typealias Change = @Sendable (inout MailEvent) -> Void

    private static let silent: [(why: String, change: Change)] = [
        ("RFC 9990 § 3.4: no rua", { $0.dmarc?.rua = [] }),
        (
            "RFC 9990 § 3.4: no rua that can be used",
            { $0.dmarc?.rua = ["https://example.com/", "mailto:a b@example.com"] }
        ),
        ("a policy of a name that no host has", { $0.dmarc?.domain = "../x" }),
        ("no record", { $0.dmarc?.tags = nil }),
        (
            "RFC 9989 § 4.10: two records count as none",
            {
                $0.dmarc?.tags = nil
                $0.dmarc?.result = "none"
            }
        ),
        (
            "the record got no answer",
            {
                $0.dmarc?.tags = nil
                $0.dmarc?.result = "temperror"
            }
        ),
        (
            "RFC 9989 § 4.7, np: no answer about the name",
            {
                $0.dmarc?.published = nil
                $0.dmarc?.effective = nil
                $0.dmarc?.result = "temperror"
            }
        ),
        ("RFC 9989 § 5.3.1: no author", { $0.dmarc?.result = "permerror" }),
        ("a record without a valid policy", { $0.dmarc?.result = "none" }),
        ("DMARC was not checked", { $0.dmarc = nil }),
        ("mail of our own", { $0.direction = .outbound }),
        ("a client that we trust", { $0.client.trusted = true }),
        ("a client that has authenticated", { $0.client.authenticated = true }),
        (
            "refused before DATA, so without an author",
            {
                $0.verdict.stage = "rcpt"
                $0.verdict.action = "reject"
            }
        ),
        ("put off: the message comes again", { $0.fail("tempfail") }),
        ("local mail: RFC 9990 § 3.1.1.8 requires an address", { $0.client.ip = nil }),
        ("an address that is none", { $0.client.ip = "x" }),
    ]

    @Test("what does not count", arguments: silent.indices)
    func silence(index: Int) {
        #expect(MailEvent.sample(Self.silent[index].change).observed == nil, "\(Self.silent[index].why)")
    }

    private static let causes: [(why: String, causes: Bool, change: Change)] = [
        ("an honest message", true, { _ in }),
        ("a forged message", true, { $0.fail("reject") }),
        ("the null sender", false, { $0.mailFrom = "" }),
        ("RFC 3834: an automatic message", false, { $0.autoSubmitted = true }),
        ("RFC 3834: said to be none", true, { $0.autoSubmitted = false }),
        ("mail to our address for reports", false, { $0.rcptTo = ["Reports@Example.ORG"] }),
        ("to somebody else as well", true, { $0.rcptTo.append("reports@example.org") }),
        (
            "to more than are named", true,
            {
                $0.rcptTo = ["reports@example.org"]
                $0.unnamedRcptTo = 1
            }
        ),
    ]

    @Test("what causes no report, is counted in one", arguments: causes.indices)
    func causing(index: Int) throws {
        let message = try MailEvent.observed(Self.causes[index].change)
        #expect(message.mayCause == Self.causes[index].causes, "\(Self.causes[index].why)")
    }

    @Test("the day is that of UTC, and DMARC's pass is told")
    func day() throws {
        for (time, day) in [
            (1_795_737_600.5, 20_784), (1_795_737_599.999, 20_783), (20_783.0 * 86_400, 20_783), (-1e300, 0),
            (1e300, 11_574_074),
        ] {
            let message = try MailEvent.observed { $0.time = time }
            #expect(message.day == day && message.passed)
        }
        let failed = try MailEvent.observed { $0.fail("accept") }
        #expect(!failed.passed)
    }

    @Test("a record that was changed at noon is another policy, and the same record is the same")
    func noon() throws {
        let morning = try MailEvent.observed()
        let evening = try MailEvent.observed { $0.publish("none") }
        #expect(morning.policy != evening.policy && morning.policy.octets != evening.policy.octets)
        let noon = try MailEvent.observed { $0.spf = nil }
        #expect(noon.policy == morning.policy && noon.policy.octets == morning.policy.octets)
    }

    private static let policies: [(why: String, problem: String?, change: Change)] = [
        ("a good record", nil, { _ in }),
        (
            "RFC 9989 § 4.10.1: no p", "no valid p, so none applies (RFC 9989, section 4.10.1)",
            { $0.dmarc?.tags?.p = nil }
        ),
        ("a broken list", "1 of 2 addresses in rua cannot be used", { $0.dmarc?.rua.append("mailto:x") }),
        (
            "fifty addresses",
            "only the first 5 addresses in rua are used",
            { event in event.dmarc?.rua = (0..<50).map { "mailto:r\($0)@example.com" } }
        ),
        ("one address fifty times", nil, { $0.dmarc?.rua = Array(repeating: "mailto:r@example.com", count: 50) }),
    ]

    @Test("RFC 9990 § 3.1.5: what is wrong with the record", arguments: policies.indices)
    func problems(index: Int) throws {
        let policy = try MailEvent.observed(Self.policies[index].change).policy
        #expect(policy.problem == Self.policies[index].problem, "\(Self.policies[index].why)")
        #expect((1...5).contains(policy.destinations.count))
    }

    @Test("RFC 9990 § 3.1.1.5: the record is told as it is")
    func tags() throws {
        let policy = try MailEvent.observed { event in
            event.dmarc?.tags?.sp = "quarantine"
            event.dmarc?.tags?.np = "none"
            event.dmarc?.tags?.adkim = "s"
            event.dmarc?.tags?.fo = "1:d:1:s"
            event.dmarc?.tags?.t = "y"
            event.dmarc?.tags?.psd = "y"
        }.policy
        #expect(policy.policy == .reject && policy.subdomainPolicy == .quarantine)
        #expect(policy.nonexistentSubdomainPolicy == DMARCPolicy.none)
        #expect(policy.dkimAlignment == .strict && policy.spfAlignment == .relaxed)
        #expect(policy.failureOptions == "1:d:s" && policy.isTesting && policy.discoveryMethod == .treewalk)
    }
}
