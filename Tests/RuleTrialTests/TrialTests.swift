import MailSyntax
import Policy
import Testing

@testable import RuleTrial

@Suite("Trial")
struct TrialTests {
    @Test("random rules judge stored facts as they judge the facts")
    func property() throws {
        var random = RandomFacts(seed: 3)
        var refused = 0
        for _ in 0..<5000 {
            let stored = random.stored()
            let engine = random.engine()
            let expected = Self.judged(stored, engine)
            let trial = try Trial(engine).verdict(StoredFacts(octets: stored.octets))
            #expect(trial == expected)
            refused += trial.refusals.count
        }
        // The cases reach all parts.
        #expect(refused > 100)
    }

    /// What the engine says to the message, in the order of an SMTP transaction.
    private static func judged(_ stored: StoredFacts, _ engine: PolicyEngine) -> TrialVerdict {
        let facts = stored.facts
        let isAnswered = engine.mode == .enforce && stored.isAnswered
        var taken = [MailAddress]()
        var refusals = [TrialVerdict.Refusal]()
        for (place, recipient) in stored.recipients.enumerated() {
            var early = facts
            if let group = stored.early.first(where: { $0.recipients.contains(place) }) {
                if !group.known.contains(.spf) { (early.results.spf, early.explanation) = (nil, nil) }
                if !group.known.contains(.spfHelo) { early.results.spfHelo = nil }
                if !group.known.contains(.iprev) { (early.results.iprev, early.clientNames) = (nil, nil) }
            }
            let decision = engine.atRecipient(early, recipient, engine.kind(of: recipient))
            if isAnswered, case .refuse(let verdict) = decision {
                refusals.append(TrialVerdict.Refusal(recipient: place, verdict: verdict))
            } else {
                taken.append(recipient)
            }
        }
        if taken.isEmpty, let first = refusals.first {
            return TrialVerdict(refusals: refusals, verdict: first.verdict)
        }
        let obstacle = isAnswered ? stored.obstacle : .noAnswerToRecipients
        return TrialVerdict(
            refusals: refusals,
            verdict: engine.atEndOfMessage(facts, engine.kinds(of: taken), obstacle: obstacle)
        )
    }
}
