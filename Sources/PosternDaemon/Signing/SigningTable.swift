internal import DKIM
internal import MailCrypto
internal import MailSyntax
internal import Policy
internal import PosternConfiguration

/// Who signs for which domain.
struct SigningTable: Sendable {
    private struct Entry: Sendable {
        let domain: DomainName
        let includesSubdomains: Bool
        let logins: Set<String>?
        let keys: [DKIMSigningKey]
        let options: DKIMSigningOptions
    }

    private let entries: [Entry]

    /// Every key of the table.
    var keys: [DKIMSigningKey] { entries.flatMap(\.keys) }

    /// Reads the keys that the configuration names.
    init(_ configuration: [Configuration.Signing]) throws(ConfigurationError) {
        var entries = [Entry]()
        var problems = [ConfigurationProblem]()
        for signing in configuration {
            do throws(ConfigurationError) {
                entries.append(try Self.entry(signing))
            } catch {
                problems += error.problems
            }
        }
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        self.entries = entries
    }

    private static func entry(_ signing: Configuration.Signing) throws(ConfigurationError) -> Entry {
        var keys = [DKIMSigningKey]()
        var problems = [ConfigurationProblem]()
        for (selector, file) in signing.keys.map({ ($0.selector, $0.file) }) {
            do {
                let key = try PrivateKey(pem: KeyFile.read(file))
                keys.append(try DKIMSigningKey(domain: signing.domain, selector: selector, key: key))
            } catch {
                problems.append(
                    ConfigurationProblem(
                        file: signing.location.file,
                        line: signing.location.line,
                        column: 0,
                        key: "signing.keys",
                        message: error is KeyFile.Failure ? "\(error)" : "\(file): \(error)"
                    )
                )
            }
        }
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        return Entry(
            domain: signing.domain,
            includesSubdomains: signing.subdomains,
            logins: signing.logins.map { Set($0.map { $0.lowercased() }) },
            keys: keys,
            options: DKIMSigningOptions(signing)
        )
    }

    /// Begins to sign a message, or finds out why it is not signed; nil when nobody expects a signature.
    ///
    /// - Parameters:
    ///   - headers: the message's header fields.
    ///   - login: what the client authenticated as; nil when it is trusted by its address.
    ///   - now: the time, in seconds since 1970.
    func begin(_ headers: HeaderBlock, login: [UInt8]?, now: Int64) -> OutgoingMessage? {
        guard !entries.isEmpty else { return nil }
        let author = AuthorIdentity(of: headers)
        // RFC 6376 § 5.1: sign for a domain only what it is right to sign. Several authors leave open whose it is.
        guard author.fromCount == 1, let domain = author.authorDomain else {
            let isOurs = author.domains.contains { entry(for: $0) != nil }
            return isOurs ? OutgoingMessage(unsigned: "From does not name one author") : nil
        }
        guard let entry = entry(for: domain) else { return nil }
        if let logins = entry.logins, let login, !logins.contains(login[...].text.lowercased()) {
            return OutgoingMessage(unsigned: "login \(login[...].text) does not own \(domain)")
        }
        return OutgoingMessage(headers, keys: entry.keys, options: entry.options, now: now)
    }

    /// The most specific entry for an author's domain.
    private func entry(for domain: DomainName) -> Entry? {
        entries
            .filter { $0.domain == domain || ($0.includesSubdomains && domain.isSubdomain(of: $0.domain)) }
            .max { $0.domain.labelCount < $1.domain.labelCount }
    }
}

extension DKIMSigningOptions {
    /// The options that a configuration asks for.
    init(_ signing: Configuration.Signing) {
        self.init()
        headers = signing.headers
        oversigned = signing.oversign
        canonicalization = signing.canonicalization.pair
        lifetime = signing.lifetime?.components.seconds
        identity = signing.identity
        // A milter folds with LF alone; the MTA writes CRLF.
        foldsWithLF = true
    }
}

extension Configuration.Signing.Canonicalization {
    fileprivate var pair: CanonicalizationPair {
        switch self {
        case .relaxedRelaxed: CanonicalizationPair(header: .relaxed, body: .relaxed)
        case .relaxedSimple: CanonicalizationPair(header: .relaxed, body: .simple)
        case .simpleRelaxed: CanonicalizationPair(header: .simple, body: .relaxed)
        case .simpleSimple: CanonicalizationPair(header: .simple, body: .simple)
        }
    }
}
