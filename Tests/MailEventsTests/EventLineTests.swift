import DNSLookup
import FoundationEssentials
import MailAuthentication
import MailEvents
import MailSyntax
import Policy
import TestSupport
import Testing

/// A message, and where it comes from.
struct EventCase: CustomTestStringConvertible, Sendable {
    let testDescription: String
    var client = "192.0.2.1"
    var helo = "mail.example.com"
    var sender = "a@example.com"
    var recipients = ["b@example.net"]
    var fields = ["From: a@example.com"]

    static let all = [
        EventCase(testDescription: "all passes"),
        EventCase(testDescription: "the client is not permitted", client: "198.51.100.7"),
        EventCase(testDescription: "the null sender", sender: ""),
        EventCase(testDescription: "no address of the client", client: ""),
        EventCase(testDescription: "IPv6", client: "2001:db8::1"),
        EventCase(testDescription: "no author", fields: ["Subject: x"]),
        EventCase(
            testDescription: "two authors",
            fields: ["From: a@example.com, b@strict.example", "Sender: a@example.com"]
        ),
        EventCase(testDescription: "two From fields", fields: ["From: a@example.com", "From: b@strict.example"]),
        EventCase(testDescription: "an unreadable author", fields: ["From: \"a <a@example.com>"]),
        EventCase(testDescription: "no answer for the author", fields: ["From: a@silent.example"]),
        EventCase(testDescription: "no answer for the sender", sender: "a@silent.example"),
        EventCase(testDescription: "a record without a policy", fields: ["From: a@odd.example"]),
        EventCase(testDescription: "an author without a record", fields: ["From: a@none.example"]),
        EventCase(
            testDescription: "a signature that cannot be read",
            fields: ["DKIM-Signature: v=1", "From: a@example.com"]
        ),
        EventCase(
            testDescription: "a signature without a key",
            fields: [
                "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=no; h=from; bh=AAAA; b=AAAA",
                "From: a@example.com",
            ]
        ),
        EventCase(
            testDescription: "hostile octets",
            helo: "\u{1B}[2J\"\\\u{0}é",
            sender: "\"a\\\"\u{7}\"@example.com",
            recipients: ["\"@\"@b.example", "postmaster", "ü@b.example"],
            fields: ["From: \"\u{2028}\\\"\" <a@example.com>", "Message-ID: <\"\\\u{1}@x>"]
        ),
        EventCase(
            testDescription: "a domain of odd octets",
            sender: "a@b\\c.example",
            fields: ["From: a@b\"c.example"]
        ),
        EventCase(
            testDescription: "an international domain",
            sender: "a@bücher.example",
            fields: ["From: a@bücher.example"]
        ),
    ]

    func judgement() async throws -> Judgement {
        var zone = DNSZone()
        for (name, text) in [
            ("example.com", "v=spf1 ip4:192.0.2.1 exp=why.example.com -all"),
            ("why.example.com", "No \"mail\" of %{l}"),
            (
                "_dmarc.example.com",
                "v=DMARC1; p=reject; sp=none; adkim=s; fo=1:d; rua=mailto:r@example.com!10m, mailto:x@y"
            ),
            ("_dmarc.odd.example", "v=DMARC1; p=odd; rua=mailto:r@odd.example; t=y; psd=n"),
        ] { zone.add(.txt(Array(text.utf8)), at: try DomainName(name)) }
        let judge = MessageJudge(
            settings: AuthenticationSettings(),
            headers: HeaderSettings(authservID: Octets("mx.example.org")),
            engine: PolicyEngine(rules: RuleSet(), mode: .enforce),
            resolver: SilentZone(zone: zone),
            timeout: .seconds(60)
        )
        let message = StoredMessage(Octets(fields.joined(separator: "\r\n") + "\r\n\r\nHello\r\n"))
        return await judge.judge(envelope, message: message, now: 1_700_000_000)
    }

    var envelope: Envelope {
        Envelope(
            clientAddress: IPAddress(client),
            helo: Array(helo.utf8),
            sender: Array(sender.utf8),
            recipients: recipients.map { Array($0.utf8) }
        )
    }
}

/// A zone whose `silent.example` gets no answer.
struct SilentZone: DNSResolving {
    let zone: DNSZone

    func lookUp(_ question: DNSQuestion) async -> DNSReply {
        guard let silent = try? DomainName("silent.example"), !question.name.isEqualOrSubdomain(of: silent) else {
            return DNSReply(.failure(.timeout), source: .server)
        }
        return await zone.lookUp(question)
    }
}

@Suite("Events")
struct EventLineTests {
    static func form(_ addresses: MailEvent.Addresses = .full) -> EventForm {
        EventForm(host: "mx.example.org", addresses: addresses, hasCleanAnswers: true, hasUncleanAnswers: true)
    }

    /// A line in room that had another line.
    static func line(_ write: (inout JSONText) -> Void) -> [UInt8] {
        var text = JSONText()
        form().write(signedBy: [], unsigned: "nothing", removed: 0, Transcript(), to: &text)
        write(&text)
        return Array(text.octets)
    }

    /// The line of a message of our own.
    private static func own(_ transcript: Transcript) -> [UInt8] {
        line { form().write(signedBy: [], unsigned: nil, removed: 0, transcript, to: &$0) }
    }

    static func event(_ line: [UInt8]) throws -> MailEvent {
        #expect(line.last == .lf && line.dropLast().allSatisfy { $0 >= 0x20 && $0 != 0x7F })
        return try JSONDecoder().decode(MailEvent.self, from: Data(line))
    }

    @Test("the facts of an event are those that the rules had", arguments: EventCase.all)
    func facts(of message: EventCase) async throws {
        let judgement = try await message.judgement()
        var transcript = Transcript()
        transcript.envelope = message.envelope
        let event = try Self.event(
            Self.line { Self.form().write(judgement, transcript, isClean: true, problem: nil, to: &$0) }
        )
        var expected = judgement.assessment.facts(message.envelope)
        // What is no UTF-8 is not told apart.
        expected.mailFrom = MailAddress(message.envelope.sender[...].text)
        #expect(String(reflecting: try PolicyFacts(event)) == String(reflecting: expected))
        #expect(event.rcptTo == message.recipients)
        #expect(event.dns.answers?.count == judgement.lookups.count)
    }

    @Test("a seal is told; without one, the event has no member for it")
    func seal() async throws {
        let judgement = try await EventCase.all[0].judgement()
        var transcript = Transcript()
        let plain = Self.line { Self.form().write(judgement, transcript, isClean: true, problem: nil, to: &$0) }
        #expect(!String(decoding: plain, as: UTF8.self).contains("sealed"))
        #expect(try Self.event(plain).sealed == nil)
        let (domain, selector) = (try DomainName("example.org"), try DomainName("2026a"))
        transcript.seal = Transcript.Seal(domain: domain, selector: selector, instance: 2, status: "pass")
        let line = Self.line { Self.form().write(judgement, transcript, isClean: true, problem: nil, to: &$0) }
        let seal = try Self.event(line).sealed
        #expect(seal?.domain == "example.org" && seal?.selector == "2026a" && seal?.instance == 2 && seal?.cv == "pass")
    }

    @Test("without local parts, no text of an event has one", arguments: EventCase.all)
    func domainsAlone(of message: EventCase) async throws {
        var message = message
        message.sender = message.sender.replacing("a@", with: "hidden@")
        message.recipients = ["hidden@example.net", "hidden"]
        message.fields = message.fields.map { $0.replacing(" a@", with: " hidden@") } + ["Message-ID: <hidden@x>"]
        let judgement = try await message.judgement()
        var transcript = Transcript()
        transcript.envelope = message.envelope
        transcript.login = Array("hidden".utf8)
        transcript.messageID = Octets("<hidden@x>")
        let line = Self.line {
            Self.form(.domains).write(judgement, transcript, isClean: false, problem: nil, to: &$0)
        }
        #expect(!String(decoding: line, as: UTF8.self).contains("hidden"))
        #expect(try Self.event(line).rcptTo == ["@example.net", "@"])
    }

    @Test("the relay that passed a message on, and none", arguments: Relay.State.allCases)
    func relay(_ state: Relay.State) async throws {
        let judgement = try await EventCase.all[0].judgement()
        var transcript = Transcript()
        transcript.envelope = EventCase.all[0].envelope
        let direct = Self.line { Self.form().write(judgement, transcript, isClean: true, problem: nil, to: &$0) }
        #expect(try MailEvent(line: direct.dropLast()).relay == nil)
        transcript.envelope.relay = IPAddress("198.51.100.2").map { Relay(address: $0, state: state) }
        let line = Self.line { Self.form().write(judgement, transcript, isClean: true, problem: nil, to: &$0) }
        let event = try Self.event(line)
        #expect(event.relay == MailEvent.Relay(ip: "198.51.100.2", state: state.rawValue))
        #expect(try MailEvent(line: line.dropLast()) == event)
        #expect(event.client.ip == "192.0.2.1")
    }

    @Test("mail of our own, and mail that nobody judged")
    func others() throws {
        var transcript = Transcript()
        transcript.time = 1_795_737_600_023
        transcript.queueID = Array("4XyZ1".utf8)
        let own = try Self.event(
            Self.line {
                Self.form().write(signedBy: ["example.com/2026r"], unsigned: nil, removed: 1, transcript, to: &$0)
            }
        )
        #expect(own.direction == .outbound && own.verdict.action == "sign" && own.signed == ["example.com/2026r"])
        #expect(own.time == 1_795_737_600.023 && own.id == "4XyZ1" && own.verdict.removed == 1)
        let unjudged = try Self.event(
            Self.line {
                Self.form().write(
                    unjudged: "accept",
                    would: "reject",
                    problem: "x",
                    removed: 0,
                    .inbound,
                    transcript,
                    to: &$0
                )
            }
        )
        #expect(unjudged.verdict.would?.action == "reject" && unjudged.verdict.would?.rule == nil)
        #expect(unjudged.problem == "x" && unjudged.spf == nil && unjudged.facts == nil)
    }

    @Test("a long text is cut, and every octet is a text")
    func texts() throws {
        var transcript = Transcript()
        for octet in UInt8.min...UInt8.max {
            transcript.queueID = [UInt8(ascii: "a"), octet] + Array(repeating: octet, count: 9)
            let event = try Self.event(Self.own(transcript))
            #expect(event.id == transcript.queueID?[...].text)
        }
        transcript.queueID = Array(repeating: UInt8(ascii: "x"), count: 5000)
        let event = try Self.event(Self.own(transcript))
        #expect(event.id?.utf8.count == 2048)
    }
}
