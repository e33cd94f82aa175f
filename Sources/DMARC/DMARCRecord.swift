public import MailSyntax

/// The treatment that a domain's owner requests for failing mail (RFC 9989 § 4.7, p); the cases go from mild to strict.
public enum DMARCPolicy: String, Hashable, Sendable, Comparable, CaseIterable {
    /// No treatment.
    case none
    /// Treat the mail as suspicious.
    case quarantine
    /// Refuse the mail.
    case reject

    /// Whether the first policy is less strict than the second.
    public static func < (one: DMARCPolicy, other: DMARCPolicy) -> Bool {
        one.strictness < other.strictness
    }

    private var strictness: Int {
        switch self {
        case .none: 0
        case .quarantine: 1
        case .reject: 2
        }
    }

    /// The policy one level below, which applies in test mode (RFC 9989 § 4.7, t).
    var lowered: DMARCPolicy { self == .reject ? .quarantine : .none }
}

/// A DMARC Policy Record (RFC 9989 § 4.7).
///
/// Tags of RFC 7489 that RFC 9989 removed (`pct`, `rf`, `ri`) are ignored like unknown tags.
public struct DMARCRecord: Hashable, Sendable {
    /// Whether the record belongs to a Public Suffix Domain.
    public enum PublicSuffixFlag: Hashable, Sendable {
        /// `psd=y`: it does.
        case yes
        /// `psd=n`: it belongs to an Organizational Domain instead.
        case no
        /// `psd=u`: it does not, and may belong to an Organizational Domain.
        case unknown
    }

    /// How closely two domains must match (RFC 9989 § 3.2.10).
    public enum AlignmentMode: Hashable, Sendable {
        /// They must have the same Organizational Domain.
        case relaxed
        /// They must be identical.
        case strict
    }

    /// The policy for the domain itself; nil when there is no valid policy.
    public internal(set) var policy: DMARCPolicy?
    /// The policy for subdomains (`sp`).
    public internal(set) var subdomainPolicy: DMARCPolicy?
    /// The policy for subdomains that do not exist (`np`).
    public internal(set) var nonexistentSubdomainPolicy: DMARCPolicy?
    /// Whether a `p`, `sp` or `np` tag has an invalid value.
    public internal(set) var hasInvalidPolicy = false
    /// How closely the domain of a signature must match (`adkim`).
    public internal(set) var dkimAlignment = AlignmentMode.relaxed
    /// How closely the domain of MAIL FROM must match (`aspf`).
    public internal(set) var spfAlignment = AlignmentMode.relaxed
    /// Whether the domain is a public suffix (`psd`).
    public internal(set) var publicSuffixFlag = PublicSuffixFlag.unknown
    /// Whether the owner is only testing the policies (`t=y`).
    public internal(set) var isTesting = false
    /// The owner's requests for reports.
    ///
    /// They are in one object, because every message copies its record and hardly any code reads the requests.
    var reporting = Reporting()

    /// Whether DMARC can use the record.
    ///
    /// RFC 9989 § 4.10.1: with no valid `p`, or an invalid `sp` or `np`, a record counts only when it has a valid `rua`.
    public var isUsable: Bool {
        (policy != nil && !hasInvalidPolicy) || !reporting.aggregateURIs.isEmpty
    }

    /// The policy for a domain, before test mode: the record's own domain, a subdomain, or one that does not exist.
    func policy(isSubdomain: Bool, exists: Bool) -> DMARCPolicy {
        // RFC 9989 § 4.10.1: act as if the record contained "p=none".
        guard let policy, !hasInvalidPolicy else { return .none }
        guard isSubdomain else { return policy }
        // RFC 9989 § 4.7: np gives way to sp, and sp to p, when absent.
        return (exists ? nil : nonexistentSubdomainPolicy) ?? subdomainPolicy ?? policy
    }
}

extension DMARCRecord {
    /// The reports that the owner requests.
    final class Reporting: Hashable, Sendable {
        let failureOptions: [UInt8]
        let aggregateURIs: [Octets]
        let failureURIs: [Octets]

        init(failureOptions: [UInt8] = [UInt8(ascii: "0")], aggregateURIs: [Octets] = [], failureURIs: [Octets] = []) {
            self.failureOptions = failureOptions
            self.aggregateURIs = aggregateURIs
            self.failureURIs = failureURIs
        }

        /// A copy with the given values replaced.
        func with(
            failureOptions: [UInt8]? = nil,
            aggregateURIs: [Octets]? = nil,
            failureURIs: [Octets]? = nil
        ) -> Reporting {
            Reporting(
                failureOptions: failureOptions ?? self.failureOptions,
                aggregateURIs: aggregateURIs ?? self.aggregateURIs,
                failureURIs: failureURIs ?? self.failureURIs
            )
        }

        static func == (one: Reporting, other: Reporting) -> Bool {
            one === other
                || one.failureOptions == other.failureOptions && one.aggregateURIs == other.aggregateURIs
                    && one.failureURIs == other.failureURIs
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(failureOptions)
            hasher.combine(aggregateURIs)
            hasher.combine(failureURIs)
        }
    }

    /// The failures for which the owner requests reports (RFC 9989 § 4.7, fo): `0`, `1`, `d`, `s`.
    public var failureOptions: [UInt8] { reporting.failureOptions }

    /// The addresses for aggregate reports (`rua`): URIs, with the obsolete size limit if present.
    public var aggregateReportURIs: [Octets] { reporting.aggregateURIs }

    /// The addresses for failure reports (`ruf`).
    public var failureReportURIs: [Octets] { reporting.failureURIs }
}

extension DMARCRecord: CustomStringConvertible {
    /// The tags that affect the result, as they were read: `p=reject sp=none adkim=s psd=n t=y`.
    public var description: String {
        var tags = ["p=\(policy?.rawValue ?? "-")"]
        if let subdomainPolicy { tags.append("sp=\(subdomainPolicy.rawValue)") }
        if let nonexistentSubdomainPolicy { tags.append("np=\(nonexistentSubdomainPolicy.rawValue)") }
        if dkimAlignment == .strict { tags.append("adkim=s") }
        if spfAlignment == .strict { tags.append("aspf=s") }
        if publicSuffixFlag != .unknown { tags.append(publicSuffixFlag == .yes ? "psd=y" : "psd=n") }
        if isTesting { tags.append("t=y") }
        return tags.joined(separator: " ")
    }
}
