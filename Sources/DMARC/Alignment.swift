internal import MailSyntax

/// Identifier Alignment Evaluation for one author domain (RFC 9989 § 4.10.2).
struct Alignment: Sendable {
    private let author: DMARCDiscovery.Domain
    private var aligned: [DMARCMechanism] = []
    /// The problem that may have hidden an aligned domain.
    private var obstacle: DMARCProblem?
    /// The domains about which the public suffix list and the walk disagree.
    private var remarks: [DMARCListRemark] = []
    /// The domains that only the list aligns.
    private var byList: [DMARCListRemark] = []

    init(author: DMARCDiscovery.Domain) {
        self.author = author
    }

    private enum Answer {
        case yes, no, unknown
    }

    /// Takes the domains for which a mechanism passed, and those for which it had a temporary error.
    mutating func add(
        _ mechanism: DMARCMechanism,
        passed: [DomainName],
        undecided: [DomainName],
        _ walks: inout WalkStore
    ) throws(MissingAnswer) {
        guard let mode = mode(of: mechanism) else { return }
        for domain in passed.prefix(DMARCInquiry.maximumIdentifiers) {
            switch try isAligned(domain, mode, &walks) {
            case .yes:
                aligned.append(mechanism)
                return
            case .no: continue
            case .unknown: obstacle = obstacle ?? .lookupFailed(domain, nil)
            }
        }
        for domain in undecided.prefix(DMARCInquiry.maximumIdentifiers) {
            // A domain that would not be aligned changes nothing: otherwise a forger could use a broken domain.
            guard try isAligned(domain, mode, &walks) != .no else { continue }
            obstacle = obstacle ?? .mechanismFailed(mechanism)
        }
    }

    private func mode(of mechanism: DMARCMechanism) -> DMARCRecord.AlignmentMode? {
        switch author.policy {
        case .applies(let record, _, _), .undetermined(let record, _):
            mechanism == .spf ? record.spfAlignment : record.dkimAlignment
        case .none, .unusable, .failed: nil
        }
    }

    private mutating func isAligned(
        _ identifier: DomainName,
        _ mode: DMARCRecord.AlignmentMode,
        _ walks: inout WalkStore
    ) throws(MissingAnswer) -> Answer {
        let answer = try isAlignedByWalk(identifier, mode, &walks)
        guard mode == .relaxed, answer != .unknown, identifier != author.walk.start, let list = walks.method.list else {
            return answer
        }
        let isByList = list.isOneOrganization(identifier, author.walk.start)
        guard isByList != (answer == .yes), author.walk.taggedOrganizationalDomain == nil else { return answer }
        let remark = DMARCListRemark(identifier: identifier, author: author.walk.start, isAligned: isByList)
        guard isByList, case .walkOrList = walks.method else {
            note(remark)
            return answer
        }
        let walk = try walks.walk(from: identifier)
        guard !walk.isIncomplete else { return .unknown }
        guard walk.taggedOrganizationalDomain == nil else { return .no }
        note(remark)
        byList.append(remark)
        return .yes
    }

    private mutating func note(_ remark: DMARCListRemark) {
        if !remarks.contains(remark) { remarks.append(remark) }
    }

    private func isAlignedByWalk(
        _ identifier: DomainName,
        _ mode: DMARCRecord.AlignmentMode,
        _ walks: inout WalkStore
    ) throws(MissingAnswer) -> Answer {
        // RFC 9989 § 3.2.10: identical domains are aligned in either mode.
        if identifier == author.walk.start { return .yes }
        guard mode == .relaxed else { return .no }
        guard let organizational = author.organizationalDomain else {
            // It is unknown, but at or above the author's domain: a name with another last label lies elsewhere.
            return identifier.suffix(1) == author.walk.start.suffix(1) ? .unknown : .no
        }
        // An identifier outside the Organizational Domain cannot have it as its own; no question is needed for that.
        guard identifier.isEqualOrSubdomain(of: organizational) else { return .no }
        let walk = try walks.walk(from: identifier)
        guard let other = walk.knownOrganizationalDomain else { return .unknown }
        return other == organizational ? .yes : .no
    }

    /// The result of DMARC for the author domain.
    var outcome: DMARCOutcome {
        var outcome = DMARCOutcome(result: .none, fromDomain: author.walk.start)
        outcome.listRemarks = remarks
        outcome.organizationalDomain = author.organizationalDomain
        switch author.policy {
        case .none: return outcome
        case .unusable(let record, let domain):
            outcome.record = record
            outcome.policyDomain = domain
            outcome.problem = .unusableRecord(domain)
            return outcome
        case .failed:
            outcome.result = .temperror
            outcome.problem = .lookupFailed(author.walk.steps.last?.domain ?? author.walk.start, author.walk.failure)
            return outcome
        case .undetermined(let record, let domain):
            outcome.record = record
            outcome.policyDomain = domain
            obstructed(&outcome, by: obstacle ?? .lookupFailed(author.walk.start, nil))
        case .applies(let record, let domain, let policy):
            outcome.record = record
            outcome.policyDomain = domain
            outcome.policy = policy
            outcome.effectivePolicy = record.isTesting ? policy.lowered : policy
            obstructed(&outcome, by: obstacle)
        }
        return outcome
    }

    /// Sets pass or fail, unless the result of a domain that could have passed is unknown.
    private func obstructed(_ outcome: inout DMARCOutcome, by problem: DMARCProblem?) {
        outcome.aligned = aligned
        if !aligned.isEmpty {
            outcome.result = .pass
            outcome.alignedByList = byList.map(\.identifier)
            if let first = byList.first, byList.count == aligned.count { outcome.problem = .listAlone(first) }
        } else if let problem {
            // RFC 9989 § 5.3.6: an unanswered question gives neither pass nor fail.
            outcome.result = .temperror
            outcome.problem = problem
        } else {
            outcome.result = .fail
            outcome.problem = remarks.first { $0.isAligned }.map { .listDiffers($0) }
        }
    }
}

extension AuthorIdentity {
    /// The outcome for the message, from the outcomes for its author domains.
    ///
    /// RFC 9989 § 5.3.1 excludes messages without exactly one author domain, and § 11.5 warns about the consequences.
    /// Here the message fails if one of its domains fails, by the strictest policy of the failing domains. If no domain
    /// fails, a domain without an answer leaves the result open. The message passes only if it has one From field, with
    /// one domain that passes or with several that all pass. The same rules hold for several From fields, as far as
    /// each can be read: § 11.5 asks receivers to see the threat in them, and none of their domains is a display name.
    /// A From that cannot be read names no domain whose policy could apply.
    func combine(_ outcomes: [DMARCOutcome], limit: Int) -> DMARCOutcome {
        // Nearly every message has one author.
        if authorDomain != nil, let outcome = outcomes.first { return outcome }
        let failing = outcomes.filter { $0.result == .fail }
        let strictest = failing.max { ($0.effectivePolicy ?? .none) < ($1.effectivePolicy ?? .none) }
        let unclear = outcomes.first { $0.result == .temperror }
        let permerror = DMARCOutcome(result: .permerror)
        switch self {
        case .domain, .repaired:
            return permerror
        case .severalDomains(let domains, _):
            let rest = domains.count > limit ? permerror : outcomes.first { $0.result == .none } ?? outcomes.first
            return (strictest ?? unclear ?? rest ?? permerror).with(.severalDomains(domains.count))
        case .noDomain:
            return (strictest ?? unclear ?? permerror).with(.noDomain)
        case .severalFields(let count, _, _):
            return (strictest ?? unclear ?? permerror).with(.severalFromFields(count))
        case .missing:
            return permerror.with(.noFrom)
        case .unreadable(let error, _):
            return permerror.with(.unreadableFrom(error))
        }
    }
}

extension DMARCOutcome {
    fileprivate func with(_ problem: DMARCProblem) -> DMARCOutcome {
        var outcome = self
        outcome.problem = problem
        return outcome
    }
}
