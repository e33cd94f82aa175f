import DKIM
import DNSLookup
import MailAuthentication
import MailCrypto
import MailEvents
import MailSyntax
import Policy

extension Benchmark {
    /// A message of 3 kB whose answers are at hand: all its checks, and the line that tells the ledger of it.
    static let message = [
        Benchmark("message", count: 50) {
            let judge = try messageJudge()
            return {
                let judgement = try judge()
                let summary = judgement.assessment.summary
                let results = [
                    summary.results.spf, summary.results.senderID, summary.results.dkim, summary.results.dmarc,
                ]
                guard results.allSatisfy({ $0?.rawValue == "pass" }), judgement.newFields.count > 1 else {
                    throw UnexpectedResult(summary)
                }
            }
        },
        Benchmark("event", count: 500) {
            let judgement = try messageJudge()()
            let form = EventForm(
                host: "mx.example.org",
                addresses: .full,
                hasCleanAnswers: false,
                hasUncleanAnswers: true
            )
            var transcript = Transcript()
            transcript.listener = "inet:8891@127.0.0.1"
            transcript.queueID = Array("4XyZ1abcdef".utf8)
            transcript.envelope = judgement.envelope
            transcript.messageID = Octets("<1.2.3@example.com>")
            transcript.octetCount = 3500
            var text = JSONText()
            return { [transcript] in
                form.write(judgement, transcript, isClean: true, problem: nil, to: &text)
                guard text.octets.count > 1000 else { throw UnexpectedResult(text.octets.count) }
            }
        },
    ]

    /// Judges the message, from its connection to the fields that are written.
    private static func messageJudge() throws -> () throws -> Judgement {
        let body = Sample.body(3000)
        let headers = try Sample.signedHeaders(Sample.signingKey(.rsa), body: body, body: .relaxed)
        let zone = try Sample.zone()
        let engine = PolicyEngine(rules: RuleSet(), mode: .enforce)
        let envelope = Envelope(
            clientAddress: IPAddress(Sample.client),
            helo: Array("mail.example.com".utf8),
            sender: Array("bounce@example.com".utf8),
            recipients: [Array("user@example.org".utf8)]
        )
        return {
            let transaction = begin(envelope, zone)
            for field in headers { transaction.header(name: field.name, value: field.value) }
            transaction.endOfHeaders()
            unsafe body.withUnsafeBytes { unsafe transaction.body($0) }
            transaction.endOfBody()
            guard case .complete(let assessment) = transaction.advance() else { throw UnexpectedResult("waiting") }
            let settings = HeaderSettings(authservID: Octets("mx.example.org"))
            return Judgement(
                assessment,
                envelope: envelope,
                verdict: engine.atEndOfMessage(assessment.facts(envelope), engine.kinds(of: envelope.addresses)),
                headers: transaction.headers,
                review: HeaderReview(ForgedFields(transaction.headers, settings)),
                settings: settings,
                lookups: transaction.lookups
            )
        }
    }

    private static func begin(_ envelope: Envelope, _ zone: AnsweringZone) -> MailTransaction {
        var settings = AuthenticationSettings()
        settings.checks = [.spf, .senderID, .dkim, .dmarc]
        let client = MailClient(address: envelope.clientAddress, settings: settings, resolver: zone)
        client.greet(envelope.helo, now: Sample.now)
        return MailTransaction(client: client, sender: envelope.sender, resolver: zone, now: Sample.now)
    }
}
