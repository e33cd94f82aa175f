internal import Policy
internal import RuleTrial

/// Reads an input as stored facts; what was read, written again, reads as the same, and rules judge it.
func fuzzStoredFacts(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard let stored = try? StoredFacts(octets: unsafe input(start, count)) else { return 0 }
    let octets = stored.octets
    guard let again = try? StoredFacts(octets: octets) else { fatalError("it does not read again") }
    expect(again.octets == octets)
    expect(stored.recipients.count <= count)
    do {
        let verdict = try StoredFactsRules.trial.verdict(again)
        expect(verdict.refusals.count <= again.recipients.count)
        Outcomes.count(verdict.verdict.action.rawValue)
    } catch {
        Outcomes.count("\(error)")
    }
    return 0
}

private enum StoredFactsRules {
    static let trial = Trial(
        PolicyEngine(
            rules: RuleSet([rule("early", .result(.spf), recipients: true), rule("late", .result(.dmarc))]),
            mode: .enforce,
            mixed: .defer
        )
    )

    private static func rule(_ name: String, _ condition: ConditionName, recipients: Bool = false) -> Rule {
        let location = PolicyLocation(file: "t", line: 1)
        var words = WordSet<ResultWord>()
        words.insert(.fail)
        var conditions = [Condition(condition, .words(Choice(wanted: words)), text: "fail", location: location)]
        if recipients {
            var addresses = AddressSet()
            try? addresses.insert("postmaster@")
            let values = Condition.Values.addresses(Choice(wanted: nil, excluded: addresses))
            conditions.append(Condition(.fact(.recipients), values, text: "!postmaster@", location: location))
        }
        return Rule(name: name, when: conditions, action: .reject, location: location)
    }
}
