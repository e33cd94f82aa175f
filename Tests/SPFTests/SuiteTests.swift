import DNSLookup
import MailSyntax
import SPF
import TestSupport
import Testing

@Suite("RFC 7208, section by section")
struct SuiteTests {
    @Test("all cases are there")
    func count() throws {
        #expect(try SPFSuite.cases(Vectors.read("spf/rfc7208.yml")).count == 139)
    }

    @Test("each case", arguments: (try? SPFSuite.cases(Vectors.read("spf/rfc7208.yml"))) ?? [])
    func conforms(_ vector: SPFCase) async {
        await vector.expectSame()
    }
}

@Suite("openspf.org's suite for RFC 7208", .published("spf-rfc7208"))
struct PublishedSuiteTests {
    @Test("all cases are there")
    func count() throws {
        #expect(try SPFSuite.cases(Corpora.read("spf-rfc7208/rfc7208-tests.yml")).count == 203)
    }

    @Test("each case", arguments: (try? SPFSuite.cases(Corpora.read("spf-rfc7208/rfc7208-tests.yml"))) ?? [])
    func conforms(_ vector: SPFCase) async {
        await vector.expectSame()
    }
}

extension SPFCase {
    /// Whether the evaluator says what the case does: with every answer at hand, and when each has to be waited for.
    fileprivate func expectSame() async {
        expect(await evaluate(zone))
        expect(await evaluate(Asked(zone)))
    }

    private func expect(_ outcome: SPFOutcome) {
        let trace = outcome.trace.map(\.description).joined(separator: "\n")
        #expect(results.contains(outcome.result.rawValue), "\(outcome.problem ?? "")\n\(trace)")
        switch explanation {
        case nil: break
        case "DEFAULT": #expect(outcome.explanation == nil, "\(trace)")
        case let text: #expect(outcome.explanation == text, "\(trace)")
        }
    }

    private func evaluate(_ resolver: some DNSResolving) async -> SPFOutcome {
        await resolver.outcome(
            of: mailFrom.isEmpty
                ? SPFInquiry(helo: helo, client: client, now: 0)
                : SPFInquiry(mailFrom: mailFrom, helo: helo, client: client, now: 0)
        )
    }
}
