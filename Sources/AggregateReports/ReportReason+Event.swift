internal import DMARC
internal import MailEvents
internal import MailSyntax

extension ReportDisposition {
    /// What became of the message by DMARC alone.
    ///
    /// A message that passed DMARC has the disposition of one that passed, even when another rule refused it.
    init(_ verdict: MailEvent.Verdict, _ dmarc: MailEvent.DMARC) {
        guard dmarc.result != DMARCResult.pass.rawValue else {
            let effective = dmarc.effective.flatMap(DMARCPolicy.init) ?? .none
            self = effective == .none ? .none : .pass
            return
        }
        switch verdict.action {
        case "reject": self = .reject
        case "junk", "quarantine", "discard": self = .quarantine
        default: self = .none
        }
    }

    /// The policy that asks for this.
    fileprivate var policy: DMARCPolicy {
        switch self {
        case .none, .pass: .none
        case .quarantine: .quarantine
        case .reject: .reject
        }
    }
}

extension ReportReason {
    /// Why the disposition is not what the policy asks for (RFC 9990 § 3.1.1.9: "If alignment fails and the policy applied
    /// does not match the Policy Domain's configured policy, the "reason" element MUST be included").
    static func reasons(
        _ verdict: MailEvent.Verdict,
        _ dmarc: MailEvent.DMARC,
        _ policy: PolicyConfiguration,
        _ disposition: ReportDisposition
    ) -> [ReportReason] {
        guard dmarc.result != DMARCResult.pass.rawValue else { return [] }
        let published = dmarc.published.flatMap(DMARCPolicy.init) ?? .none
        var reasons = invalidPolicy(dmarc, policy, published)
        let done = disposition.policy
        guard done != published else { return reasons }
        let effective = dmarc.effective.flatMap(DMARCPolicy.init) ?? published
        // RFC 9989 § 4.7, t=y: the policy that applies is one level lower.
        if effective != published, done < published { reasons.append(ReportReason(.policyTestMode)) }
        guard done != effective else { return reasons }
        if done < effective, let reason = dmarc.isUndecided ? dmarc.undecidedReason : dmarc.excuse {
            reasons.append(reason)
        } else {
            reasons.append(verdict.localReason)
        }
        return reasons
    }

    /// RFC 9989 § 4.10.1: with an invalid sp or np, the record counts as `p=none`, though its other tags ask for more.
    private static func invalidPolicy(
        _ dmarc: MailEvent.DMARC,
        _ policy: PolicyConfiguration,
        _ published: DMARCPolicy
    ) -> [ReportReason] {
        let author = dmarc.from.flatMap { try? DomainName(escaped: Octets($0)) }
        let asked = [true, false].map { policy.asked(of: author, exists: $0) }
        guard !asked.contains(published) else { return [] }
        return [ReportReason(.other, comment: "invalid policy in the record, so none applies")]
    }
}

extension MailEvent.DMARC {
    /// Whether SPF or DKIM of an aligned domain got no answer, so that the message neither passed nor failed.
    fileprivate var isUndecided: Bool { result == DMARCResult.temperror.rawValue }

    /// The forwarder or the list for which no rule on DMARC acted.
    fileprivate var excuse: ReportReason? {
        guard let override, let kind = ReportReason.Kind(rawValue: override.type) else { return nil }
        return ReportReason(kind, comment: override.comment.cleaned(ReportBounds.humanCharacters))
    }

    fileprivate var undecidedReason: ReportReason {
        ReportReason(.other, comment: problem?.cleaned(ReportBounds.humanCharacters))
    }
}

extension MailEvent.Verdict {
    /// The rule that decided otherwise, or was kept from deciding; or that the rules are only observed.
    fileprivate var localReason: ReportReason {
        let isObserved = would != nil || (rule == nil && !trial.isEmpty)
        return ReportReason(
            .localPolicy,
            comment: (isObserved ? "observe" : rule ?? exempted.first)?.cleaned(ReportBounds.humanCharacters)
        )
    }
}
