import DNSLookup
import MailSyntax
import TestSupport
import Testing

@testable import AggregateReports

@Suite("RFC 9990 § 4: destinations are verified")
struct DestinationVerificationTests {
    private static let permission = "blue.example._report._dmarc.red.example"
    private static let record = ["_dmarc.blue.example": "v=DMARC1; p=none"]

    private static let cases: [(domain: String, uri: String, zone: [String: String], outcome: String, why: String)] = [
        ("blue.example", "mailto:r@blue.example", [:], "own", "the domain itself"),
        ("blue.example", "mailto:r@mail.blue.example", record, "own", "below it, without a record of its own"),
        (
            "mail.blue.example", "mailto:r@blue.example", record, "own",
            "RFC 9989 § 4.10.2: the same Organizational Domain"
        ),
        ("a.blue.example", "mailto:r@b.blue.example", record, "own", "RFC 9989 § 4.10.2"),
        (
            "blue.example", "mailto:r@own.blue.example",
            record.merging(["_dmarc.own.blue.example": "v=DMARC1; psd=n"]) { $1 },
            "refused", "psd=n: an organization of its own"
        ),
        (
            "bank", "mailto:r@blue.bank", ["_dmarc.bank": "v=DMARC1; p=none; psd=y"], "refused",
            "the record of a public suffix, and an organization below it"
        ),
        ("blue.example", "mailto:r@red.example", [permission: "v=DMARC1"], "verified r@red.example", "step 8"),
        (
            "blue.example", "mailto:r@red.example", [permission: "v=DMARC1;"], "verified r@red.example",
            "step 6: a trailing ;"
        ),
        (
            "blue.example", "mailto:r@red.example", ["*._report._dmarc.red.example": "v=DMARC1"],
            "verified r@red.example", "a wildcard"
        ),
        (
            "blue.example", "mailto:r@red.example", [permission: "x\nv=DMARC1"], "verified r@red.example",
            "step 6: others are discarded"
        ),
        (
            "blue.example", "mailto:r@red.example", [permission: "v=DMARC1; rua=mailto:s@red.example!1k"],
            "verified s@red.example!1024", "step 9: an override"
        ),
        (
            "blue.example", "mailto:r@red.example", [permission: "v=DMARC1; rua=mailto:s@green.example"], "refused",
            "step 9: the override has another host"
        ),
        (
            "blue.example", "mailto:r@red.example",
            [permission: "v=DMARC1; rua=mailto:s@red.example,mailto:s@green.example"],
            "refused", "step 9: one of them has another host"
        ),
        (
            "blue.example", "mailto:r@red.example", [permission: "v=DMARC1; rua=https://red.example/"], "refused",
            "step 9: an override that cannot be used"
        ),
        (
            "blue.example", "mailto:r@red.example", [permission: "v=DMARC1; rua=mailto:v%25w@red.example"], "refused",
            "step 9: an override that asks for a way to another host"
        ),
        ("blue.example", "mailto:r@red.example", [:], "refused", "step 7: no record"),
        (
            "blue.example", "mailto:r@red.example", [permission: "v=spf1 -all"], "refused",
            "step 7: no record of this kind"
        ),
        ("blue.example", "mailto:r@red.example", [permission: "p=none; v=DMARC1"], "refused", "step 6: v first"),
        ("blue.example", "mailto:r@red.example", [permission: "v=DMARC2"], "refused", "step 6: another version"),
        ("blue.example", "mailto:r@red.example", [permission: "!"], "undecided", "step 5: no answer"),
        ("blue.example", "mailto:r@red.example", [permission: "@"], "refused", "aliases in a circle stay so"),
        (
            "blue.example", "mailto:r@red.example", ["_dmarc.blue.example": "!"], "undecided",
            "no answer about the domain"
        ),
        (
            "blue.example", "mailto:r@mail.blue.example", record.merging(["_dmarc.mail.blue.example": "!"]) { $1 },
            "undecided",
            "no answer about the destination"
        ),
        (
            Array(repeating: String(repeating: "a", count: 60), count: 4).joined(separator: "."),
            "mailto:r@red.example", [:],
            "refused", "step 4: too long a name"
        ),
    ]

    @Test("a destination is own, verified, refused, or undecided", arguments: cases.indices)
    func verification(index: Int) async throws {
        let (domain, uri, names, outcome, why) = Self.cases[index]
        let zone = try Self.zone(names)
        let inquiry = DestinationVerification(of: try DomainName(domain), try #require(ReportDestination(uri)))
        #expect(Self.word(try #require(zone.outcomeAtHand(of: inquiry))) == outcome, "\(why)")
        let waited = await Asked(zone).outcome(of: inquiry)
        #expect(Self.word(waited) == outcome, "\(why), waited for")
    }

    @Test("a destination in another domain costs no walk of its own")
    func questions() async throws {
        let asked = Asked(try Self.zone([:]))
        let destination = try #require(ReportDestination("mailto:r@red.example"))
        _ = await asked.outcome(of: DestinationVerification(of: try DomainName("blue.example"), destination))
        #expect(
            Set(asked.questions.map(\.name.description)) == ["_dmarc.blue.example", "_dmarc.example", Self.permission]
        )
    }

    private static func word(_ outcome: DestinationOutcome) -> String {
        switch outcome {
        case .own: "own"
        case .verified(let destination): "verified \(destination)"
        case .refused: "refused"
        case .undecided: "undecided"
        }
    }

    private static func zone(_ names: [String: String]) throws -> DNSZone {
        var zone = DNSZone()
        for (name, text) in names {
            let name = try DomainName(name)
            switch text {
            case "!": zone.add(failure: .timeout, at: name)
            case "@": zone.add(failure: .aliasLoop, at: name)
            default: for line in text.split(separator: "\n") { zone.add(.txt(Array(line.utf8)), at: name) }
            }
        }
        return zone
    }
}
