import Policy
import Testing

@testable import RuleTrial

@Suite("Policy table from stored facts")
struct StoredCaseTests {
    @Test("stored facts give what the facts give", arguments: PolicyTable.cases.filter(\.isStored))
    func decides(_ policyCase: PolicyCase) throws {
        // Who waited is not stored, only what was known in the end.
        let expected = policyCase.expected.split(separator: " ").filter { $0 != "wait" }
        #expect(try policyCase.outcomeOfStored() == expected.joined(separator: " "))
    }
}

extension PolicyCase {
    /// Whether an event keeps all that the rules ask about.
    fileprivate var isStored: Bool { !rules.contains("permitted_by") && !words.contains("verified=?") }

    /// What comes out when the message is stored and tried.
    fileprivate func outcomeOfStored() throws -> String {
        var stored = StoredFacts()
        stored.facts = try FactsText.facts(words, atEnd: true)
        stored.recipients = FactsText.recipients(words)
        // At the end of the message there is an author, whether its domain is known or not.
        stored.hasContent = true
        stored.recorded.mode = .enforce
        let envelope = try FactsText.facts(words, atEnd: false)
        let known = Check.allCases.filter { check in
            envelope.results[check] != nil && (check != .iprev || envelope.clientNames != nil)
        }
        stored.early = [StoredFacts.Early(known: known, recipients: Array(stored.recipients.indices))]
        let engine = try engine()
        let trial = try Trial(engine).verdict(StoredFacts(octets: stored.octets))
        let refusals = stored.recipients.count > 1 ? trial.refusals : []
        let notes = refusals.map { "refused=\(stored.recipients[$0.recipient].text):\($0.verdict.text)" }
        return ([trial.verdict.text] + notes).joined(separator: " ")
    }
}
