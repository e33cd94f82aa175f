public import MailSyntax

/// A word that can be in a set of words.
public protocol PolicyWord: CaseIterable, Sendable {
    /// One bit, different for each word.
    var bit: UInt16 { get }
}

/// A set of words of a check.
///
/// Swift hashes an enumeration with raw values by the text; for a condition on every message only a bit is fast enough.
public struct WordSet<Word: PolicyWord>: Equatable, Sendable {
    private var bits: UInt16 = 0

    /// An empty set.
    public init() {}

    /// All words.
    static var all: WordSet {
        var set = WordSet()
        for word in Word.allCases { set.insert(word) }
        return set
    }

    /// Whether the set is empty.
    var isEmpty: Bool { bits == 0 }

    /// Adds a word.
    public mutating func insert(_ word: Word) {
        bits |= word.bit
    }

    /// Whether the set contains a word.
    func contains(_ word: Word) -> Bool {
        bits & word.bit != 0
    }

    /// Whether all words of this set are in `other`.
    func isSubset(of other: WordSet) -> Bool {
        bits & ~other.bits == 0
    }

    /// The words that are not in `other`.
    func subtracting(_ other: WordSet) -> WordSet {
        var set = self
        set.bits &= ~other.bits
        return set
    }
}

extension ResultWord: PolicyWord {
    /// One bit, different for each word.
    public var bit: UInt16 {
        switch self {
        case .pass: 1
        case .fail: 2
        case .softfail: 4
        case .neutral: 8
        case .none: 16
        case .temperror: 32
        case .permerror: 64
        case .policy: 128
        }
    }
}

extension DMARCPolicyWord: PolicyWord {
    /// One bit, different for each word.
    public var bit: UInt16 {
        switch self {
        case .none: 1
        case .quarantine: 2
        case .reject: 4
        case .absent: 8
        }
    }
}

extension AuthorReading: PolicyWord {
    /// One bit, different for each word.
    public var bit: UInt16 {
        switch self {
        case .readable: 1
        case .repaired: 2
        case .unreadable: 4
        }
    }
}
