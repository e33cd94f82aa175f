internal import DKIM
internal import MailCrypto
internal import MailSyntax
internal import Policy
internal import PosternConfiguration

/// Who signs for which domain, by the configuration and the keys that it names.
struct SigningTable: Sendable {
    private let table: DKIMSigningTable
    private let isEmpty: Bool

    /// Reads the keys that the configuration names.
    init(_ configuration: [Configuration.Signing]) throws(ConfigurationError) {
        var entries = [DKIMSigningTable.Entry]()
        var problems = [ConfigurationProblem]()
        for signing in configuration {
            do throws(ConfigurationError) {
                entries.append(try Self.entry(signing))
            } catch {
                problems += error.problems
            }
        }
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        table = DKIMSigningTable(entries)
        isEmpty = entries.isEmpty
    }

    private static func entry(_ signing: Configuration.Signing) throws(ConfigurationError) -> DKIMSigningTable.Entry {
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
        return DKIMSigningTable.Entry(
            domain: signing.domain,
            includesSubdomains: signing.subdomains,
            logins: signing.logins.map { $0.map { Octets($0) } },
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
        guard !isEmpty else { return nil }
        let author = AuthorIdentity(of: headers)
        // RFC 6376 § 5.1: sign for a domain only what it is right to sign. Several authors leave open whose it is.
        guard author.fromCount == 1, let domain = author.authorDomain else {
            return OutgoingMessage(unsigned: "From does not name one author")
        }
        switch table.decision(author: domain, login: login?[...]) {
        case .foreignDomain: return nil
        case .foreignLogin(let domain):
            let name = login.map { "login " + $0[...].text } ?? "a client without login"
            return OutgoingMessage(unsigned: "\(name) does not own \(domain)")
        case .sign(let entry): return OutgoingMessage(headers, keys: entry.keys, options: entry.options, now: now)
        }
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
