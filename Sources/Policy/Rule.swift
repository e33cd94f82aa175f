/// A place in a configuration file.
public struct PolicyLocation: Hashable, Sendable, CustomStringConvertible {
    /// The file's path.
    public let file: String
    /// The line, from 1.
    public let line: Int

    /// The place at this line of this file.
    public init(file: String, line: Int) {
        self.file = file
        self.line = line
    }

    /// `file:line`.
    public var description: String { "\(file):\(line)" }
}

/// What a rule does with a message.
public enum RuleAction: String, CaseIterable, Sendable {
    /// Take the message and ask no further rule.
    case accept
    /// Name the rule in the log and go on.
    case mark
    /// Take the message and flag it for the mailbox's junk folder.
    case junk
    /// Take the message and let the MTA hold it.
    case quarantine
    /// Refuse it for good (5xx).
    case reject
    /// Refuse it for now (4xx).
    case tempfail
    /// Take it and throw it away.
    case discard

    /// Whether the sender is told no.
    public var isRefusal: Bool { self == .reject || self == .tempfail }

    /// Whether the recipient gets the message at once.
    public var delivers: Bool { self == .accept || self == .mark || self == .junk }

    /// Whether the message is gone for good: what may not rest on an answer that the DNS did not give.
    var isForGood: Bool { self == .reject || self == .discard }

    /// Whether a check that got no answer leaves it open whether the rule matches.
    ///
    /// What keeps a message from its recipient must be certain, and so must what frees it from the rules below. A flag
    /// need not be: no mail is lost by one, and none is worth a delay. There an error is a word like the others, so that
    /// nobody escapes the flag by a name server of his own that does not answer.
    public var needsAnswers: Bool { self != .junk && self != .mark }
}

/// A rule: conditions, exemptions, and what is done when it matches.
public struct Rule: Sendable {
    /// Its name, unique among the rules.
    public let name: String
    /// What must all hold.
    public let when: [Condition]
    /// The exemptions: the rule does not match where all conditions of one of them hold.
    public let unless: [[Condition]]
    /// What is done.
    public let action: RuleAction
    /// The reply of a refusal; nil for the default.
    public let reply: ReplyTemplate?
    /// Whether the rule is only on trial: what it would do is logged, and evaluation goes on.
    public let observe: Bool
    /// Where the rule begins.
    public let location: PolicyLocation

    /// All conditions, those of the exemptions included.
    public let conditions: [Condition]

    /// A rule.
    public init(
        name: String,
        when: [Condition],
        unless: [[Condition]] = [],
        action: RuleAction,
        reply: ReplyTemplate? = nil,
        observe: Bool = false,
        location: PolicyLocation
    ) {
        self.name = name
        self.when = when
        self.unless = unless
        self.action = action
        self.reply = reply
        self.observe = observe
        self.location = location
        conditions = when + unless.joined()
    }

    /// Whether the rule can be decided before DATA.
    public var isOfEnvelope: Bool { conditions.allSatisfy { $0.name.isOfEnvelope } }

    /// Whether a match ends the evaluation.
    var isFinal: Bool { action != .mark && !observe }
}

/// The rules in their order.
public struct RuleSet: Sendable {
    /// The rules; the first that matches decides.
    public var rules: [Rule]

    /// These rules.
    public init(_ rules: [Rule] = []) {
        self.rules = rules
    }
}
