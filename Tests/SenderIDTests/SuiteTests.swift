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

@Suite("Published and shared Sender ID suites")
struct SuiteTests {
    static func read<Value>(_ make: () throws -> [Value]) -> [Value] {
        do {
            return try make()
        } catch {
            Issue.record("the suite cannot be read: \(error)")
            return []
        }
    }

    static let records = read {
        try SPFSuite.cases(inCorpus: "senderid-a/rfc4406-tests.yml")
            + SPFSuite.cases(inCorpus: "senderid-a/record-selection.yml")
    }
    static let addresses = read { try PRAVector.read(Corpora.read("senderid-a/pra.json")) }

    @Test("all cases are there")
    func count() {
        #expect(Self.records.count == 18)
        #expect(Self.addresses.count == 20)
    }

    @Test("RFC 4406", arguments: records)
    func selects(_ vector: SPFCase) async {
        await expect(vector, SenderIDEvaluator(resolver: vector.zone))
        await expect(vector, SenderIDEvaluator(resolver: Asked(vector.zone)))
    }

    private func expect<Resolver: DNSResolving>(_ vector: SPFCase, _ evaluator: SenderIDEvaluator<Resolver>) async {
        let outcome: SenderIDOutcome
        if let address = vector.responsibleAddress {
            var headers = HeaderBlock()
            headers.append(name: "From".utf8, value: address)
            outcome = await evaluator.checkPRA(headers, helo: vector.helo, clientAddress: vector.client, now: 0)
        } else {
            outcome = await evaluator.checkMailFrom(
                vector.mailFrom,
                helo: vector.helo,
                clientAddress: vector.client,
                now: 0
            )
        }
        let trace = outcome.trace.map(\.description).joined(separator: "\n")
        #expect(vector.results.contains(outcome.result.rawValue), "\(outcome.problem ?? "")\n\(trace)")
    }

    @Test("RFC 4407", arguments: addresses)
    func finds(_ vector: PRAVector) {
        vector.expectSame()
    }
}
