import DMARC
import MailSyntax
import Testing

@testable import AggregateReports

@Suite("Reports as mail")
struct ReportMessageTests {
    @Test("RFC 9990 §§ 3.1.4, 3.5.1, 3.5.2: the names of a report, the same whenever it is made")
    func identity() throws {
        let (identity, again) = (try ReportWriterTests.identity(), try ReportWriterTests.identity())
        #expect(identity.id == again.id && identity.id.utf8.count == 32)
        #expect(identity.id.utf8.allSatisfy { $0.hexValue != nil })
        #expect(identity.fileName == "mx.example.org!example.com!1795651200!1795737599!\(identity.id).xml.gz")
        #expect(identity.subject == "Report Domain: example.com Submitter: mx.example.org Report-ID: \(identity.id)")
        #expect(identity.messageID == "\(identity.id)@mx.example.org")
    }

    @Test("another day, policy, organization or host is another report")
    func unlike() throws {
        let policy = try PolicyConfiguration.sample()
        let other = try PolicyConfiguration.sample { $0.policy = .none }
        let identities = [
            ReportIdentity(organization: "A", address: "r@a.example", day: 1, policy: policy),
            ReportIdentity(organization: "A", address: "r@a.example", day: 2, policy: policy),
            ReportIdentity(organization: "A", address: "r@a.example", day: 1, policy: other),
            ReportIdentity(organization: "B", address: "r@a.example", day: 1, policy: policy),
            ReportIdentity(organization: "A", address: "r@b.example", day: 1, policy: policy),
        ]
        #expect(Set(identities.compactMap { $0?.id }).count == 5)
        for address in ["", "a", "@a.example", "a@", "a@b c"] {
            #expect(ReportIdentity(organization: "A", address: address, day: 1, policy: policy) == nil)
        }
    }

    @Test("RFC 5322, RFC 2045: the message")
    func message() throws {
        let identity = try ReportWriterTests.identity()
        let destination = try #require(ReportDestination("mailto:reports@example.com"))
        let message = ReportMessage(
            identity,
            file: Array(repeating: 0xFF, count: 100),
            to: destination,
            date: 1_795_739_400
        )
        let text = String(decoding: message.octets, as: UTF8.self)
        let header = """
            From: "Example & <Org>" <reports@mx.example.org>
            To: <reports@example.com>
            Subject: Report Domain: example.com
             Submitter: mx.example.org
             Report-ID: ID
            Date: Fri, 27 Nov 2026 00:30:00 +0000
            Message-ID: <ID@mx.example.org>
            Auto-Submitted: auto-generated
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary="report-ID"
            """
        let wanted = header.replacing("ID", with: identity.id).replacing("Message-\(identity.id)", with: "Message-ID")
            .replacing("Report-\(identity.id)", with: "Report-ID")
        #expect(text.replacing("\r\n", with: "\n").hasPrefix(wanted + "\n\n--report-"))
        #expect(text.contains("Content-Disposition: attachment;\r\n filename=\"\(identity.fileName)\"\r\n"))
        #expect(text.hasSuffix("/w==\r\n--report-\(identity.id)--\r\n"))
    }

    @Test(
        "RFC 5322 § 2.1.1: no line is too long, whatever the names",
        arguments: [
            "Example", "\"\\\"", String(repeating: "a", count: 1_000), String(repeating: "ü", count: 500),
            "a\r\nBcc: x", "😀\u{0}",
        ]
    )
    func lines(organization: String) throws {
        let name = try DomainName((0..<4).map { _ in String(repeating: "a", count: 62) }.joined(separator: "."))
        let address = "r@\(name)"
        let policy = try PolicyConfiguration.sample { $0.domain = name }
        let identity = try #require(
            ReportIdentity(organization: organization, address: address, day: 1, policy: policy)
        )
        let destination = try #require(ReportDestination("mailto:%C3%BC@example.com"))
        let message = ReportMessage(identity, file: [1], to: destination, date: 0)
        let lines = message.octets.split(separator: .lf, omittingEmptySubsequences: false).dropLast()
        #expect(lines.allSatisfy { $0.count <= 999 && $0.last == .cr && !$0.dropLast().contains(.cr) })
        #expect(lines.first { $0.starts(with: "Bcc".utf8) } == nil && destination.isInternational)
    }

    @Test(
        "RFC 5322 § 3.3: dates",
        arguments: [
            (0, "Thu, 1 Jan 1970 00:00:00 +0000"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 +0000"), (1_709_251_200, "Fri, 1 Mar 2024 00:00:00 +0000"),
            (1_798_761_599, "Thu, 31 Dec 2026 23:59:59 +0000"), (4_102_444_800, "Fri, 1 Jan 2100 00:00:00 +0000"),
            (4_107_542_400, "Mon, 1 Mar 2100 00:00:00 +0000"),
        ]
    )
    func dates(seconds: Int64, text: String) {
        #expect(UnixTime(seconds).mailDate == text)
    }
}
