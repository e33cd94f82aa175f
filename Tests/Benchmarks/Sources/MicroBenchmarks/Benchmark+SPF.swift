import DMARC
import DNSLookup
import MailSyntax
import SPF

extension Benchmark {
    /// Records and their evaluation with every answer at hand.
    static let spf = [
        Benchmark("spf-record-read") {
            let text = Octets("v=spf1 ip4:198.51.100.0/24 a:relay.example.com include:_spf.example.net mx -all")
            return { use(try SPFRecord(parsing: text)) }
        },
        Benchmark("spf-evaluate") {
            let zone = try Sample.zone()
            guard let client = IPAddress(Sample.client) else { throw UnexpectedResult(Sample.client) }
            let (sender, helo) = (Octets("bounce@example.com"), Octets("mail.example.com"))
            return {
                let inquiry = SPFInquiry(mailFrom: sender, helo: helo, client: client, now: Sample.now)
                let outcome = await zone.outcome(of: inquiry)
                guard outcome.result == .pass else { throw UnexpectedResult(outcome) }
            }
        },
        Benchmark("dmarc-discover") {
            let zone = try Sample.zone()
            let author = AuthorIdentity.domain(try DomainName("example.com"), [])
            return { use(await zone.outcome(of: DMARCPolicyInquiry(of: author))) }
        },
    ]
}
