import MailSyntax
import Testing

@testable import AggregateReports
@testable import MailEvents

@Suite("Rows of reports")
struct ReportRecordTests {
    typealias Change = @Sendable (inout MailEvent) -> Void

    private static let outcomes: [(why: String, disposition: ReportDisposition, reasons: [String], change: Change)] = [
        ("passed, policy reject", .pass, [], { _ in }),
        ("passed, policy quarantine", .pass, [], { $0.publish("quarantine") }),
        ("passed, policy none", .none, [], { $0.publish("none") }),
        ("passed, quarantine in test mode is none", .none, [], { $0.publish("quarantine", effective: "none") }),
        (
            "passed, and SPF refused it: that is not DMARC", .pass, [],
            {
                $0.verdict.action = "reject"
                $0.verdict.rule = "spf"
            }
        ),
        (
            "passed, but whether np applies is not known", .none, [],
            {
                $0.dmarc?.published = nil
                $0.dmarc?.effective = nil
            }
        ),
        ("refused as asked", .reject, [], { $0.fail("reject") }),
        (
            "set aside as asked", .quarantine, [],
            {
                $0.publish("quarantine")
                $0.fail("junk")
            }
        ),
        (
            "held as asked", .quarantine, [],
            {
                $0.publish("quarantine")
                $0.fail("quarantine")
            }
        ),
        ("discarded: nobody was told", .quarantine, ["local_policy:dmarc-fail"], { $0.fail("discard") }),
        (
            "accepted as asked", .none, [],
            {
                $0.publish("none")
                $0.fail("accept")
            }
        ),
        ("milder, by a rule", .quarantine, ["local_policy:dmarc-fail"], { $0.fail("junk") }),
        (
            "milder, by an exemption", .none, ["local_policy:x"],
            {
                $0.fail("accept", rule: nil)
                $0.verdict.exempted = ["x"]
            }
        ),
        ("milder, without a rule", .none, ["local_policy"], { $0.fail("accept", rule: nil) }),
        (
            "stricter", .reject, ["local_policy:spf"],
            {
                $0.publish("none")
                $0.fail("reject", rule: "spf")
            }
        ),
        (
            "observed", .none, ["local_policy:observe"],
            { event in
                event.fail("accept", rule: nil)
                event.verdict.would = MailEvent.Verdict.Match(action: "reject", rule: "r", stage: "eom")
            }
        ),
        (
            "a rule on trial", .none, ["local_policy:observe"],
            { event in
                event.fail("accept", rule: nil)
                event.verdict.trial = [MailEvent.Verdict.Match(action: "reject", rule: "r", stage: "eom")]
            }
        ),
        (
            "RFC 9989 § 4.7, t=y: reject is quarantine", .quarantine, ["policy_test_mode"],
            {
                $0.publish("reject", effective: "quarantine")
                $0.fail("junk")
            }
        ),
        (
            "t=y: quarantine is none", .none, ["policy_test_mode"],
            {
                $0.publish("quarantine", effective: "none")
                $0.fail("accept")
            }
        ),
        (
            "t=y, and milder still", .none, ["policy_test_mode", "local_policy:r"],
            {
                $0.publish("reject", effective: "quarantine")
                $0.fail("accept", rule: "r")
            }
        ),
        (
            "t=y, and refused all the same", .reject, [],
            {
                $0.publish("reject", effective: "quarantine")
                $0.fail("reject")
            }
        ),
        (
            "t=y, and stricter than published", .reject, ["local_policy:r"],
            {
                $0.publish("quarantine", effective: "none")
                $0.fail("reject", rule: "r")
            }
        ),
        (
            "RFC 9989 § 5.3.6: no answer about SPF or DKIM", .none, ["other:temporary error in dkim"],
            { event in
                event.fail("accept", rule: nil)
                event.dmarc?.result = "temperror"
                event.dmarc?.problem = "temporary error in dkim"
            }
        ),
        (
            "RFC 9989 § 4.10.1: an invalid sp", .none, ["other:invalid policy in the record, so none applies"],
            { event in
                event.dmarc?.published = "none"
                event.dmarc?.effective = "none"
                event.fail("accept")
            }
        ),
        (
            "np of a name that does not exist", .reject, [],
            { event in
                event.dmarc?.from = "nx.example.com"
                event.dmarc?.tags = MailEvent.DMARC.Tags(
                    p: "none",
                    sp: "none",
                    np: "reject",
                    adkim: "r",
                    aspf: "r",
                    fo: "0",
                    t: "n",
                    psd: "u"
                )
                event.fail("reject")
            }
        ),
        (
            "sp of a name that exists", .quarantine, [],
            { event in
                event.dmarc?.from = "www.example.com"
                event.dmarc?.tags?.sp = "quarantine"
                event.dmarc?.tags?.np = "reject"
                event.dmarc?.published = "quarantine"
                event.dmarc?.effective = "quarantine"
                event.fail("junk")
            }
        ),
        (
            "psd=y: the record of a public suffix", .none, [],
            { event in
                event.dmarc?.domain = "com"
                event.dmarc?.tags?.psd = "y"
                event.publish("none")
                event.fail("accept")
            }
        ),
    ]

    @Test("RFC 9990 § 3.1.1.9: disposition and reasons", arguments: outcomes.indices)
    func outcome(index: Int) throws {
        let record = try MailEvent.record(Self.outcomes[index].change)
        let reasons = record.reasons.map { $0.kind.rawValue + ($0.comment.map { ":\($0)" } ?? "") }
        #expect(record.disposition == Self.outcomes[index].disposition, "\(Self.outcomes[index].why)")
        #expect(reasons == Self.outcomes[index].reasons, "\(Self.outcomes[index].why)")
    }

    private static let senders: [(mailFrom: String, spf: String?, envelope: String?, asked: String?, why: String)] = [
        ("a@example.com", "example.com", "example.com", "example.com", "RFC 9990 § 3.1.1.10"),
        ("", "mail.example.com", "", "mail.example.com", "RFC 7208 § 2.4: the null sender's is HELO"),
        ("", nil, "", "mail.example.com", "the null sender, HELO that is no name of a host"),
        ("a@bücher.example", "xn--bcher-kva.example", "xn--bcher-kva.example", "xn--bcher-kva.example", "A-labels"),
        ("ü@example.com", "example.com", "example.com", "example.com", "RFC 6531: an international sender"),
        ("\"a@b\"@example.com", "example.com", "example.com", "example.com", "a quoted local part"),
        ("a@[192.0.2.1]", nil, "[192.0.2.1]", "[192.0.2.1]", "an address for a domain"),
        ("postmaster", nil, nil, nil, "no domain: nothing is told of a mailbox"),
        ("@example.com", "example.com", "example.com", "example.com", "events without local parts"),
        ("a@\u{1B}[31m\u{0}", nil, "\u{FFFD}[31m\u{FFFD}", "\u{FFFD}[31m\u{FFFD}", "XML 1.0 § 2.2"),
    ]

    @Test("who sent it, and whom SPF asked", arguments: senders)
    func sender(mailFrom: String, spf: String?, envelope: String?, asked: String?, why: String) throws {
        let record = try MailEvent.record { event in
            event.mailFrom = mailFrom
            event.spf?.domain = spf
        }
        #expect(record.envelopeFrom == envelope, "\(why)")
        #expect(record.spf?.domain == asked, "\(why)")
    }

    @Test(
        "RFC 9990 § 7.2: a name that a macro made of the sender is not told",
        arguments: [
            ("no record at _spf.example.net", true),
            ("no record at john.example.net", false),
            ("no record at john.doe.users.example.net", false),
            ("JOHN-DOE-x.example.net TXT: timed out", false),
            ("xJOHN.DOEx.example.net TXT: timed out", false),
            ("malformed domain name", true),
        ]
    )
    func privacy(problem: String, isTold: Bool) throws {
        let record = try MailEvent.record { event in
            event.mailFrom = "John.Doe@example.com"
            event.spf?.result = "permerror"
            event.spf?.problem = problem
        }
        #expect((record.spf?.humanResult != nil) == isTold)
        #expect(!"\(record)".contains("John"))
    }

    @Test("RFC 9990 § 3.1.3: the order of signatures, and a hundred of two hundred")
    func signatures() throws {
        let record = try MailEvent.record { event in
            event.dkim = (0..<200).map { .failing("f\($0).example", "s") }
            event.dkim?.append(.passing("other.example", "3"))
            event.dkim?.append(.passing("mail.example.com", "2", aligned: "relaxed"))
            event.dkim?.append(.passing("example.com", "1", aligned: "strict"))
        }
        #expect(record.signatures.prefix(4).map(\.selector) == ["1", "2", "3", "s"])
        #expect(record.signatures.count == 100 && record.signatures[3].humanResult == "body hash differs")
    }

    @Test("a signature without d= or s= cannot be told, and a word that the schema has not is none of its results")
    func untold() throws {
        let record = try MailEvent.record { event in
            event.dkim = [
                .failing(nil, "s"), .failing("d.example", nil), .failing("", "s"), .failing("d.example", ""),
            ]
            event.dkim?.append(MailEvent.Signature(d: "d", s: "s", result: "odd", testing: false, diagnosis: []))
            event.spf?.result = "odd"
        }
        #expect(record.signatures.isEmpty && record.spf == nil)
    }

    @Test("hostile d= and selectors of 64 KiB take the room of a name, and all of them together a bound")
    func hostile() throws {
        let long = String(repeating: "\u{FFFF}<&\r", count: 16 << 10)
        let record = try MailEvent.record { event in event.dkim = (0..<100).map { _ in .failing(long, long, long) } }
        let first = try #require(record.signatures.first)
        #expect(first.domain.unicodeScalars.count == 253 && first.selector.unicodeScalars.count == 253)
        #expect(first.humanResult?.unicodeScalars.count == 200)
        #expect(first.domain.hasPrefix("\u{FFFD}<&\u{FFFD}"))
        #expect(record.octets.count < ReportBounds.signatureOctets + 4_096)
        #expect(ReportRecord(octets: record.octets) == record)
    }

    @Test("a key in testing mode is told, and international names have A-labels")
    func testing() throws {
        let record = try MailEvent.record { event in
            event.dkim = [.passing("bücher.example", "s")]
            event.dkim?[0].testing = true
        }
        #expect(record.signatures.first?.humanResult == "key in testing mode")
        #expect(record.signatures.first?.domain == "xn--bcher-kva.example")
    }

    @Test("several authors: the domain that decided")
    func authors() throws {
        let record = try MailEvent.record { event in
            event.author?.domains = ["a.example", "example.com"]
            event.author?.count = 2
        }
        #expect(record.headerFrom == "example.com")
    }

    @Test("folded and rest: the outcome stays, and what a sender invents goes")
    func folding() throws {
        let event = MailEvent.sample { event in
            event.fail("junk")
            event.dmarc?.from = "x1.example.com"
            event.spf?.result = "permerror"
            event.spf?.problem = "malformed domain name"
        }
        let message = try #require(event.observed)
        let (folded, rest) = (message.record.folded, message.record.rest(of: message.policy))
        #expect(
            folded.signatures.isEmpty && folded.spf?.humanResult == nil
                && folded.reasons == [ReportReason(.localPolicy)]
        )
        #expect(folded.source == message.record.source && folded.headerFrom == "x1.example.com")
        #expect(rest.source.description == "0.0.0.0" && rest.headerFrom == "example.com" && rest.spf == nil)
        #expect(rest.disposition == .quarantine && rest.folded == rest)
    }
}
