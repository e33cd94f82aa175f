internal import DKIM
internal import MailSyntax
internal import Policy
internal import TOML

extension Configuration {
    /// Looks for tables of `[[signing]]` that cannot be, or that say the contrary of another.
    func checkSigning(_ reader: inout ConfigurationReader) {
        var tables: [DomainName: Int] = [:]
        for (index, signing) in signing.enumerated() {
            let path = "signing[\(index + 1)]"
            signing.checkDomains(path, &tables, &reader)
            signing.checkSelectors(path, &reader)
            signing.checkIdentity(path, &reader)
        }
    }
}

extension Configuration.Signing {
    private var position: TOMLPosition { TOMLPosition(line: location.line, column: 1) }

    /// `tables` has the line of the table that signs for each domain so far.
    fileprivate func checkDomains(
        _ path: String,
        _ tables: inout [DomainName: Int],
        _ reader: inout ConfigurationReader
    ) {
        let one = reader.positions[path + ".domain"]
        let several = reader.positions[path + ".domains"]
        if one == nil, several == nil {
            let accepted = "domain = \"example.org\", or domains = [\"example.org\", \"example.net\"]"
            reader.report(position, path, "domain is missing", accepted: accepted)
        } else if one != nil, let several {
            reader.report(several, path + ".domains", "domain is set as well", accepted: "domain or domains")
        }
        let key = path + (several == nil ? ".domain" : ".domains")
        for domain in allDomains {
            if let line = tables[domain] {
                // Receivers tell signatures of a domain apart by nothing but the selector, and one table holds any number.
                let isHere = line == location.line
                reader.report(
                    several ?? one ?? position,
                    key,
                    isHere
                        ? "\(domain) is there twice"
                        : "the table of line \(line) signs for \(domain) already, so this one would never be used",
                    accepted: isHere
                        ? "each domain once" : "one table for the domain, with all its keys and logins"
                )
            }
            tables[domain] = tables[domain] ?? location.line
        }
    }

    fileprivate func checkSelectors(_ path: String, _ reader: inout ConfigurationReader) {
        var selectors: Set<DomainName> = []
        let whose = allDomains.first.map { " of \($0)" } ?? ""
        for key in keys where !selectors.insert(key.selector).inserted {
            let message = "the selector \(key.selector)\(whose) is there twice"
            reader.report(position, path + ".keys", message, accepted: "a selector of its own for each key")
        }
    }

    fileprivate func checkIdentity(_ path: String, _ reader: inout ConfigurationReader) {
        guard let identity = options.identity else { return }
        let domain = MailAddress(identity).domain
        // RFC 6376 § 3.5: the domain of i= is d= or below it.
        if let other = allDomains.first(where: { domain?.isEqualOrSubdomain(of: $0) != true }) {
            reader.report(
                position,
                path + ".identity",
                "\"\(identity)\" is not at or below \(other)",
                accepted: "\"@\(other)\" or an address there"
            )
        }
    }
}
