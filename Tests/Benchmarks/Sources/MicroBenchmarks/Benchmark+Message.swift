import DKIM
import DNSLookup
import MailAuthentication
import MailCrypto
import MailSyntax
import Policy

extension Benchmark {
    /// All checks of a message of 3 kB whose answers are at hand, from its connection to the fields that are written.
    static let message = [
        Benchmark("message", count: 50) {
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
                let judgement = Judgement(
                    assessment,
                    envelope: envelope,
                    verdict: engine.atEndOfMessage(assessment.facts(envelope), engine.kinds(of: envelope.addresses)),
                    headers: transaction.headers,
                    settings: HeaderSettings(authservID: Octets("mx.example.org")),
                    lookups: transaction.lookups
                )
                let summary = assessment.summary
                let results = [
                    summary.results.spf, summary.results.senderID, summary.results.dkim, summary.results.dmarc,
                ]
                guard results.allSatisfy({ $0?.rawValue == "pass" }), judgement.newFields.count > 1 else {
                    throw UnexpectedResult(summary)
                }
            }
        }
    ]

    private static func begin(_ envelope: Envelope, _ zone: AnsweringZone) -> MailTransaction {
        var settings = AuthenticationSettings()
        settings.checks = [.spf, .senderID, .dkim, .dmarc]
        let client = MailClient(address: envelope.clientAddress, settings: settings, resolver: zone)
        client.greet(envelope.helo, now: Sample.now)
        return MailTransaction(client: client, sender: envelope.sender, resolver: zone, now: Sample.now)
    }
}
