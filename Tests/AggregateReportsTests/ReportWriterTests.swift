import DMARC
import MailEvents
import MailSyntax
import Testing

@testable import AggregateReports

@Suite("Reports as XML")
struct ReportWriterTests {
    static func identity(_ change: (inout PolicyConfiguration) -> Void = { _ in }) throws -> ReportIdentity {
        let policy = try PolicyConfiguration.sample(change)
        return try #require(
            ReportIdentity(
                organization: "Example & <Org>",
                address: "reports@mx.example.org",
                day: 20_783,
                policy: policy
            )
        )
    }

    @Test("RFC 9990 § 3.1.1: a report with every element, in the order of the tables")
    func document() throws {
        let identity = try Self.identity { policy in
            policy.nonexistentSubdomainPolicy = .quarantine
            policy.problem = "1 of 2 addresses in rua cannot be used"
        }
        let writer = try ReportWriter(identity, errors: ["12 messages are in folded rows"], generator: "Postern 0.1.0")
        var record = try MailEvent.record { $0.fail("junk") }
        record.signatures[0].humanResult = "<\u{FFFD}ü>"
        try writer.append(record, count: 3)
        let text = String(decoding: try inflated(try writer.finish()), as: UTF8.self)
        #expect(text == Self.expected.replacing("ID", with: identity.id))
    }

    private static let expected = """
        <?xml version="1.0" encoding="UTF-8"?>
        <feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">
        <version>1.0</version>
        <report_metadata><org_name>Example &amp; &lt;Org&gt;</org_name>
        <email>reports@mx.example.org</email>
        <report_id>ID</report_id>
        <date_range><begin>1795651200</begin>
        <end>1795737599</end>
        </date_range>
        <error>1 of 2 addresses in rua cannot be used; 12 messages are in folded rows</error>
        <generator>Postern 0.1.0</generator>
        </report_metadata>
        <policy_published><domain>example.com</domain>
        <discovery_method>treewalk</discovery_method>
        <p>reject</p>
        <sp>reject</sp>
        <np>quarantine</np>
        <fo>0</fo>
        <adkim>r</adkim>
        <aspf>r</aspf>
        <testing>n</testing>
        </policy_published>
        <record><row><source_ip>192.0.2.1</source_ip>
        <count>3</count>
        <policy_evaluated><disposition>quarantine</disposition>
        <dkim>fail</dkim>
        <spf>fail</spf>
        <reason><type>local_policy</type>
        <comment>dmarc-fail</comment>
        </reason>
        </policy_evaluated>
        </row>
        <identifiers><header_from>example.com</header_from>
        <envelope_from>example.com</envelope_from>
        </identifiers>
        <auth_results><dkim><domain>example.com</domain>
        <selector>2026r</selector>
        <result>pass</result>
        <human_result>&lt;&#65533;&#252;&gt;</human_result>
        </dkim>
        <spf><domain>example.com</domain>
        <scope>mfrom</scope>
        <result>pass</result>
        </spf>
        </auth_results>
        </record>
        </feedback>

        """

    @Test(
        "XML 1.0 § 2.2: characters that it has not are replaced",
        arguments: [
            ("\u{0}", "&#65533;"), ("\u{1B}", "&#65533;"), ("\r", "&#65533;"), ("\u{FFFE}", "&#65533;"),
            ("\t\n", "\t\n"),
            ("]]>", "]]&gt;"), ("\u{7F}\u{85}", "\u{7F}&#133;"), ("\u{1F600}", "&#128512;"), ("&amp;", "&amp;amp;"),
        ]
    )
    func characters(text: String, written: String) {
        var xml = XMLText()
        xml.element("x", text)
        #expect(String(decoding: xml.octets, as: UTF8.self) == "<x>\(written)</x>\n")
    }

    @Test("the same rows give the same octets, IPv6 is told, and ten thousand rows are held compressed")
    func repeated() throws {
        let identity = try Self.identity()
        func file() throws -> [UInt8] {
            let writer = try ReportWriter(identity, generator: "g")
            for number in 0..<UInt64(ReportBounds.rows) {
                let source = IPAddress.v6(IPv6Address(high: 0x2001_0DB8_0000_0000, low: number))
                let record = ReportRecord(
                    source: source,
                    disposition: .none,
                    isDKIMAligned: false,
                    isSPFAligned: false,
                    headerFrom: "example.com"
                )
                try writer.append(record, count: Int(number) + 1)
            }
            #expect(writer.rows == ReportBounds.rows)
            return try writer.finish()
        }
        let first = try file()
        #expect(try first == file())
        let text = String(decoding: try inflated(first), as: UTF8.self)
        #expect(text.contains("<source_ip>2001:db8::270f</source_ip>\n<count>10000</count>"))
        #expect(text.utf8.count > 10 * first.count)
    }

    @Test("an error does not grow with the record")
    func error() throws {
        let document = ReportDocument(
            try Self.identity(),
            errors: [String(repeating: "x", count: 100_000)],
            generator: "g"
        )
        #expect(document.opening.count < 4_000)
    }
}
