public import MailSyntax

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

/// The action of a rule for a message.
public enum RuleAction: String, CaseIterable, Sendable {
    /// Accept the message and evaluate no further rule.
    case accept
    /// Name the rule in the log and go on.
    case mark
    /// Accept the message and flag it for the mailbox's junk folder.
    case junk
    /// Accept the message and let the MTA hold it.
    case quarantine
    /// Refuse the message for good (5xx).
    case reject
    /// Refuse the message for now (4xx).
    case tempfail
    /// Accept the message and drop it.
    case discard

    /// Whether the sender gets a refusal.
    public var isRefusal: Bool { self == .reject || self == .tempfail }

    /// Whether the recipient gets the message at once.
    public var delivers: Bool { self == .accept || self == .mark || self == .junk }

    /// Whether the message is lost for good; such an action must not depend on an answer that the DNS did not give.
    var isForGood: Bool { self == .reject || self == .discard }

    /// Whether a check that got no answer leaves it open whether the rule matches.
    ///
    /// Actions that withhold a message from its recipient must be certain, and so must actions that exempt it from the
    /// rules below. A flag need not be certain: it loses no mail, and is not worth a delay. For flags an error is a
    /// word like the others, so that no sender escapes the flag with a name server that does not answer.
    public var needsAnswers: Bool { self != .junk && self != .mark }
}

/// A rule: conditions, exemptions, and an action.
public struct Rule: Sendable {
    /// The name of the rule, unique among the rules.
    public let name: String
    /// The conditions, which must all hold.
    public let when: [Condition]
    /// The exemptions: the rule does not match if all conditions of one exemption hold.
    public let unless: [[Condition]]
    /// The action when the rule matches.
    public let action: RuleAction
    /// The reply if the rule refuses; nil for the default.
    public let reply: ReplyTemplate?
    /// Whether the rule is only on trial: its match is logged, and evaluation goes on.
    public let observe: Bool
    /// The place where the rule begins.
    public let location: PolicyLocation

    /// All conditions, including those of the exemptions.
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

    /// Whether a condition of `when` is on the result or the policy of DMARC.
    public var asksForDMARC: Bool { when.contains(where: \.name.isOnDMARC) }

    /// Whether a match ends the evaluation.
    var isFinal: Bool { action != .mark && !observe }
}

/// The rules in their order.
public struct RuleSet: Sendable {
    /// The rules; the first match decides.
    public var rules: [Rule]

    /// A set of these rules.
    public init(_ rules: [Rule] = []) {
        self.rules = rules
    }
}

extension RuleSet {
    /// Whether a rule asks if List-Id is vouched for, so that it is worth lookups.
    public var verifiesLists: Bool { conditions.contains { $0.name == .fact(.listVerified) } }

    /// The domains that rules ask about by `permitted_by`, in a fixed order.
    public var permits: [DomainName] {
        var names: Set<DomainName> = []
        for condition in conditions where condition.name == .fact(.permittedBy) {
            guard case .domains(let choice) = condition.values else { continue }
            for set in [choice.wanted, choice.excluded] { names.formUnion(set?.names ?? []) }
        }
        return names.sorted { $0.description < $1.description }
    }

    private var conditions: some Sequence<Condition> { rules.lazy.flatMap(\.conditions) }
}
