import DKIM
import DMARC
import DNSLookup
import MailAuthentication
import MailSyntax
import Policy
import ReverseDNS
import SPF
import SenderID
import TestSupport
import Testing

extension MailAssessment {
    /// The results in the order spf, helo, sender_id, each signature, dmarc, iprev; `-` for what was not checked.
    var words: String {
        let signatures = dkim.map { $0.isEmpty ? "none" : $0.map(\.result.rawValue).joined(separator: "+") }
        return [
            spf?.result.rawValue, helo?.result.rawValue, senderID?.result.rawValue, signatures, dmarc?.result.rawValue,
            iprev?.result.rawValue,
        ].map { $0 ?? "-" }.joined(separator: " ")
    }
}

@Suite("Transactions whose answers are at hand")
struct ReadyTransactionTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var fields = ["From: a@example.com"]
        var sender = "a@example.com"
        var client: IPAddress? = Sample.client
        var isUnknown = false
        var records: [String] = []
        var without: [String] = []
        var isSigned = true
        var checks = PerCheck { _ in true }
        let expected: String
    }

    static let cases: [Case] = [
        Case(testDescription: "all checks pass", expected: "pass pass pass pass pass pass"),
        Case(
            testDescription: "RFC 8601 § 2.7.1: dkim is none without a signature",
            isSigned: false,
            expected: "pass pass pass none pass pass"
        ),
        Case(
            testDescription: "a client that the domain does not name",
            client: IPAddress("192.0.2.9"),
            expected: "fail fail fail pass pass permerror"
        ),
        Case(
            testDescription: "an IPv4-mapped client is its IPv4 address",
            client: IPAddress("::ffff:192.0.2.1"),
            expected: "pass pass pass pass pass pass"
        ),
        Case(
            testDescription: "RFC 7208 § 2.4: the null sender is postmaster of HELO",
            sender: "",
            expected: "pass pass pass pass pass pass"
        ),
        Case(
            testDescription: "a local client has no address to check",
            client: nil,
            expected: "- - - pass pass -"
        ),
        Case(
            testDescription: "RFC 7208 § 2.6.1: none for a client whose address the MTA does not know",
            client: nil,
            isUnknown: true,
            expected: "none none none pass pass -"
        ),
        Case(
            testDescription: "RFC 9989 § 5: neither SPF nor DKIM aligned",
            sender: "a@mail.example.com",
            without: ["_dmarc"],
            isSigned: false,
            expected: "pass pass pass none none pass"
        ),
        Case(
            testDescription: "SPF alone aligned in relaxed mode (RFC 9989 § 4.4.2)",
            sender: "a@mail.example.com",
            isSigned: false,
            expected: "pass pass pass none pass pass"
        ),
        Case(
            testDescription: "another author's domain is not vouched for",
            fields: ["From: a@other.example"],
            records: ["_dmarc.other.example TXT v=DMARC1; p=none"],
            expected: "pass pass none pass fail pass"
        ),
        Case(
            testDescription: "RFC 7208 § 2.6.6: a lookup that fails is a temperror",
            records: ["example.com FAILURE x", "_dmarc.example.com FAILURE x"],
            without: ["example.com TXT", "_dmarc", "s._domainkey"],
            expected: "temperror pass temperror permerror temperror pass"
        ),
        Case(testDescription: "spf alone", checks: [.spf], expected: "pass pass - - - -"),
        Case(testDescription: "sender_id alone", checks: [.senderID], expected: "- - pass - - -"),
        Case(testDescription: "dkim alone", checks: [.dkim], expected: "- - - pass - -"),
        Case(
            testDescription: "dmarc alone still rests on signatures (RFC 9989 § 4.4.1)",
            checks: [.dmarc],
            expected: "- - - - pass -"
        ),
        Case(testDescription: "iprev alone", checks: [.iprev], expected: "- - - - - pass"),
        Case(testDescription: "nothing", checks: [], expected: "- - - - - -"),
    ]

    @Test("the first advance is complete: RFC 7208 § 2.4, RFC 4407 § 2, RFC 6376 § 6, RFC 9989 § 5", arguments: cases)
    func atOnce(_ example: Case) throws {
        var zone = try Sample.zone(without: example.without)
        for record in example.records { try zone.add(record) }
        var settings = AuthenticationSettings()
        settings.checks = example.checks
        let client = MailClient(
            address: example.client,
            isUnknown: example.isUnknown,
            settings: settings,
            resolver: zone
        )
        client.greet("mail.example.com".utf8, now: Sample.now)
        let transaction = MailTransaction(
            client: client,
            sender: example.sender.utf8,
            resolver: zone,
            now: Sample.now
        )
        let fields = example.isSigned ? try Sample.signed(example.fields) : example.fields
        for field in fields { transaction.header(field) }
        transaction.end()
        #expect(transaction.openEnvelopeChecks == nil)
        #expect(transaction.assessment?.words == example.expected)
    }

    @Test(
        "the rest of a body is skipped once every hash is fixed, or where there is none",
        arguments: [(true, false), (false, true)]
    )
    func bodyIsComplete(_ isSigned: Bool, _ isComplete: Bool) throws {
        let zone = try Sample.zone()
        let client = MailClient(address: Sample.client, settings: AuthenticationSettings(), resolver: zone)
        let transaction = MailTransaction(client: client, sender: [], resolver: zone, now: Sample.now)
        let fields = ["From: a@example.com"]
        for field in isSigned ? try Sample.signed(fields) : fields { transaction.header(field) }
        transaction.endOfHeaders()
        #expect(transaction.isBodyComplete == isComplete)
    }

    @Test("a header that the MTA does not end is over with the body")
    func headerWithoutEnd() throws {
        let zone = try Sample.zone()
        let client = MailClient(address: Sample.client, settings: AuthenticationSettings(), resolver: zone)
        client.greet("mail.example.com".utf8, now: Sample.now)
        let transaction = MailTransaction(client: client, sender: "a@example.com".utf8, resolver: zone, now: Sample.now)
        transaction.header("From: a@example.com")
        transaction.endOfBody()
        #expect(transaction.assessment?.words == "pass pass pass none pass pass")
    }

    @Test(
        "RFC 9989 § 5.3.1: several authors",
        arguments: [
            // From fields, count of authors, result of DMARC
            (["From: a@example.com", "From: b@example.com"], 2, "permerror"),
            (["From: a@example.com", "From: b@other.example"], 2, "permerror"),
            (["From: a@example.com, b@example.com"], 2, "pass"),
            (["Subject: nobody"], 0, "permerror"),
        ]
    )
    func authors(_ fields: [String], _ count: Int, _ result: String) throws {
        let zone = try Sample.zone()
        let client = MailClient(address: Sample.client, settings: AuthenticationSettings(), resolver: zone)
        let transaction = MailTransaction(client: client, sender: "a@example.com".utf8, resolver: zone, now: Sample.now)
        for field in fields { transaction.header(field) }
        transaction.end()
        let assessment = try #require(transaction.assessment)
        #expect(assessment.author?.fromCount == count)
        #expect(assessment.dmarc?.result.rawValue == result)
        #expect(assessment.facts(Sample.envelope()).fromCount == count)
    }
}

@Suite("Transactions that wait")
struct WaitingTransactionTests {
    /// A connection whose answers the test holds.
    struct Connection {
        let resolver: HeldResolver
        let executor = ManualExecutor()
        let client: MailClient

        init(_ zone: DNSZone) {
            resolver = HeldResolver(zone)
            client = MailClient(
                address: Sample.client,
                settings: AuthenticationSettings(),
                resolver: resolver,
                executor: executor
            )
        }

        func mail(_ sender: String = "a@example.com") -> MailTransaction {
            MailTransaction(client: client, sender: sender.utf8, resolver: resolver, now: Sample.now)
        }

        /// The questions that an event leads to.
        func questions(_ event: () -> Void = {}) -> [String] {
            event()
            executor.run()
            return resolver.newQuestions()
        }

        /// Answers everything, until the assessment is there.
        func finish(_ transaction: MailTransaction) -> MailAssessment? {
            resolver.releaseAll()
            for _ in 0..<10 {
                executor.run()
                if let assessment = transaction.assessment { return assessment }
            }
            return nil
        }
    }

    @Test("postern(8), What happens to a message: each question is asked at the event that raises it, and never later")
    func order() throws {
        let connection = Connection(try Sample.zone("list.example TXT v=spf1 ip4:192.0.2.1 -all"))
        #expect(connection.questions() == ["1.2.0.192.in-addr.arpa PTR"])
        #expect(
            connection.questions { connection.client.greet("mail.example.com".utf8, now: Sample.now) }
                == ["mail.example.com TXT"]
        )
        let transaction = connection.mail()
        #expect(connection.questions() == ["example.com TXT"])
        let fields = try Sample.signed(["From: a@example.com"])
        #expect(connection.questions { transaction.header("Received: from x") } == [])
        #expect(connection.questions { transaction.header(fields[0]) } == ["s._domainkey.example.com TXT"])
        #expect(connection.questions { transaction.header("X-Other: x") } == [])
        // RFC 9989 § 4.10: a walk goes on to the top unless a record ends it, so all its names are asked about.
        #expect(
            connection.questions { transaction.header(fields[1]) } == ["_dmarc.example.com TXT", "_dmarc.com TXT"]
        )
        #expect(connection.questions { transaction.header("Sender: s@list.example") } == [])
        // RFC 4407 § 2: the Sender field comes before From.
        #expect(connection.questions { transaction.endOfHeaders() } == ["list.example TXT"])
        let rest = connection.questions {
            unsafe Array(Sample.body.utf8).withUnsafeBytes { unsafe transaction.body($0) }
            transaction.endOfBody()
        }
        #expect(rest == [])
        #expect(transaction.assessment == nil)
        #expect(transaction.openEnvelopeChecks != nil)
        let assessment = connection.finish(transaction)
        #expect(assessment?.words == "pass pass pass pass pass pass")
        #expect(connection.resolver.cancelled.isEmpty)
    }

    /// A message whose sender has a domain below example.com, for which SPF passes.
    private static func mailFromBelowAuthor() throws -> (Connection, MailTransaction) {
        let connection = Connection(try Sample.zone("bounce.example.com TXT v=spf1 ip4:192.0.2.1 -all"))
        connection.client.greet("mail.example.com".utf8, now: Sample.now)
        return (connection, connection.mail("a@bounce.example.com"))
    }

    @Test("RFC 9989 § 4.10: what alignment may rest on is asked with the author's own policy")
    func lookAhead() throws {
        let (connection, transaction) = try Self.mailFromBelowAuthor()
        for field in try Sample.signed(["From: a@example.com"]) { transaction.header(field) }
        _ = connection.questions()
        // The domain of the signature is the author's own, which is walked from already.
        #expect(
            connection.questions { transaction.endOfHeaders() }
                == [
                    "_dmarc.bounce.example.com TXT", "_dmarc.example.com TXT", "_dmarc.com TXT", "example.com TXT",
                ]
        )
        unsafe Array(Sample.body.utf8).withUnsafeBytes { unsafe transaction.body($0) }
        transaction.endOfBody()
        #expect(connection.finish(transaction)?.dmarc?.aligned == [.spf, .dkim])
    }

    @Test("RFC 9989 § 4.10: it is asked while SPF waits, even if the author's policy is known")
    func lookAheadOfKnownPolicy() throws {
        let (connection, transaction) = try Self.mailFromBelowAuthor()
        transaction.header("From: a@example.com")
        connection.resolver.release("_dmarc.example.com TXT", "_dmarc.com TXT")
        _ = connection.questions()
        #expect(
            connection.questions { transaction.endOfHeaders() }
                == ["_dmarc.bounce.example.com TXT", "_dmarc.example.com TXT", "_dmarc.com TXT", "example.com TXT"]
        )
        transaction.endOfBody()
        #expect(connection.finish(transaction)?.dmarc?.aligned == [.spf])
    }

    @Test(
        "what lies elsewhere, or is the author's own, is not looked ahead for",
        arguments: ["a@other.example", "a@example.com"]
    )
    func noLookAhead(_ sender: String) throws {
        let connection = Connection(try Sample.zone())
        let transaction = connection.mail(sender)
        _ = connection.questions { transaction.header("From: a@example.com") }
        #expect(connection.questions { transaction.endOfHeaders() } == ["example.com TXT"])
    }

    @Test("a message that is complete gives up what it looked ahead for")
    func endOfLookAhead() throws {
        let connection = Connection(try Sample.zone())
        connection.client.greet("mail.example.com".utf8, now: Sample.now)
        let transaction = connection.mail("a@bounce.example.com")
        for field in try Sample.signed(["From: a@example.com"]) { transaction.header(field) }
        transaction.end()
        connection.resolver.release(
            "1.2.0.192.in-addr.arpa PTR",
            "mail.example.com A",
            "mail.example.com TXT",
            "example.com TXT",
            "bounce.example.com TXT",
            "s._domainkey.example.com TXT",
            "_dmarc.example.com TXT",
            "_dmarc.com TXT"
        )
        var assessment: MailAssessment?
        for _ in 0..<10 where assessment == nil {
            connection.executor.run()
            assessment = transaction.assessment
        }
        // SPF has nothing to vouch with, so that nobody waits for its domain.
        #expect(assessment?.words == "none pass pass pass pass pass")
        #expect(connection.resolver.cancelled == ["_dmarc.bounce.example.com TXT"])
    }

    @Test(
        "one missing answer is enough to wait, and the rest counts when it does not come in time",
        arguments: [
            // What never comes, and the results after the deadline.
            ("1.2.0.192.in-addr.arpa PTR", "pass pass pass pass pass temperror"),
            ("mail.example.com TXT", "pass temperror pass pass pass pass"),
            // RFC 9989 § 5.3: an aligned signature passes without SPF.
            ("example.com TXT", "temperror pass temperror pass pass pass"),
            ("s._domainkey.example.com TXT", "pass pass pass temperror pass pass"),
            ("_dmarc.example.com TXT", "pass pass pass pass temperror pass"),
        ]
    )
    func expires(_ missing: String, _ expected: String) throws {
        let connection = Connection(try Sample.zone())
        connection.client.greet("mail.example.com".utf8, now: Sample.now)
        let transaction = connection.mail()
        for field in try Sample.signed(["From: a@example.com"]) { transaction.header(field) }
        transaction.end()
        let others = [
            "1.2.0.192.in-addr.arpa PTR", "mail.example.com A", "mail.example.com TXT", "example.com TXT",
            "s._domainkey.example.com TXT", "_dmarc.example.com TXT", "_dmarc.com TXT",
        ]
        for question in others where question != missing { connection.resolver.release(question) }
        connection.executor.run()
        #expect(transaction.assessment == nil)
        transaction.expire()
        var assessment: MailAssessment?
        for _ in 0..<10 where assessment == nil {
            connection.executor.run()
            assessment = transaction.assessment
        }
        #expect(assessment?.words == expected)
        #expect(Set(connection.resolver.cancelled) == [missing])
    }

    @Test("without any answer in time, all that was asked is temperror (RFC 8601 § 2.7)")
    func expiresWhole() throws {
        let connection = Connection(try Sample.zone())
        connection.client.greet("mail.example.com".utf8, now: Sample.now)
        let transaction = connection.mail()
        for field in try Sample.signed(["From: a@example.com"]) { transaction.header(field) }
        transaction.end()
        transaction.expire()
        var assessment: MailAssessment?
        for _ in 0..<10 where assessment == nil {
            connection.executor.run()
            assessment = transaction.assessment
        }
        #expect(assessment?.words == "temperror temperror temperror temperror temperror temperror")
    }

    @Test("giving up a message leaves what belongs to its connection")
    func cancel() throws {
        let connection = Connection(try Sample.zone())
        connection.client.greet("mail.example.com".utf8, now: Sample.now)
        let transaction = connection.mail()
        for field in try Sample.signed(["From: a@example.com"]) { transaction.header(field) }
        transaction.endOfHeaders()
        connection.executor.run()
        transaction.cancel()
        connection.executor.run()
        // SPF and Sender ID ask the same.
        #expect(
            connection.resolver.cancelled == [
                "_dmarc.com TXT", "_dmarc.example.com TXT", "example.com TXT", "example.com TXT",
                "s._domainkey.example.com TXT",
            ]
        )
        connection.client.cancel()
        connection.executor.run()
        #expect(connection.resolver.cancelled.count == 7)
    }

    @Test("several messages on a connection: its address and name are asked about once")
    func severalMessages() throws {
        let connection = Connection(try Sample.zone())
        connection.resolver.releaseAll()
        connection.client.greet("mail.example.com".utf8, now: Sample.now)
        connection.executor.run()
        let ofConnection: Set = ["1.2.0.192.in-addr.arpa PTR", "mail.example.com A", "mail.example.com TXT"]
        #expect(Set(connection.resolver.newQuestions()) == ofConnection)
        for sender in ["a@example.com", "b@example.com"] {
            connection.client.greet("mail.example.com".utf8, now: Sample.now)
            let transaction = connection.mail(sender)
            transaction.header("From: a@example.com")
            transaction.end()
            #expect(connection.finish(transaction)?.words == "pass pass pass none pass pass")
            // The question of SPF and of Sender ID counts once, and those of the connection come first.
            let lookups = transaction.lookups.map { "\($0.question)" }
            #expect(Set(lookups.prefix(3)) == ofConnection)
            #expect(lookups.filter { $0 == "example.com TXT" }.count == 1)
            let asked = connection.resolver.newQuestions()
            #expect(asked.contains("example.com TXT"))
            #expect(!asked.contains("mail.example.com TXT"))
            #expect(!asked.contains("1.2.0.192.in-addr.arpa PTR"))
        }
    }

    @Test("another name is another identity (RFC 7208 § 2.3), the same one again is not")
    func anotherName() throws {
        let connection = Connection(try Sample.zone())
        _ = connection.questions()
        let greet = { (name: String) in connection.questions { connection.client.greet(name.utf8, now: Sample.now) } }
        #expect(greet("one.example") == ["one.example TXT"])
        #expect(greet("one.example") == [])
        #expect(greet("two.example") == ["two.example TXT"])
        #expect(connection.resolver.cancelled == ["one.example TXT"])
        #expect(greet("one.example") == ["one.example TXT"])
    }

    @Test("several From fields: the policy of all their domains is looked for (RFC 9989 § 5.3.1)")
    func severalFroms() throws {
        let connection = Connection(try Sample.zone("_dmarc.other.example TXT v=DMARC1; p=quarantine"))
        let transaction = connection.mail()
        _ = connection.questions()
        #expect(
            connection.questions { transaction.header("From: a@other.example") }
                == ["_dmarc.other.example TXT", "_dmarc.example TXT"]
        )
        #expect(connection.questions { transaction.header("From: b@example.com") } == [])
        let asked = connection.questions { transaction.endOfHeaders() }
        #expect(asked.contains("_dmarc.other.example TXT"))
        transaction.endOfBody()
        let assessment = connection.finish(transaction)
        // One of the domains asks for more than the others, and does not vouch.
        #expect(assessment?.dmarc?.result == .fail)
        #expect(assessment?.author?.domains.map(\.description) == ["other.example", "example.com"])
    }

    @Test("the envelope is assessed before DATA, as far as answers came")
    func envelope() throws {
        let connection = Connection(try Sample.zone())
        connection.client.greet("mail.example.com".utf8, now: Sample.now)
        let transaction = connection.mail()
        connection.executor.run()
        #expect(transaction.envelopeAssessment.words == "- - - - - -")
        connection.resolver.release("example.com TXT")
        connection.executor.run()
        #expect(transaction.envelopeAssessment.words == "pass - - - - -")
        #expect(transaction.openEnvelopeChecks != nil)
        connection.resolver.releaseAll()
        connection.executor.run()
        #expect(transaction.envelopeAssessment.words == "pass pass - - - pass")
        #expect(transaction.openEnvelopeChecks == nil)
    }

    @Test("RFC 4405 § 4.2: a SUBMITTER that is not the PRA is no pass")
    func submitter() throws {
        let zone = try Sample.zone()
        let client = MailClient(address: Sample.client, settings: AuthenticationSettings(), resolver: zone)
        let transaction = MailTransaction(
            client: client,
            sender: "a@example.com".utf8,
            submitter: Array("other@example.com".utf8),
            resolver: zone,
            now: Sample.now
        )
        transaction.header("From: a@example.com")
        transaction.end()
        #expect(transaction.assessment?.senderID?.problem == "SUBMITTER does not match the header")
    }
}
