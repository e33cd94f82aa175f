import DMARC
import DNSLookup
import MailSyntax
import Testing

@Suite("DMARC evaluation")
struct EvaluationTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var section: String
        var from: String
        /// Names with `_dmarc.` in front, or bare ones that merely exist; `!` alone makes the name fail.
        var zone: [String: String]
        var spf: String?
        var dkim: [String] = []
        var spfTemperror: String?
        var dkimTemperror: [String] = []
        /// Result, policy, effective policy, policy domain, what is aligned.
        var expected: String
        var testDescription: String { "\(section): \(from) \(expected)" }
    }

    static let reject = "v=DMARC1; p=reject"

    static let cases = [
        Case(
            section: "§ 4.10.1 own record",
            from: "a@b.example",
            zone: ["_dmarc.b.example": reject],
            expected: "fail reject reject b.example []"
        ),
        Case(
            section: "§ 4.10.1 no record",
            from: "a@b.example",
            zone: [:],
            spf: "b.example",
            expected: "none - - - []"
        ),
        Case(
            section: "§ 4.7 p for subdomains",
            from: "a@x.b.example",
            zone: ["_dmarc.b.example": reject, "x.b.example": ""],
            expected: "fail reject reject b.example []"
        ),
        Case(
            section: "§ 4.7 sp",
            from: "a@x.b.example",
            zone: ["_dmarc.b.example": "v=DMARC1; p=reject; sp=quarantine", "x.b.example": ""],
            expected: "fail quarantine quarantine b.example []"
        ),
        Case(
            section: "§ 4.7 sp not for the domain itself",
            from: "a@b.example",
            zone: ["_dmarc.b.example": "v=DMARC1; p=reject; sp=none"],
            expected: "fail reject reject b.example []"
        ),
        Case(
            section: "§ 4.7 sp of a subdomain's own record",
            from: "a@x.b.example",
            zone: ["_dmarc.b.example": reject, "_dmarc.x.b.example": "v=DMARC1; p=none; sp=reject"],
            expected: "fail none none x.b.example []"
        ),
        Case(
            section: "§ 4.7 np",
            from: "a@x.b.example",
            zone: ["_dmarc.b.example": "v=DMARC1; p=none; sp=none; np=reject"],
            expected: "fail reject reject b.example []"
        ),
        Case(
            section: "§ 4.7 np not for names that exist",
            from: "a@x.b.example",
            zone: ["_dmarc.b.example": "v=DMARC1; p=none; np=reject", "y.x.b.example": ""],
            expected: "fail none none b.example []"
        ),
        Case(
            section: "§ 4.7 np gives way to sp",
            from: "a@x.b.example",
            zone: ["_dmarc.b.example": "v=DMARC1; p=none; sp=quarantine"],
            expected: "fail quarantine quarantine b.example []"
        ),
        Case(
            section: "§ 3.2.13 existence not known",
            from: "a@x.b.example",
            zone: [
                "_dmarc.b.example": "v=DMARC1; p=none; np=reject", "x.b.example": "!", "_dmarc.x.b.example": "none",
            ],
            expected: "fail none none b.example []"
        ),
        Case(
            section: "§ 4.7 t",
            from: "a@b.example",
            zone: ["_dmarc.b.example": "v=DMARC1; p=reject; t=y"],
            expected: "fail reject quarantine b.example []"
        ),
        Case(
            section: "§ 4.7 t",
            from: "a@b.example",
            zone: ["_dmarc.b.example": "v=DMARC1; p=quarantine; t=Y"],
            expected: "fail quarantine none b.example []"
        ),
        Case(
            section: "§ 4.7 t",
            from: "a@b.example",
            zone: ["_dmarc.b.example": "v=DMARC1; p=none; t=y"],
            expected: "fail none none b.example []"
        ),
        Case(
            section: "RFC 7489 pct",
            from: "a@b.example",
            zone: ["_dmarc.b.example": "v=DMARC1; p=reject; pct=0; rf=afrf; ri=1"],
            expected: "fail reject reject b.example []"
        ),
        Case(
            section: "§ 4.10.1 no valid p, rua",
            from: "a@b.example",
            zone: ["_dmarc.b.example": "v=DMARC1; p=x; rua=mailto:a@b"],
            expected: "fail none none b.example []"
        ),
        Case(
            section: "§ 4.10.1 no valid p, no rua",
            from: "a@b.example",
            zone: ["_dmarc.b.example": "v=DMARC1; p=x; rua=a"],
            spf: "b.example",
            expected: "none - - b.example []"
        ),
        Case(
            section: "§ 4.10.1 invalid sp",
            from: "a@b.example",
            zone: ["_dmarc.b.example": "v=DMARC1; p=reject; sp=x; rua=mailto:a@b"],
            expected: "fail none none b.example []"
        ),
        Case(
            section: "§ 4.10 several records",
            from: "a@x.b.example",
            zone: ["_dmarc.x.b.example": "v=DMARC1; p=none\nv=DMARC1; p=none", "_dmarc.b.example": reject],
            expected: "fail reject reject b.example []"
        ),
        Case(
            section: "§ 4.10 records of another kind",
            from: "a@b.example",
            zone: ["_dmarc.b.example": "v=spf1 -all\n\(reject)\nv=DMARC2; p=none"],
            expected: "fail reject reject b.example []"
        ),
        Case(
            section: "§ 4.10.1 Public Suffix Domain",
            from: "a@x.b.bank",
            zone: ["_dmarc.bank": "v=DMARC1; p=none; sp=reject; psd=y", "x.b.bank": ""],
            expected: "fail reject reject bank []"
        ),
        Case(
            section: "§ 4.10.2 below a PSD others are not aligned",
            from: "a@b.bank",
            zone: ["_dmarc.bank": "\(reject); psd=y"],
            spf: "c.bank",
            expected: "fail reject reject bank []"
        ),
        Case(
            section: "§ 4.10.2 the PSD itself",
            from: "a@bank",
            zone: ["_dmarc.bank": "\(reject); psd=y"],
            dkim: ["bank"],
            expected: "pass reject reject bank [dkim]"
        ),
        Case(
            section: "§ 4.10.2 psd=n",
            from: "a@x.b.example",
            zone: ["_dmarc.x.b.example": "\(reject); psd=n", "_dmarc.b.example": reject],
            dkim: ["y.b.example"],
            expected: "fail reject reject x.b.example []"
        ),
        Case(
            section: "§ 4.10.2 each identifier has its own Organizational Domain",
            from: "a@b.example",
            zone: ["_dmarc.x.b.example": "\(reject); psd=n", "_dmarc.b.example": reject],
            dkim: ["m.x.b.example"],
            expected: "fail reject reject b.example []"
        ),
        Case(
            section: "§ 3.2.10.1 relaxed",
            from: "a@x.b.example",
            zone: ["_dmarc.b.example": reject],
            spf: "y.b.example",
            dkim: ["other.example", "z.y.b.example"],
            expected: "pass reject reject b.example [spf, dkim]"
        ),
        Case(
            section: "§ 3.2.10.2 strict",
            from: "a@x.b.example",
            zone: ["_dmarc.b.example": "\(reject); aspf=s; adkim=s"],
            spf: "b.example",
            dkim: ["b.example", "x.b.example"],
            expected: "pass reject reject b.example [dkim]"
        ),
        Case(
            section: "§ 3.2.10 not by a common ending",
            from: "a@b.example",
            zone: ["_dmarc.b.example": reject],
            spf: "ab.example",
            dkim: ["example"],
            expected: "fail reject reject b.example []"
        ),
        Case(
            section: "§ 5.3.1 U-labels",
            from: "a@bücher.example",
            zone: ["_dmarc.xn--bcher-kva.example": reject],
            dkim: ["xn--bcher-kva.example"],
            expected: "pass reject reject xn--bcher-kva.example [dkim]"
        ),
        Case(
            section: "§ 4.4 case",
            from: "a@B.Example",
            zone: ["_dmarc.b.example": reject],
            spf: "b.eXample",
            expected: "pass reject reject b.example [spf]"
        ),
        Case(
            section: "§ 5.3.6 own record",
            from: "a@b.example",
            zone: ["_dmarc.b.example": "!"],
            spf: "b.example",
            expected: "temperror - - - []"
        ),
        Case(
            section: "§ 5.3.6 a parent's record",
            from: "a@x.b.example",
            zone: ["_dmarc.b.example": "!"],
            expected: "temperror - - - []"
        ),
        Case(
            section: "§ 5.3.6 the same domain needs no walk",
            from: "a@b.example",
            zone: ["_dmarc.b.example": reject, "_dmarc.example": "!"],
            spf: "b.example",
            expected: "pass reject reject b.example [spf]"
        ),
        Case(
            section: "§ 5.3.6 alignment not known",
            from: "a@b.example",
            zone: ["_dmarc.b.example": reject, "_dmarc.example": "!"],
            spf: "m.b.example",
            expected: "temperror reject reject b.example []"
        ),
        Case(
            section: "§ 5.3.6 elsewhere all the same",
            from: "a@b.example",
            zone: ["_dmarc.b.example": reject, "_dmarc.example": "!"],
            spf: "evil.test",
            expected: "fail reject reject b.example []"
        ),
        Case(
            section: "§ 5.3.6 the identifier's walk",
            from: "a@b.example",
            zone: ["_dmarc.b.example": reject, "_dmarc.m.b.example": "!"],
            dkim: ["m.b.example"],
            expected: "temperror reject reject b.example []"
        ),
        Case(
            section: "§ 5.3.6 SPF had a temporary error",
            from: "a@b.example",
            zone: ["_dmarc.b.example": reject],
            spfTemperror: "b.example",
            expected: "temperror reject reject b.example []"
        ),
        Case(
            section: "§ 5.3.6 DKIM had a temporary error",
            from: "a@b.example",
            zone: ["_dmarc.b.example": reject],
            dkimTemperror: ["m.b.example"],
            expected: "temperror reject reject b.example []"
        ),
        Case(
            section: "§ 5.3.6 a temporary error of others changes nothing",
            from: "a@b.example",
            zone: ["_dmarc.b.example": reject],
            spfTemperror: "evil.test",
            dkimTemperror: ["evil.test"],
            expected: "fail reject reject b.example []"
        ),
        Case(
            section: "§ 5.3.6 a temporary error beside a pass",
            from: "a@b.example",
            zone: ["_dmarc.b.example": reject],
            dkim: ["b.example"],
            spfTemperror: "b.example",
            expected: "pass reject reject b.example [dkim]"
        ),
        Case(
            section: "§ 5.3.1 several mailboxes, one domain",
            from: "a@b.example, c@b.example",
            zone: ["_dmarc.b.example": reject],
            spf: "b.example",
            expected: "pass reject reject b.example [spf]"
        ),
        Case(
            section: "RFC 6854 group",
            from: "g: a@b.example, c@B.example;",
            zone: ["_dmarc.b.example": reject],
            expected: "fail reject reject b.example []"
        ),
        Case(
            section: "§ 11.5 the strictest policy of those that fail",
            from: "a@evil.test, b@soft.example, c@b.example",
            zone: ["_dmarc.b.example": reject, "_dmarc.soft.example": "v=DMARC1; p=none", "_dmarc.evil.test": reject],
            spf: "evil.test",
            expected: "fail reject reject b.example []"
        ),
        Case(
            section: "§ 11.5 a domain without a record does not pass",
            from: "a@evil.test, c@b.example",
            zone: ["_dmarc.evil.test": reject],
            spf: "evil.test",
            expected: "none - - - []"
        ),
        Case(
            section: "§ 11.5 all vouch",
            from: "a@x.b.example, c@b.example",
            zone: ["_dmarc.b.example": reject],
            spf: "b.example",
            expected: "pass reject reject b.example [spf]"
        ),
        Case(
            section: "§ 11.5 more domains than are looked at",
            from: (0..<9).map { "a@x\($0).b.example" }.joined(separator: ","),
            zone: ["_dmarc.b.example": reject],
            spf: "b.example",
            expected: "permerror - - - []"
        ),
        Case(section: "§ 5.3.1 no domain", from: "a", zone: [:], expected: "permerror - - - []"),
        Case(section: "§ 5.3.1 literal", from: "a@[192.0.2.1]", zone: [:], expected: "permerror - - - []"),
        Case(section: "§ 5.3.1 empty group", from: "nobody:;", zone: [:], expected: "permerror - - - []"),
        Case(
            section: "§ 11.5 a literal beside a domain",
            from: "a@[192.0.2.1], a@b.example",
            zone: ["_dmarc.b.example": reject],
            expected: "fail reject reject b.example []"
        ),
        Case(
            section: "§ 5.3.1 not an address list",
            from: "a@b.example <c@evil.test>",
            zone: ["_dmarc.evil.test": reject],
            spf: "evil.test",
            expected: "permerror - - - []"
        ),
        Case(
            section: "§ 5.3.1 a domain in what may be a display name has no policy",
            from: "a@b.example <c@evil.test>",
            zone: ["_dmarc.evil.test": reject, "_dmarc.b.example": reject],
            spf: "evil.test",
            expected: "permerror - - - []"
        ),
        Case(
            section: "§ 5.3.1 no address list, but one author",
            from: "Doe, John <a@b.example>",
            zone: ["_dmarc.b.example": reject],
            spf: "b.example",
            expected: "pass reject reject b.example [spf]"
        ),
        Case(
            section: "§ 5.3.1 no address list, and one author who does not vouch",
            from: "Doe, John <a@b.example>",
            zone: ["_dmarc.b.example": reject],
            spf: "evil.test",
            expected: "fail reject reject b.example []"
        ),
    ]

    static func zone(_ names: [String: String]) throws -> DNSZone {
        var zone = DNSZone()
        for (name, text) in names {
            let name = try DomainName(name)
            switch text {
            case "!": zone.add(failure: .timeout, at: name)
            case "": zone.add(.a(IPv4Address(0xC000_0201)), at: name)
            default: for line in text.split(separator: "\n") { zone.add(.txt(Array(line.utf8)), at: name) }
            }
        }
        return zone
    }

    static func summary(_ outcome: DMARCOutcome) -> String {
        let aligned = outcome.aligned.map(\.rawValue).joined(separator: ", ")
        return "\(outcome.result) \(outcome.policy?.rawValue ?? "-") \(outcome.effectivePolicy?.rawValue ?? "-") "
            + "\(outcome.policyDomain?.description ?? "-") [\(aligned)]"
    }

    @Test("RFC 9989", arguments: cases)
    func evaluates(_ vector: Case) async throws {
        let zone = try Self.zone(vector.zone)
        let author = AuthorIdentity(from: Octets(vector.from))
        let spf = try vector.spf.map { try DomainName($0) }
        let dkim = try vector.dkim.map { try DomainName($0) }
        let spfTemperror = try vector.spfTemperror.map { try DomainName($0) }
        let dkimTemperror = try vector.dkimTemperror.map { try DomainName($0) }
        let identifiers = DMARCIdentifiers(
            spf: spf,
            dkim: dkim,
            spfTemperror: spfTemperror,
            dkimTemperror: dkimTemperror
        )
        let discovery = try #require(zone.outcomeAtHand(of: DMARCPolicyInquiry(of: author)))
        let outcome = zone.outcomeAtHand(of: DMARCInquiry(discovery, identifiers))
        #expect(outcome.map(Self.summary) == vector.expected)
        #expect(outcome?.trace.allSatisfy { $0.steps.count <= 8 } == true)
        // The same comes of it when each answer has to be waited for.
        let slow = WaitingZone(zone: zone)
        let waited = await slow.outcome(of: DMARCInquiry(await slow.discover(author), identifiers))
        #expect(waited == outcome)
    }

    /// A zone with no answer at hand.
    struct WaitingZone: DNSResolving {
        let zone: DNSZone

        func lookUp(_ question: DNSQuestion) async -> DNSReply { await zone.lookUp(question) }
    }

    @Test("an answer that has to be waited for leaves nothing at hand")
    func waiting() async throws {
        let zone = try Self.zone(["_dmarc.b.example": Self.reject, "_dmarc.x.b.example": "v=DMARC1; psd=n"])
        let slow = WaitingZone(zone: zone)
        #expect(slow.outcomeAtHand(of: DMARCPolicyInquiry(of: AuthorIdentity(from: Octets("a@b.example")))) == nil)
        let discovery = await slow.discover(try DomainName("b.example"))
        let other = try DomainName("x.b.example")
        let withOther = DMARCInquiry(discovery, DMARCIdentifiers(spf: other))
        #expect(slow.outcomeAtHand(of: withOther) == nil)
        #expect(slow.outcomeAtHand(of: DMARCInquiry(discovery, DMARCIdentifiers()))?.result == .fail)
        #expect(await slow.outcome(of: withOther).result == .fail)
    }

    @Test("§ 4.4: missing and repeated From fields never pass, and fail where a domain in them does")
    func fromFields() async throws {
        let zone = try Self.zone(["_dmarc.b.example": Self.reject, "_dmarc.c.test": Self.reject])
        let own = try DomainName("c.test")
        for (fields, expected) in [
            ([], "permerror - - - []"), (["a@c.test", "a@c.test"], "permerror - - - []"),
            (["a@c.test", "a@b.example"], "fail reject reject b.example []"),
            (["a@c.test", "("], "permerror - - - []"),
        ] {
            var block = HeaderBlock()
            for value in fields { block.append(name: "FROM".utf8, value: value.utf8) }
            let discovery = await zone.discover(AuthorIdentity(of: block))
            let outcome = await zone.evaluate(discovery, spf: own, dkim: [own])
            #expect(Self.summary(outcome) == expected)
            #expect(outcome.problem != nil)
        }
    }

    @Test("the trace tells each question and what came of it")
    func trace() async throws {
        let zone = try Self.zone([
            "_dmarc.x.b.example": "v=DMARC1; p=none\nv=DMARC1",
            "_dmarc.b.example": "v=DMARC1; sp=none; np=reject; adkim=s; aspf=s; t=y; psd=n; rua=mailto:a@b",
            "_dmarc.test": "!",
        ])
        let own = await zone.discover(try DomainName("y.x.b.example"))
        let trace = await zone.evaluate(own, spf: nil, dkim: []).trace.flatMap(\.steps).map(\.description)
        #expect(
            trace == [
                "_dmarc.y.x.b.example TXT: no record", "_dmarc.x.b.example TXT: several records",
                "_dmarc.b.example TXT: p=- sp=none np=reject adkim=s aspf=s psd=n t=y",
            ]
        )
        let failed = await zone.discover(try DomainName("test"))
        let outcome = await zone.evaluate(failed, spf: nil, dkim: [])
        #expect(outcome.trace.flatMap(\.steps).map(\.description) == ["_dmarc.test TXT: no answer: timed out"])
        #expect(outcome.problem?.description == "no answer for _dmarc.test: timed out")
    }

    @Test("§ 4.10: never more than eight queries a domain, however long")
    func longNames() async throws {
        let zone = DNSZone()
        for count in [1, 7, 8, 9, 126] {
            let name = try DomainName(labels: (0..<count).map { _ in Octets("a") })
            let outcome = await zone.evaluate(await zone.discover(name), spf: name, dkim: [name])
            #expect(outcome.trace.map(\.steps.count) == [min(count, 8)])
            #expect(outcome.result == .none)
        }
    }

    @Test("the public suffix list says the same again, and after many other names")
    func publicSuffixListAgain() throws {
        let list = try #require(PublicSuffixList(path: PublicSuffixList.systemPath))
        for number in 0..<3000 {
            let own = try DomainName("b\(number).example")
            for name in [own, try own.child(Octets("mail"))] {
                #expect(list.registrableDomain(of: name) == own)
                #expect(list.registrableDomain(of: name) == own)
            }
            #expect(list.registrableDomain(of: try DomainName("example")) == nil)
        }
    }

    @Test("RFC 9989 § 4.10 alone, and with the public suffix list beside it")
    func publicSuffixList() async throws {
        let list = try #require(PublicSuffixList(path: PublicSuffixList.systemPath))
        let zone = try Self.zone([
            "_dmarc.a.example.co.uk": Self.reject, "_dmarc.com": Self.reject,
            "_dmarc.n.example.org": "\(Self.reject); psd=n", "_dmarc.example.org": Self.reject,
            "_dmarc.myshopify.com": Self.reject, "_dmarc.one.github.io": Self.reject,
            "_dmarc.s.example.net": "\(Self.reject); aspf=s", "_dmarc.p.example.edu": Self.reject,
            "_dmarc.q.example.edu": "\(Self.reject); psd=n", "_dmarc.f.example.info": Self.reject,
            "_dmarc.g.example.info": "!",
        ])
        for (from, spf, walk, either, differs) in [
            // A record of a subdomain alone: by the walk it is an organization of its own.
            ("a.example.co.uk", "b.example.co.uk", DMARCResult.fail, DMARCResult.pass, true),
            ("a.example.co.uk", "other.co.uk", .fail, .fail, false),
            // A record at a public suffix, and at one of the list's private part.
            ("one.com", "two.com", .pass, .pass, true),
            ("myshopify.com", "em.myshopify.com", .pass, .pass, true),
            // The private part keeps the customers of a provider apart.
            ("one.github.io", "two.github.io", .fail, .fail, false),
            // A psd tag is stronger than the list, on either side.
            ("n.example.org", "m.example.org", .fail, .fail, false),
            ("p.example.edu", "q.example.edu", .fail, .fail, false),
            ("k.example.org", "m.example.org", .pass, .pass, false),
            // Strict alignment knows no organization.
            ("s.example.net", "m.example.net", .fail, .fail, false),
            // What is not known is not guessed.
            ("f.example.info", "g.example.info", .fail, .temperror, false),
        ] {
            for (method, expected) in [
                (AlignmentMethod.walk, walk), (.walkBeside(list), walk), (.walkOrList(list), either),
            ] {
                let discovery = await zone.discover(try DomainName(from), method)
                let outcome = await zone.evaluate(discovery, spf: try DomainName(spf), dkim: [], method)
                #expect(outcome.result == expected, "\(from) \(spf)")
                // RFC 9989 § 4.10.1: the policy is found by the walk, whatever the list says.
                #expect(outcome.policyDomain != nil)
                if case .walk = method {
                    #expect(outcome.listRemarks.isEmpty && outcome.problem == nil)
                } else if differs {
                    #expect(outcome.steps.last?.hasPrefix("public suffix list: \(spf) and \(from) are ") == true)
                }
                #expect(outcome.alignedByList.isEmpty == (expected != .pass || walk == .pass))
            }
        }
        let discovery = await zone.discover(try DomainName("a.example.co.uk"))
        let other = [try DomainName("b.example.co.uk")]
        let outcome = await zone.evaluate(discovery, spf: nil, dkim: other, .walkOrList(list))
        #expect(outcome.problem?.description == "aligned by the public suffix list alone: b.example.co.uk")
        let failing = await zone.evaluate(discovery, spf: nil, dkim: other, .walkBeside(list))
        #expect(failing.problem?.description == "the public suffix list would align b.example.co.uk")
        #expect(PublicSuffixList(path: "/nonexistent") == nil)
        #expect(list.registrableDomain(of: .root) == nil)
    }

    @Test(
        "§ 4.7 and § 4.8: which texts are records",
        arguments: [
            ("v=DMARC1", true), ("v=DMARC1;", true), ("v = DMARC1 ; p = none ;", true), ("V=DMARC1", true),
            ("v=DMARC1;;;=;p", true),
            ("v=dmarc1", false), ("v=DMARC11", false), ("v=DMARC1 p=none", false), (" v=DMARC1", false),
            ("p=none; v=DMARC1", false),
            ("", false), ("v", false), ("v=", false), ("DMARC1", false),
        ]
    )
    func versions(text: String, isRecord: Bool) {
        #expect((DMARCRecord(Octets(text)) != nil) == isRecord)
    }

    @Test("§ 4.8: what is wrong is ignored")
    func tags() throws {
        let record = try #require(
            DMARCRecord(
                Octets(
                    "v=DMARC1;P=Reject; p=none;sp = quarantine ;adkim=S;aspf=x;fo=1:d;psd=N;t=\u{1}y;x=y;rua=,x,a:b , mailto:c"
                )
            )
        )
        #expect(record.policy == .reject && record.subdomainPolicy == .quarantine && !record.hasInvalidPolicy)
        #expect(record.dkimAlignment == .strict && record.spfAlignment == .relaxed && !record.isTesting)
        #expect(record.publicSuffixFlag == .no && record.failureOptions == Array("1d".utf8))
        #expect(record.aggregateReportURIs.map(\.text) == ["a:b", "mailto:c"])
    }
}
