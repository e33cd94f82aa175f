internal import DKIM
internal import MailAuthentication
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
        let account = Account.current
        var entries = [DKIMSigningTable.Entry]()
        var problems = [ConfigurationProblem]()
        for (index, signing) in configuration.enumerated() {
            let read = Self.keys(of: signing, "signing[\(index + 1)]", as: account)
            problems += read.problems
            entries.append(
                DKIMSigningTable.Entry(
                    domain: signing.domain,
                    includesSubdomains: signing.subdomains,
                    logins: signing.logins.map { $0.map { Octets($0) } },
                    keys: read.keys,
                    options: DKIMSigningOptions(signing)
                )
            )
        }
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        table = DKIMSigningTable(entries)
        isEmpty = entries.isEmpty
    }

    /// What is wrong with the keys that a configuration names, for an account that this process has.
    static func problems(
        _ configuration: [Configuration.Signing],
        as account: Account = .current
    ) -> [ConfigurationProblem] {
        // Those without a domain have a problem already.
        configuration.enumerated().filter { $1.domain != .root }.flatMap { index, signing in
            keys(of: signing, "signing[\(index + 1)]", as: account).problems
        }
    }

    private static func keys(
        of signing: Configuration.Signing,
        _ path: String,
        as account: Account
    ) -> (keys: [DKIMSigningKey], problems: [ConfigurationProblem]) {
        var keys = [DKIMSigningKey]()
        var problems = [ConfigurationProblem]()
        for (index, key) in signing.keys.enumerated() where key.selector != .root && !key.file.isEmpty {
            func report(_ message: String, command: String = "") {
                problems.append(
                    ConfigurationProblem(
                        file: key.location.file,
                        line: key.location.line,
                        column: 0,
                        key: "\(path).keys[\(index + 1)].file",
                        message: message,
                        command: command
                    )
                )
            }
            do {
                let octets = try KeyFile.read(key.file, as: account)
                keys.append(
                    try DKIMSigningKey(
                        domain: signing.domain,
                        selector: key.selector,
                        key: PrivateKey(pem: octets)
                    )
                )
            } catch let failure as KeyFile.Failure {
                report("\(failure)", command: failure.isAbsent ? key.keygen(for: signing, failure) : failure.command)
            } catch let error as CryptoError {
                report("\(key.file) \(error)")
            } catch {
                report("\(key.file): \(error)")
            }
        }
        return (keys, problems)
    }

    /// Begins to sign a message, or finds out why it is not signed; nil when nobody expects a signature.
    ///
    /// - Parameters:
    ///   - headers: the message's header fields.
    ///   - login: what the client authenticated as; nil when it is trusted by its address.
    ///   - stamps: the fields by which this host tells what it has judged before; nil for a client that may not have them.
    ///   - now: the time, in seconds since 1970.
    func begin(_ headers: HeaderBlock, login: [UInt8]?, stamps: HeaderSettings?, now: Int64) -> OutgoingMessage? {
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
        case .sign(let entry):
            // What a content filter brings back from outside comes from an address of our own.
            if stamps?.haveJudged(headers, author: domain) == true {
                return OutgoingMessage(unsigned: "Authentication-Results of ours say that it came from outside")
            }
            return OutgoingMessage(headers, keys: entry.keys, options: entry.options, now: now)
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

extension Configuration.Signing.Key {
    /// The command that makes a key that is absent; empty when it would make another file, or has no directory for it.
    fileprivate func keygen(for signing: Configuration.Signing, _ failure: KeyFile.Failure) -> String {
        let name = "/\(selector).pem"
        guard file.hasSuffix(name), failure.path.hasSuffix(name) else { return "" }
        let folder = ShellCommand.word(String(file.dropLast(name.utf8.count)))
        return "postern keygen --domain \(signing.domain) --selector \(selector) --directory \(folder)"
    }
}
