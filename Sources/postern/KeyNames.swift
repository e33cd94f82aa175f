internal import ArgumentParser
internal import CommandSupport
internal import MailSyntax
internal import PosternConfiguration

/// The names under which a key is published, from the command line.
struct KeyNames {
    /// The signing domain (d=).
    let domain: DomainName
    /// The selector (s=).
    let selector: DomainName

    init(domain: String, selector: String) throws(ValidationError) {
        self.domain = try Names.hostName(domain, "--domain", kind: "host name", example: "example.org")
        if let short = DKIMSelector.withoutSuffix(selector) {
            throw ValidationError(
                "--selector: '\(selector)' has \(DKIMSelector.suffix), which is added to every selector; "
                    + "leave it off: --selector \(short)"
            )
        }
        self.selector = try Names.hostName(selector, "--selector", kind: "selector", example: "2026r")
        guard self.domain.labelCount >= 2 else {
            throw ValidationError("--domain: '\(domain)' is a single label; expected a domain such as example.org")
        }
    }
}
