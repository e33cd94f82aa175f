internal import DNSLookup
public import MailSyntax
internal import SPF

/// The domains, of those that rules ask about, whose SPF records permit the client.
public struct ClientPermits: Sendable {
    /// The domains whose records pass for the client.
    public var permitting: [DomainName] = []
    /// The domains for which the DNS gave no answer.
    public var unanswered: [DomainName] = []
}

/// The SPF inquiries for the domains that rules ask about.
///
/// Each has the limits of an evaluation of its own, and together they have a share of the lookups.
struct PermitChecks {
    private let checks: [(domain: DomainName, outcome: Pending<SPFOutcome>)]

    /// Starts the inquiries for a client; without an address none is permitted.
    init(_ domains: [DomainName], _ client: MailClient, _ resolver: RecordingResolver, now: UnixTime) {
        guard let address = client.address else {
            checks = []
            return
        }
        var checks = [(DomainName, Pending<SPFOutcome>)]()
        for domain in domains {
            // RFC 7208 § 2.3: the identity is postmaster at the domain, which the sender does not choose.
            let name = Octets(domain.description)
            let inquiry = SPFInquiry(helo: name, client: address, now: now, options: client.settings.spf)
            checks.append((domain, Pending(inquiry, resolver, on: client.executor)))
        }
        self.checks = checks
    }

    /// The inquiries without an outcome.
    var open: [OpenCheck] { checks.compactMap(\.outcome.openCheck) }

    /// The outcomes; nil until all are known.
    var results: ClientPermits? {
        var results = ClientPermits()
        for check in checks {
            guard let outcome = check.outcome.outcome else { return nil }
            if outcome.result == .pass { results.permitting.append(check.domain) }
            if outcome.result == .temperror { results.unanswered.append(check.domain) }
        }
        return results
    }

    /// Asks the lookups to end soon.
    func cancel() {
        for check in checks { check.outcome.cancel() }
    }
}
