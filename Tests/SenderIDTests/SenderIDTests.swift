import DNSLookup
import MailSyntax
import SPF
import SenderID
import TestSupport
import Testing

@Suite("Sender ID")
struct SenderIDTests {
    /// A record, the scope, and what comes out for 192.0.2.1.
    @Test(
        "record selection",
        arguments: [
            // RFC 4406 § 3.1: the version and scope sections
            (["spf2.0/pra +all"], "pra", "pass"), (["SPF2.0/PRA +all"], "pra", "pass"),
            (["spf2.0/pra,mfrom +all"], "mfrom", "pass"), (["spf2.0/pra"], "pra", "neutral"),
            (["spf2.0/pra\t+all"], "pra", "none"), (["spf2.0 +all"], "pra", "none"), (["spf2.0/ +all"], "pra", "none"),
            (["spf2.0/pra, +all"], "pra", "none"), (["spf2.0/,pra +all"], "pra", "none"),
            (["spf2./pra +all"], "pra", "none"), (["spf2/pra +all"], "pra", "none"),
            (["spf20/pra +all"], "pra", "none"),
            (["spf2.0/pra/mfrom +all"], "pra", "none"), (["spf2.0/1,pra +all"], "pra", "none"),
            // § 4.4 step 2: a well-formed minor version is otherwise ignored
            (["spf2.1/pra +all"], "pra", "pass"), (["spf2.00017/pra +all"], "pra", "pass"),
            (["spf2.x/pra +all"], "pra", "none"),
            // § 4.4 step 3
            (["spf2.0/prattle +all"], "pra", "none"), (["spf2.0/x-y_z.1,pra +all"], "pra", "pass"),
            // § 4.4 steps 4 and 5, § 3.4
            (["spf2.0/pra +all", "v=spf1 -all"], "pra", "pass"), (["v=spf1 -all", "spf2.0/pra +all"], "pra", "pass"),
            (["spf2.0/pra +all", "v=spf1 -all"], "mfrom", "fail"), (["spf2.0/mfrom +all"], "pra", "none"),
            (["v=spf1 +all"], "pra", "pass"), (["v=spf1 +all", "spf2.0 -all"], "pra", "pass"),
            // § 4.4, after step 5
            (["spf2.0/pra +all", "spf2.0/pra +all"], "pra", "permerror"),
            (["v=spf1 +all", "v=spf1 +all"], "pra", "permerror"),
            (["spf2.0/pra +all", "spf2.0/mfrom -all"], "pra", "pass"), (["spf2.0/pra +al"], "pra", "permerror"),
            // § 3.3: no positional modifier is defined; unknown ones are ignored wherever they stand
            (["spf2.0/pra a:n.example x=y +all z=%{d}"], "pra", "pass"), (["spf2.0/pra x=%"], "pra", "permerror"),
        ] as [([String], String, String)]
    )
    func selects(_ records: [String], _ scope: String, _ expected: String) async throws {
        var zone = DNSZone()
        for record in records { zone.add(.txt(Array(record.utf8)), at: try DomainName("d.example")) }
        let outcome = try await check(zone, scope: scope)
        #expect(outcome.result.rawValue == expected)
    }

    @Test("the record is named by its version")
    func version() async throws {
        for (record, version) in [
            ("v=spf1 -all", "spf1"), ("spf2.0/pra -all", "spf2.0"), ("SPF2.3/pra,x ?all", "spf2.3"),
        ] {
            var zone = DNSZone()
            zone.add(.txt(Array(record.utf8)), at: try DomainName("d.example"))
            #expect(try await check(zone, scope: "pra").record == version)
        }
    }

    @Test("RFC 4406 § 4.3: a purported domain that does not exist fails; an included one is an error")
    func nonexistent() async throws {
        var zone = DNSZone()
        let outcome = try await check(zone, scope: "pra")
        #expect(outcome.result == .fail)
        #expect(outcome.problem == "d.example does not exist")
        #expect(try await check(zone, scope: "mfrom").result == .none)
        zone.add(.txt(Array("spf2.0/pra include:gone.example +all".utf8)), at: try DomainName("d.example"))
        #expect(try await check(zone, scope: "pra").result == .permerror)
    }

    @Test("scopes hold for included and redirected records")
    func recursion() async throws {
        var zone = DNSZone()
        zone.add(.txt(Array("spf2.0/pra include:i.example redirect=r.example".utf8)), at: try DomainName("d.example"))
        zone.add(.txt(Array("v=spf1 +all".utf8)), at: try DomainName("i.example"))
        zone.add(.txt(Array("spf2.0/pra -all".utf8)), at: try DomainName("i.example"))
        zone.add(.txt(Array("spf2.0/mfrom -all".utf8)), at: try DomainName("r.example"))
        zone.add(.txt(Array("v=spf1 ~all".utf8)), at: try DomainName("r.example"))
        #expect(try await check(zone, scope: "pra").result == .softfail)
    }

    @Test("RFC 4406 § 4: without an address the result is permerror, with the reason")
    func noAddress() async throws {
        var headers = HeaderBlock()
        headers.append(name: "Subject".utf8, value: " x".utf8)
        let client = try #require(IPAddress("192.0.2.1"))
        let outcome = await DNSZone().outcome(of: SenderIDInquiry(of: headers, helo: [], client: client, now: 0))
        #expect(outcome.result == .permerror)
        #expect(outcome.pra == nil && outcome.domain == nil && outcome.record == nil)
        #expect(outcome.problem == "no purported responsible address: no From field")
    }

    /// The SUBMITTER parameter beside `From: a+b@D.example`, and whether it is the same mailbox.
    @Test(
        "RFC 4405 § 4.2: SUBMITTER must match the header",
        arguments: [
            ("a+2Bb@d.example", true), ("a+2Bb@D.EXAMPLE", true), ("A+2Bb@d.example", false), ("a+b@d.example", false),
            ("a@d.example", false), ("", false), ("a+2", false), ("a=b", false), ("+22a+2Bb+22@d.example", true),
            ("a+2Bb@d.example+2C+20x@y.example", false), ("a+00@d.example", false),
        ]
    )
    func submitter(_ parameter: String, _ matches: Bool) async throws {
        var zone = DNSZone()
        zone.add(.txt(Array("v=spf1 +all".utf8)), at: try DomainName("d.example"))
        var headers = HeaderBlock()
        headers.append(name: "From".utf8, value: " a+b@D.example".utf8)
        let client = try #require(IPAddress("192.0.2.1"))
        let outcome = await zone.outcome(
            of: SenderIDInquiry(of: headers, helo: [], client: client, now: 0, submitter: Octets(parameter))
        )
        #expect(outcome.result == .pass)
        #expect((outcome.problemCause == .submitterMismatch) == !matches)
    }

    private func check(_ zone: DNSZone, scope: String) async throws -> SenderIDOutcome {
        let client = try #require(IPAddress("192.0.2.1"))
        guard scope == "pra" else {
            let inquiry = SenderIDInquiry(mailFrom: Octets("a@d.example"), helo: [], client: client, now: 0)
            return await zone.outcome(of: inquiry)
        }
        var headers = HeaderBlock()
        headers.append(name: "From".utf8, value: " a@d.example".utf8)
        return await zone.outcome(of: SenderIDInquiry(of: headers, helo: [], client: client, now: 0))
    }
}
