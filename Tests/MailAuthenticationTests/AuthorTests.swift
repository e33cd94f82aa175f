import DMARC
import DNSLookup
import MailAuthentication
import MailSyntax
import Policy
import SPF
import SenderID
import TestSupport
import Testing

/// Tests/Vectors/authors.json.
@Suite("Authors of all shapes")
struct AuthorTests {
    private static func zone() throws -> DNSZone {
        var zone = DNSZone()
        for line in [
            "example.org TXT v=spf1 ip4:192.0.2.1 -all", "_dmarc.example.org TXT v=DMARC1; p=reject",
            "_dmarc.bank.example TXT v=DMARC1; p=reject",
        ] { try zone.add(line) }
        return zone
    }

    private static func assess(_ fields: [(String, String)]) throws -> MailAssessment {
        let zone = try zone()
        let client = MailClient(address: Sample.client, settings: AuthenticationSettings(), resolver: zone)
        let transaction = MailTransaction(client: client, sender: "x@example.org".utf8, resolver: zone, now: Sample.now)
        for (name, value) in fields { transaction.header(name: Octets(name), value: Octets(value)) }
        transaction.end()
        return try #require(transaction.assessment)
    }

    @Test("DMARC, Sender ID, rules and log read each From in one way")
    func table() throws {
        let vectors = try AuthorVector.all()
        #expect(vectors.count > 80)
        for vector in vectors {
            let assessment = try Self.assess([("From", vector.from)])
            let (facts, summary) = (assessment.facts(Sample.envelope()), assessment.summary)
            let what = Comment(rawValue: "\(vector.from.debugDescription): \(vector.why)")
            #expect(assessment.author?.reading.rawValue == vector.author, what)
            #expect(facts.author?.rawValue == vector.author, what)
            #expect(summary.reading?.rawValue == vector.author, what)
            #expect(assessment.dmarc?.result.rawValue == vector.dmarc, what)
            #expect(assessment.senderID?.pra == vector.pra, what)
            #expect(assessment.senderID?.result == .permerror || vector.pra != nil, what)
            guard vector.author == "unreadable" else { continue }
            // No domain's policy is applied, and none is asked for.
            #expect(assessment.dmarc?.policy == nil && assessment.dmarc?.trace.isEmpty == true, what)
        }
    }

    @Test("Sender and Resent-From are read in the same way")
    func otherFields() throws {
        for vector in try AuthorVector.all() {
            for name in ["Sender", "Resent-From", "Resent-Sender"] {
                let assessment = try Self.assess([(name, vector.from), ("From", "a@bank.example")])
                guard !vector.from.isEmpty else { continue }
                #expect(assessment.senderID?.pra == vector.pra, "\(name): \(vector.from)")
            }
        }
    }

    @Test("a second From makes any author unreadable")
    func secondField() throws {
        for vector in try AuthorVector.all() where vector.author != "unreadable" {
            for fields in [[vector.from, "a@example.org"], ["a@example.org", vector.from]] {
                let assessment = try Self.assess(fields.map { ("From", $0) })
                #expect(assessment.author?.reading == .unreadable)
                #expect(assessment.dmarc?.result != .pass)
            }
        }
    }
}
