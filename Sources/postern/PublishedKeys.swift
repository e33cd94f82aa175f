internal import DKIM
internal import DNSLookup
internal import MailCrypto
internal import MailSyntax
internal import PosternConfiguration
internal import PosternSetup

/// The keys of a configuration that sign and seal beside the records that should publish them.
struct PublishedKeys {
    /// Why signatures with a key would not verify, or why that is not known.
    struct Problem {
        /// The problem with its place, and what to type where a command helps.
        let text: String
        /// Whether the DNS gave no answer.
        let isUnanswered: Bool
    }

    private let tables: [(setting: String, signing: Configuration.Signing)]
    private let resolver: any DNSResolving

    /// The keys, and the resolver that looks their records up.
    init(_ configuration: Configuration, _ resolver: any DNSResolving) {
        tables =
            configuration.signing.map { ("signing.keys", $0) }
            + [configuration.sealing.signing].compactMap { $0 }.map { ("sealing.key", $0) }
        self.resolver = resolver
    }

    /// The problems, in the order of the file.
    var problems: [Problem] {
        get async {
            var problems = [Problem]()
            for (setting, entry) in tables {
                for (key, domain) in entry.keys.flatMap({ key in entry.allDomains.map { (key, $0) } }) {
                    guard let found = await problem(key, domain) else { continue }
                    let text = "\(entry.location): \(setting): \(key.file): \(found.text)"
                    problems.append(Problem(text: text, isUnanswered: found.isUnanswered))
                }
            }
            return problems
        }
    }

    private func problem(_ key: Configuration.Signing.Key, _ domain: DomainName) async -> Problem? {
        do {
            let privateKey = try PrivateKey(pem: KeyFile.read(key.file))
            let signingKey = try DKIMSigningKey(domain: domain, selector: key.selector, key: privateKey)
            let reply = await resolver.lookUp(DKIMPublishedKeyCheck.question(for: signingKey))
            guard let text = DKIMPublishedKeyCheck.problem(with: signingKey, reply: reply) else { return nil }
            if case .failure = reply.result { return Problem(text: text, isUnanswered: true) }
            return Problem(text: "\(text) (type: \(Self.command(key, domain)))", isUnanswered: false)
        } catch {
            return Problem(text: "\(error)", isUnanswered: false)
        }
    }

    /// The command that shows the record to publish; domain and selector are often those of the file's name.
    private static func command(_ key: Configuration.Signing.Key, _ domain: DomainName) -> String {
        let names = KeyFile.names(of: key.file)
        let isNamed = names?.domain == domain && names?.selector == key.selector
        let options = isNamed ? "" : "--domain \(domain) --selector \(key.selector) "
        return "postern key show \(options)\(ShellCommand.word(key.file))"
    }
}
