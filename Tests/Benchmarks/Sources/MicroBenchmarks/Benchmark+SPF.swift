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
            let evaluator = SPFEvaluator(resolver: try Sample.zone())
            guard let client = IPAddress(Sample.client) else { throw UnexpectedResult(Sample.client) }
            let (sender, helo) = (Octets("bounce@example.com"), Octets("mail.example.com"))
            return {
                let outcome = await evaluator.checkMailFrom(
                    sender,
                    helo: helo,
                    clientAddress: client,
                    now: Sample.now
                )
                guard outcome.result == .pass else { throw UnexpectedResult(outcome) }
            }
        },
        Benchmark("dmarc-discover") {
            let evaluator = DMARCEvaluator(resolver: try Sample.zone())
            let domain = try DomainName("example.com")
            return { use(await evaluator.discover(domain)) }
        },
    ]
}
