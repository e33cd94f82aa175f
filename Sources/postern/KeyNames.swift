internal import ArgumentParser
internal import MailSyntax

/// The names under which a key is published, as the command line gives them.
struct KeyNames {
    /// The domain that signs (d=).
    let domain: DomainName
    /// The selector (s=).
    let selector: DomainName

    init(domain: String, selector: String) throws(ValidationError) {
        self.domain = try Names.hostName(domain, "--domain", example: "example.org")
        self.selector = try Names.hostName(selector, "--selector", example: "2026r")
        guard self.domain.labelCount >= 2 else {
            throw ValidationError("--domain: '\(domain)' is a single label; expected a domain such as example.org")
        }
    }
}
