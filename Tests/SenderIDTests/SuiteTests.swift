import DNSLookup
import FoundationEssentials
import MailSyntax
import SPF
import SenderID
import TestSupport
import Testing

/// A header, and the address that RFC 4407 finds in it.
struct PRAVector: Decodable, Sendable, CustomTestStringConvertible {
    var name = ""
    let spec: String
    let headers: String
    let pra: String?
    let selected: String?

    enum CodingKeys: CodingKey { case spec, headers, pra, selected }

    var testDescription: String { "\(name) (\(spec))" }

    func expectSame() {
        let found = try? PurportedResponsibleAddress.find(in: HeaderBlock(stored: headers.utf8))
        #expect(found.map { String(decoding: $0.mailbox.addrSpec, as: UTF8.self) } == pra)
        if let selected { #expect(found?.field.rawValue == selected) }
    }

    static func read(_ data: Data) throws -> [PRAVector] {
        try JSONDecoder().decode([String: PRAVector].self, from: data).map { name, vector in
            var vector = vector
            vector.name = name
            return vector
        }
        .sorted { $0.name < $1.name }
    }
}

@Suite("RFC 4406, section by section")
struct SuiteTests {
    @Test("all cases are there")
    func count() throws {
        #expect(try SPFSuite.cases(Vectors.read("sender-id/rfc4406.yml")).count == 27)
    }

    @Test("each case", arguments: (try? SPFSuite.cases(Vectors.read("sender-id/rfc4406.yml"))) ?? [])
    func conforms(_ vector: SPFCase) async {
        await vector.expectSame()
    }
}

@Suite("Mail::SPF's suite for RFC 4406", .published("senderid-a/rfc4406-tests.yml"))
struct PublishedSuiteTests {
    @Test("each case")
    func conforms() async throws {
        let cases = try SPFSuite.cases(Corpora.read("senderid-a/rfc4406-tests.yml"))
        #expect(cases.count == 2)
        for vector in cases { await vector.expectSame() }
    }
}

@Suite("Further cases of record selection", .published("senderid-a/record-selection.yml"))
struct PublishedSelectionTests {
    @Test("each case", arguments: (try? SPFSuite.cases(Corpora.read("senderid-a/record-selection.yml"))) ?? [])
    func conforms(_ vector: SPFCase) async {
        await vector.expectSame()
    }
}

@Suite("Further cases of RFC 4407", .published("senderid-a/pra.json"))
struct PublishedPRATests {
    @Test("each case", arguments: (try? PRAVector.read(Corpora.read("senderid-a/pra.json"))) ?? [])
    func finds(_ vector: PRAVector) {
        vector.expectSame()
    }
}

extension SPFCase {
    /// Whether the outcome is what the case says: with every answer at hand, and when each has to be waited for.
    fileprivate func expectSame() async {
        await expect(zone)
        await expect(Asked(zone))
    }

    private func expect(_ resolver: some DNSResolving) async {
        let outcome: SenderIDOutcome
        if let address = responsibleAddress {
            var headers = HeaderBlock()
            headers.append(name: "From".utf8, value: address)
            outcome = await resolver.outcome(of: SenderIDInquiry(of: headers, helo: helo, client: client, now: 0))
        } else {
            let inquiry = SenderIDInquiry(mailFrom: mailFrom, helo: helo, client: client, now: 0)
            outcome = await resolver.outcome(of: inquiry)
        }
        let trace = outcome.trace.map(\.description).joined(separator: "\n")
        #expect(results.contains(outcome.result.rawValue), "\(name): \(outcome.problem ?? "")\n\(trace)")
    }
}
