internal import AuthenticationResults
internal import DKIM
internal import DMARC
internal import DNSLookup
internal import DNSResolver
internal import MailAuthentication
internal import MailSyntax
internal import Policy
internal import PosternConfiguration
internal import SPF

/// Judges an input as a message, from a client that may send for `example.com` and from one that may not: nothing passes
/// that nobody vouches for, a clear author is what every pass rests on, and what is stamped reads back as it was found.
func fuzzMessage(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let message = StoredMessage(unsafe input(start, count)[...])
    let authors = message.headers.count { $0.name.equalsIgnoringCase("From") }
    for client in [Client.stranger, .known] {
        let judgement = judge(message, from: client)
        let assessment = judgement.assessment
        let (author, dmarc) = (assessment.author, assessment.dmarc?.result)
        Outcomes.count("\(client) dmarc=\(dmarc?.rawValue ?? "-") author=\(author?.reading.rawValue ?? "-")")
        for signature in assessment.dkim ?? [] {
            Outcomes.count("dkim=\(signature.result.rawValue)")
            expect(signature.result != .pass, "a signature by nobody")
        }
        expect((assessment.spf?.result == .pass) == (client == .known))
        if dmarc == .pass {
            expect(client == .known && authors == 1 && author?.reading != .unreadable, "no clear author")
            expect(author?.authorDomain?.isEqualOrSubdomain(of: Judge.domain) == true, "another's mail")
        }
        if author?.reading == .unreadable { expect(judgement.verdict.action == .reject, "nobody's mail") }
        if judgement.verdict.action == .accept { expect(dmarc == .pass) }
        check(judgement)
    }
    return 0
}

private enum Client { case stranger, known }

private enum Judge {
    static let domain: DomainName = {
        guard let name = try? DomainName("example.com") else { fatalError("no name") }
        return name
    }()

    static let zone: DNSZone = {
        do { return try ZoneFile.load(path: "zone") } catch { fatalError("\(error)") }
    }()

    static let settings = {
        var settings = HeaderSettings(authservID: Octets("mx.example.org"))
        settings.receivedSPF = true
        settings.authResult = true
        settings.keepRemoved = true
        return settings
    }()

    /// Refuses who cannot be read, and flags what does not pass.
    static let engine: PolicyEngine = {
        let rules = """
            mode = "enforce"
            [[rules]]
            name = "author"
            when = { author = "unreadable" }
            action = "reject"
            [[rules]]
            name = "rest"
            when = { dmarc = "!pass" }
            action = "junk"
            """
        do {
            let configuration = try Configuration.parse(rules, file: "fuzz.toml")
            return PolicyEngine(rules: configuration.rules, mode: configuration.mode)
        } catch {
            fatalError("\(error)")
        }
    }()
}

private func judge(_ message: StoredMessage, from client: Client) -> Judgement {
    let envelope = Envelope(
        clientAddress: IPAddress(client == .known ? "192.0.2.1" : "203.0.113.9"),
        helo: Array("mail.example.com".utf8),
        sender: Array("a@example.com".utf8),
        recipients: [Array("b@example.net".utf8)]
    )
    let peer = MailClient(address: envelope.clientAddress, settings: AuthenticationSettings(), resolver: Judge.zone)
    peer.greet(envelope.helo, now: 1_700_000_000)
    let transaction = MailTransaction(
        client: peer,
        sender: envelope.sender,
        resolver: Judge.zone,
        now: 1_700_000_000
    )
    for field in message.headers { transaction.header(name: field.label, value: field.value) }
    transaction.endOfHeaders()
    unsafe message.body.withUnsafeBytes { unsafe transaction.body($0) }
    transaction.endOfBody()
    guard case .complete(let assessment) = transaction.advance() else { fatalError("an answer is missing") }
    return Judgement(
        assessment,
        envelope: envelope,
        verdict: Judge.engine.judge(assessment.facts(envelope), Judge.engine.kinds(of: envelope.addresses)),
        headers: message.headers,
        review: HeaderReview(ForgedFields(message.headers, Judge.settings)),
        settings: Judge.settings,
        lookups: transaction.lookups
    )
}

/// What is stamped says what was found, in one field that is known as ours; and whatever is told, can be told.
private func check(_ judgement: Judgement) {
    var results = 0
    for field in judgement.newFields {
        expect(!field.value.contains { $0 == 0x0D || $0 == 0 }, "an octet that ends a field")
        let lines = field.value.split(separator: 0x0A, omittingEmptySubsequences: false)
        expect(lines.dropFirst().allSatisfy { $0.first == 0x20 || $0.first == 0x09 }, "a line of its own")
        guard field.name == "Authentication-Results" else { continue }
        results += 1
        expect(AuthenticationResultsField.belongs(to: Judge.settings.authservID, value: field.value[...]))
        guard let read = try? AuthenticationResultsField(parsing: field.value[...]) else {
            fatalError("results that cannot be read")
        }
        func words(_ method: String) -> [String] {
            read.results.filter { $0.method == method }.map(\.result)
        }
        expect(words("dmarc") == [judgement.assessment.dmarc?.result.rawValue ?? "none"], "another DMARC result")
        expect(!words("dkim").contains("pass"), "another DKIM result")
    }
    expect(results == 1)
    _ = judgement.text(withTrace: true)
    _ = JudgementReport(judgement, withTrace: true)
}
