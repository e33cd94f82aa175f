import Foundation
import MailCrypto
import MailSyntax
import Testing

@testable import DKIM

@Suite("Diagnosis")
struct DiagnosisTests {
    struct Change: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var canonicalization: CanonicalizationPair
        var expected: [DKIMDiagnosis]
        var make: @Sendable (String) -> String

        init(
            _ name: String,
            _ header: Canonicalization = .relaxed,
            _ body: Canonicalization = .relaxed,
            _ expected: DKIMDiagnosis...,
            make: @escaping @Sendable (String) -> String
        ) {
            testDescription = name
            canonicalization = CanonicalizationPair(header: header, body: body)
            self.expected = expected
            self.make = make
        }
    }

    static let long = String(repeating: "x", count: 1200)

    static let message = [
        "From: A <a@example.org>", "To: b@example.net,", "\tc@example.net", "Subject: one two", "Date: today", "",
        "Hello", "", "..hidden", "-- ", long, "A", "", "",
    ].joined(separator: "\r\n")

    /// Replaces the first occurrence; a CR and its LF count as two.
    static func swap(_ old: String, _ new: String) -> @Sendable (String) -> String {
        { text in
            guard let range = text.range(of: old, options: .literal) else { return "not found: \(old)" }
            return text.replacingCharacters(in: range, with: new)
        }
    }

    /// Replaces every occurrence.
    static func swapAll(_ old: String, _ new: String) -> @Sendable (String) -> String {
        { $0.replacingOccurrences(of: old, with: new, options: .literal) }
    }

    static let footer = "_____\r\nlist mailing list\r\nlist@example.com\r\n"
    static let broken: String = long.prefix(998) + "\r\n " + long.dropFirst(998)
    static let brokenBySendmail: String = long.prefix(989) + "!\r\n " + long.dropFirst(989)
    static let banner = "CAUTION: external\r\n"
    static let longBanner: String = String(repeating: "CAUTION\r\n", count: 5) + "\r\n"

    static let changes: [Change] = [
        Change("footer", .relaxed, .relaxed, .footerAppended(octets: 46)) { $0 + footer },
        Change("footer under simple", .simple, .simple, .footerAppended(octets: 46)) { $0 + footer },
        Change("footer after an empty line", .relaxed, .relaxed, .footerAppended(octets: 48)) { $0 + "\r\n" + footer },
        Change("banner", .relaxed, .relaxed, .bannerAdded(octets: 19), make: swap("Hello", banner + "Hello")),
        Change("long banner", .relaxed, .relaxed, .bannerAdded(octets: 47), make: swap("Hello", longBanner + "Hello")),
        Change("white space", .relaxed, .simple, .trailingWhiteSpaceAdded, make: swap("A\r\n\r\n", "A \t\r\n\r\n")),
        Change("separator", .relaxed, .simple, .signatureSeparatorCut, make: swap("-- \r\n", "--\r\n")),
        Change("doubled CR", .relaxed, .simple, .lineEndsDoubled) { text in
            let parts = text.components(separatedBy: "\r\n\r\nHello")
            return parts[0] + "\r\n\r\nHello" + swapAll("\r\n", "\r\r\n")(parts.last ?? "")
        },
        Change("dot lost", .relaxed, .relaxed, .dotStuffing, make: swapAll("\n.", "\n")),
        Change("dot added", .relaxed, .relaxed, .dotStuffing, make: swapAll("\n.", "\n..")),
        Change("long line", .relaxed, .relaxed, .longLinesBroken, make: swap(long, broken)),
        Change("long line, Sendmail", .relaxed, .simple, .longLinesBroken, make: swap(long, brokenBySendmail)),
        Change("tag", .relaxed, .relaxed, .subjectTagged("[list]"), make: swap("Subject: ", "Subject: [list] ")),
        Change(
            "tag under simple",
            .simple,
            .simple,
            .subjectTagged("[a b]"),
            make: swap("Subject: ", "Subject: [a b] ")
        ),
        Change("tag inside", .relaxed, .relaxed, .subjectTagged("[list]"), make: swap("one two", "one [list] two")),
        Change("words", .relaxed, .relaxed, .subjectTagged("** SPAM **"), make: swap("one", "** SPAM ** one")),
        Change("fold changed", .simple, .simple, .headerRefolded, make: swap(",\r\n\tc", ",\r\n c")),
        Change("fold added", .simple, .simple, .headerRefolded, make: swap("one two", "one\r\n two")),
        Change("name changed", .simple, .simple, .fieldNameCase, make: swap("To: b", "TO: b")),
        Change(
            "second Subject",
            .relaxed,
            .relaxed,
            .fieldAdded("Subject"),
            make: swap("Date:", "Subject: x\r\nDate:")
        ),
        Change("another To", .relaxed, .relaxed, .fieldAdded("To"), make: swap("Date:", "To: x\r\nDate:")),
        Change("tag and footer", .relaxed, .relaxed, .subjectTagged("[list]"), .footerAppended(octets: 46)) {
            swap("Subject: ", "Subject: [list] ")($0) + footer
        },
        Change("no known change", .relaxed, .relaxed, make: swap("Hello", "Hallo")),
        Change("no known change of the header", .simple, .simple, make: swap("c@example", "d@example")),
    ]

    @Test("One known change is named", arguments: changes)
    func names(_ change: Change) throws {
        let key = try SigningTests.key(.rsa)
        var options = DKIMSigningOptions()
        options.canonicalization = change.canonicalization
        let value = try #require(try SigningTests.sign([UInt8](Self.message.utf8), [key], options).first)
        let changed = SigningTests.name + value + [0x0D, 0x0A] + [UInt8](change.make(Self.message).utf8)
        let outcome = try #require(Verification.outcomes(of: changed, zone: try SigningTests.zone([key])).first)
        #expect(outcome.result == .fail, "\(outcome.trace)")
        #expect(outcome.diagnoses == change.expected, "\(outcome.trace)")
        for diagnosis in change.expected { #expect(outcome.problem?.contains(diagnosis.description) == true) }
    }

    @Test("Which part differs is said")
    func parts() throws {
        let key = try SigningTests.key(.rsa)
        let value = try #require(try SigningTests.sign([UInt8](Self.message.utf8), [key]).first)
        for (old, new, problem) in [
            ("Hello", "Hallo", "body hash differs"),
            ("b@example.net", "z@example.net", "header hash differs"),
            ("t=1600000000", "t=1600000001", "header hash differs"),
        ] {
            let text = "DKIM-Signature:" + String(decoding: value, as: UTF8.self) + "\r\n" + Self.message
            let changed = [UInt8](Self.swap(old, new)(text).utf8)
            let outcome = try #require(Verification.outcomes(of: changed, zone: try SigningTests.zone([key])).first)
            #expect(outcome.problem == problem)
        }
    }

    @Test("A signer that saw LF for CRLF", arguments: ["Hello\n\nWorld\n", "Hello\n\nWorld"])
    func lineFeeds(_ signed: String) throws {
        let hash = String(decoding: Base64.encode(SHA256Hasher.digest(Array(signed.utf8))), as: UTF8.self)
        let value = " v=1; a=rsa-sha256; d=example.com; s=s; h=from; b=AAAA; bh=" + hash
        let signature = try DKIMSignature(HeaderField(name: Octets("DKIM-Signature"), value: Octets(value)))
        let diagnose = { (body: String) in
            var budget = DiagnosisBudget(octets: 100_000)
            return BodyDiagnosis(signature, body: Array(body.utf8)).diagnosis(&budget)
        }
        #expect(diagnose("Hello\r\n\r\nWorld\r\n") == .bodySignedWithLF)
        #expect(diagnose("Hello\r\n\r\nWorld!\r\n") == nil)
    }

    @Test("A body too long to be kept is not diagnosed, and still said to differ")
    func longBody() throws {
        let key = try SigningTests.key(.ed25519)
        let message = [UInt8](Self.message.utf8)
        let value = try #require(try SigningTests.sign(message, [key]).first)
        let changed = SigningTests.name + value + [0x0D, 0x0A] + message + [UInt8](Self.footer.utf8)
        var options = DKIMVerificationOptions()
        options.diagnosedBodyOctets = 1000
        let zone = try SigningTests.zone([key])
        let outcome = try #require(Verification.outcomes(of: changed, zone: zone, options: options, chunk: 300).first)
        #expect(outcome.problem == "body hash differs")
        #expect(Verification.outcomes(of: changed, zone: zone).first?.diagnoses == [.footerAppended(octets: 46)])
    }

    @Test("What is looked for costs no more octets than the budget, and nothing when there is none")
    func budget() throws {
        let key = try SigningTests.key(.rsa)
        let message = [UInt8](Self.message.utf8)
        let value = try #require(try SigningTests.sign(message, [key]).first)
        let changed = [UInt8](Self.swap("Subject: ", "Subject: [list] ")(Self.message).utf8) + [UInt8](Self.footer.utf8)
        let zone = try SigningTests.zone([key])
        var diagnoses = [Int: [DKIMDiagnosis]]()
        // An operation with the key counts as 16,384 octets; the header has about 700, the body about 1,300.
        for octets in [0, 16_000, 17_600, 100_000] {
            var options = DKIMVerificationOptions()
            options.diagnosisOctets = octets
            let stored = SigningTests.name + value + [0x0D, 0x0A] + changed
            let outcome = try #require(Verification.outcomes(of: stored, zone: zone, options: options).first)
            #expect(outcome.problem?.hasPrefix("header and body hash differ") == true)
            diagnoses[octets] = outcome.diagnoses
        }
        #expect(diagnoses[0] == [])
        #expect(diagnoses[16_000] == [.footerAppended(octets: 46)])
        #expect(diagnoses[17_600] == [.subjectTagged("[list]")])
        #expect(diagnoses[100_000] == [.subjectTagged("[list]"), .footerAppended(octets: 46)])
    }

    @Test("A budget is paid until a guess costs more than is left")
    func paying() {
        var budget = DiagnosisBudget(octets: 10)
        #expect(budget.pay(7) && !budget.pay(4) && budget.pay(3) && budget.isSpent)
        #expect(!budget.pay(1) && budget.pay(0))
    }
}
