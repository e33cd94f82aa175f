public import DNSLookup
public import MailSyntax

/// The result of DMARC, in the words of Authentication-Results (RFC 9989 § 9.1).
public enum DMARCResult: String, Hashable, Sendable, CaseIterable {
    /// No policy is published, so DMARC does not apply.
    case none
    /// An aligned domain passed SPF or DKIM.
    case pass
    /// The author's domain has a policy, and no aligned domain passed.
    case fail
    /// A question to the DNS was not answered.
    case temperror
    /// The message does not name its author clearly.
    case permerror
}

/// A mechanism whose domain is aligned with the author's.
public enum DMARCMechanism: String, Hashable, Sendable {
    /// SPF of MAIL FROM (RFC 9989 § 4.4.2).
    case spf
    /// A DKIM signature (RFC 9989 § 4.4.1).
    case dkim
}

/// Why a result is not a plain pass, fail or none.
public enum DMARCProblem: Hashable, Sendable, CustomStringConvertible {
    /// There is no From field.
    case noFrom
    /// There is more than one From field.
    case severalFromFields(Int)
    /// The From field cannot be read, or can be read in more than one way.
    case unreadableFrom(StructuredFieldError)
    /// The From field has no domain, or an address whose domain cannot be in the DNS.
    case noDomain
    /// The From field has several domains.
    case severalDomains(Int)
    /// The question about this domain's record was not answered; the reason, if there is a single one.
    case lookupFailed(DomainName, DNSLookupError?)
    /// SPF or DKIM had a temporary error for a domain that would be aligned.
    case mechanismFailed(DMARCMechanism)
    /// The record of this domain has no valid policy and no valid address for reports.
    case unusableRecord(DomainName)
    /// The public suffix list aligns the domain that passed; the tree walk does not.
    case listAlone(DMARCListRemark)
    /// The public suffix list would align the domain, but the list does not decide.
    case listDiffers(DMARCListRemark)

    /// The problem in words.
    public var description: String {
        switch self {
        case .noFrom: "no From field"
        case .severalFromFields(let count): "\(count) From fields"
        case .unreadableFrom(let error): "unreadable From field: \(error)"
        case .noDomain: "no domain in the From field"
        case .severalDomains(let count): "\(count) domains in the From field"
        case .lookupFailed(let domain, let error):
            "no answer for _dmarc.\(domain)" + (error.map { ": \($0)" } ?? "")
        case .mechanismFailed(let mechanism): "temporary error in \(mechanism.rawValue)"
        case .listAlone(let remark): "aligned by the public suffix list alone: \(remark.identifier)"
        case .listDiffers(let remark): "the public suffix list would align \(remark.identifier)"
        case .unusableRecord(let domain): "no valid policy in the record of \(domain)"
        }
    }
}

/// The outcome of DMARC for a message.
public struct DMARCOutcome: Hashable, Sendable {
    /// The result.
    public internal(set) var result: DMARCResult
    /// The author's domain; if there are several, the domain that decided.
    public internal(set) var fromDomain: DomainName?
    /// The domain where the record was found that applies.
    public internal(set) var policyDomain: DomainName?
    /// The Organizational Domain of the author's domain.
    public internal(set) var organizationalDomain: DomainName?
    /// The policy for the author's domain, as published in `p`, `sp` or `np`.
    public internal(set) var policy: DMARCPolicy?
    /// The policy after test mode: with `t=y` it is one level lower (RFC 9989 § 4.7).
    public internal(set) var effectivePolicy: DMARCPolicy?
    /// The mechanisms that passed for an aligned domain, SPF first.
    public internal(set) var aligned: [DMARCMechanism] = []
    /// The problem, if there is one.
    public internal(set) var problem: DMARCProblem?
    /// The record that applies.
    public internal(set) var record: DMARCRecord?
    /// The domains that the public suffix list alone aligns.
    public internal(set) var alignedByList: [DomainName] = []
    /// The domains about which the public suffix list and the tree walk disagree.
    public internal(set) var listRemarks: [DMARCListRemark] = []
    /// The tree walks that were made, the author's first.
    public internal(set) var trace: [DMARCTreeWalk] = []
}

extension DMARCOutcome {
    /// The steps of the evaluation, one per line.
    public var steps: [String] {
        trace.flatMap { $0.steps.map(\.description) } + listRemarks.map(\.description)
    }
}
