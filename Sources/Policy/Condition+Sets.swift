internal import MailSyntax

extension Condition {
    /// Whether no fact can make the condition hold.
    public var isImpossible: Bool {
        switch values {
        case .words(let choice): choice.allowed.isEmpty
        case .policies(let choice): choice.allowed.isEmpty
        case .readings(let choice): choice.allowed.isEmpty
        case .counts(let choice): choice.allowedCounts.isEmpty
        case .domains(let choice): choice.isEmpty { $1.isSuperset(of: $0) }
        case .networks, .addresses, .flag: false
        }
    }

    /// Whether the condition asks for a fact that is a yes or no, and wants yes.
    public var isTrue: Bool { if case .flag(true) = values { true } else { false } }

    /// Whether some of the values must not match.
    public var excludes: Bool {
        switch values {
        case .words(let choice): choice.excluded != nil
        case .policies(let choice): choice.excluded != nil
        case .readings(let choice): choice.excluded != nil
        case .networks(let choice): choice.excluded != nil
        case .domains(let choice): choice.excluded != nil
        case .addresses(let choice): choice.excluded != nil
        case .counts(let choice): choice.excluded != nil
        case .flag: false
        }
    }

    /// Whether the condition holds for each of these results.
    public func holds(for word: ResultWord) -> Bool {
        guard case .words(let choice) = values else { return false }
        return choice.allowed.contains(word)
    }

    /// Whether the condition holds whenever `other`, on the same fact, holds; false if that cannot be shown.
    public func includes(_ other: Condition) -> Bool {
        guard name == other.name else { return false }
        switch (values, other.values) {
        case (.words(let mine), .words(let theirs)):
            return theirs.allowed.isSubset(of: mine.allowed)
        case (.policies(let mine), .policies(let theirs)):
            return theirs.allowed.isSubset(of: mine.allowed)
        case (.readings(let mine), .readings(let theirs)):
            return theirs.allowed.isSubset(of: mine.allowed)
        case (.counts(let mine), .counts(let theirs)): return theirs.allowedCounts.isSubset(of: mine.allowedCounts)
        case (.flag(let mine), .flag(let theirs)): return mine == theirs
        case (.domains(let mine), .domains(let theirs)):
            if let all = mine.wanted, let some = theirs.wanted, mine.excluded == nil { return all.isSuperset(of: some) }
            return text == other.text
        default: return text == other.text
        }
    }
}

extension Choice {
    fileprivate func isEmpty(isSuperset: (Values, Values) -> Bool) -> Bool {
        guard let wanted, let excluded else { return false }
        return isSuperset(wanted, excluded)
    }
}

extension Choice where Values == WordSet<ResultWord> {
    fileprivate var allowed: Values { (wanted ?? .all).subtracting(excluded ?? Values()) }
}

extension Choice where Values == WordSet<DMARCPolicyWord> {
    fileprivate var allowed: Values { (wanted ?? .all).subtracting(excluded ?? Values()) }
}

extension Choice where Values == WordSet<AuthorReading> {
    fileprivate var allowed: Values { (wanted ?? .all).subtracting(excluded ?? Values()) }
}

extension Choice where Values == [CountTest] {
    /// The allowed counts up to a bound above that of any honest test.
    fileprivate var allowedCounts: Set<Int> {
        Set(
            (0...1000).filter { count in
                wanted?.contains { $0.holds(count) } ?? true && !(excluded?.contains { $0.holds(count) } ?? false)
            }
        )
    }
}
