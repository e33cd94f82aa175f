import DNSLookup
import MailSyntax
import SPF
import TestSupport
import Testing

@Suite("Published SPF suites")
struct SuiteTests {
    static func suite() -> [SPFCase] {
        do {
            return try SPFSuite.cases(inCorpus: "spf-rfc7208/rfc7208-tests.yml")
        } catch {
            Issue.record("the suite cannot be read: \(error)")
            return []
        }
    }

    @Test("all 203 cases are there")
    func count() throws {
        #expect(try SPFSuite.cases(inCorpus: "spf-rfc7208/rfc7208-tests.yml").count == 203)
    }

    @Test("RFC 7208", arguments: suite())
    func conforms(_ vector: SPFCase) async {
        let outcome = await evaluate(vector, resolver: vector.zone)
        expect(outcome, vector)
    }

    @Test("RFC 7208, when every answer has to be waited for", arguments: suite())
    func conformsWaiting(_ vector: SPFCase) async {
        expect(await evaluate(vector, resolver: Asked(vector.zone)), vector)
    }

    private func expect(_ outcome: SPFOutcome, _ vector: SPFCase) {
        let trace = outcome.trace.map(\.description).joined(separator: "\n")
        #expect(vector.results.contains(outcome.result.rawValue), "\(outcome.problem ?? "")\n\(trace)")
        switch vector.explanation {
        case nil: break
        case "DEFAULT": #expect(outcome.explanation == nil, "\(trace)")
        case let text: #expect(outcome.explanation == text, "\(trace)")
        }
    }

    private func evaluate(_ vector: SPFCase, resolver: some DNSResolving) async -> SPFOutcome {
        let evaluator = SPFEvaluator(resolver: resolver)
        return vector.mailFrom.isEmpty
            ? await evaluator.checkHELO(vector.helo, clientAddress: vector.client, now: 0)
            : await evaluator.checkMailFrom(
                vector.mailFrom,
                helo: vector.helo,
                clientAddress: vector.client,
                now: 0
            )
    }
}
