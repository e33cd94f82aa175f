internal import MailSyntax
internal import SMTPClient

extension Configuration {
    /// What may not be meant in `[reports]`.
    var reportWarnings: [ConfigurationProblem] {
        [halfSet, exampleName, unsignedReports, restrictedLogins, foreignServer].compactMap { $0 }
    }

    private func warning(_ key: String, _ message: String, accepted: String) -> ConfigurationProblem {
        problem("reports." + key, message, accepted: accepted, isWarning: true)
    }

    private var halfSet: ConfigurationProblem? {
        guard !reports.isOn else { return nil }
        let message = "no report is sent while \(reports.address == nil ? "address" : "organization") is not set"
        if reports.organization != nil { return warning("organization", message, accepted: "both, or none of them") }
        if reports.address != nil { return warning("address", message, accepted: "both, or none of them") }
        return nil
    }

    private var exampleName: ConfigurationProblem? {
        guard reports.organization == "Example Org" else { return nil }
        let message = "\"Example Org\" is the example's name"
        return warning("organization", message, accepted: "the name of your organization")
    }

    /// RFC 9990 § 3.5.2: a report must pass DMARC, aligned with its author.
    private var unsignedReports: ConfigurationProblem? {
        guard let domain = reports.domain, signer(of: domain) == nil else { return nil }
        let message = "\(domain) is not signed for, so that reports may fail DMARC and be refused"
        return warning("address", message, accepted: "an address at a domain of [[signing]]")
    }

    private var restrictedLogins: ConfigurationProblem? {
        guard let domain = reports.domain, signer(of: domain)?.logins != nil else { return nil }
        let message = "\(domain) is signed only for those who log in, and the ledger does not"
        return warning("address", message, accepted: "an address at a domain of [[signing]] without logins")
    }

    private var foreignServer: ConfigurationProblem? {
        guard !reports.smtp.isLocal else { return nil }
        let message =
            "\(reports.smtp) is not on this host: reports go there in the clear, and this host does not sign them"
        return warning("smtp", message, accepted: "\"127.0.0.1:25\"")
    }

    private func signer(of domain: DomainName) -> Signing? {
        signing.first { signing in
            signing.allDomains.contains { signing.subdomains ? domain.isEqualOrSubdomain(of: $0) : domain == $0 }
        }
    }
}
