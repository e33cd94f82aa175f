/// A server or a service that passes on mail which it did not write, and whose word the administrator takes.
public struct TrustedForwarder: Sendable {
    /// The name, as the log shows it.
    public let name: String
    /// The conditions by which it is known, on its address, its verified name or its seal: one of them must hold.
    public let conditions: [Condition]
    /// The condition on the recipients that it may forward to; nil for all.
    public let recipients: Condition?

    /// A trusted forwarder.
    public init(name: String, conditions: [Condition], recipients: Condition?) {
        self.name = name
        self.conditions = conditions
        self.recipients = recipients
    }

    /// The reason for which the rules do not see what DMARC found.
    var excuse: DMARCExcuse { DMARCExcuse(.trustedForwarder, name) }
}

/// Why a rule on DMARC did not act on a message that fails (RFC 9990 § 3.1.6, policy override reasons).
public struct DMARCExcuse: Hashable, Sendable, CustomStringConvertible {
    /// The kind of reason, in the words of RFC 9990.
    public enum Kind: String, CaseIterable, Sendable {
        /// A trusted forwarder has sent it.
        case trustedForwarder = "trusted_forwarder"
        /// A mailing list that is vouched for has sent it.
        case mailingList = "mailing_list"
    }

    /// The kind of reason.
    public let kind: Kind
    /// The name of the forwarder, or the domain of List-Id.
    public let name: String

    init(_ kind: Kind, _ name: String) {
        self.kind = kind
        self.name = name
    }

    /// `trusted_forwarder/NAME`.
    public var description: String { "\(kind.rawValue)/\(name)" }
}

/// Whether a trusted forwarder has sent a message, for recipients of one kind.
struct ForwarderFinding {
    /// No forwarder has.
    static var none: ForwarderFinding { ForwarderFinding() }

    /// The reason by which rules on DMARC do not match.
    var excuse: DMARCExcuse?
    /// The condition whose missing answer leaves it open whether there is a reason.
    var open: ConditionName?
}

extension PolicyEngine {
    /// Whether a trusted forwarder excuses a message from what DMARC found.
    ///
    /// Only a failure, and one that a missing answer hides, can be excused: whoever forwards a message has not written its
    /// From field.
    func forwarder(_ facts: PolicyFacts, _ kind: RecipientKind?) -> ForwarderFinding {
        guard !forwarders.isEmpty, facts.results.dmarc == .fail || facts.results.dmarc == .temperror else {
            return .none
        }
        var finding = ForwarderFinding()
        for (forwarder, place) in forwarders {
            if let place, kind?.contains(place) != true { continue }
            for condition in forwarder.conditions {
                switch condition.holds(facts, needsAnswers: true) {
                case .yes: return ForwarderFinding(excuse: forwarder.excuse)
                case .unanswered: finding.open = finding.open ?? condition.name
                // The check behind the condition was not made: nobody has shown that it is the forwarder.
                case .no, .unknown: continue
                }
            }
        }
        return finding
    }
}
