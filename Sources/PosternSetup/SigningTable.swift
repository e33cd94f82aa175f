public import DKIM
internal import MailCrypto
public import MailSyntax
internal import Policy
public import PosternConfiguration

/// Who signs for which domain, by the configuration and the keys that it names.
public struct SigningTable: Sendable {
    private let table: DKIMSigningTable
    /// Whether nothing is signed at all.
    public let isEmpty: Bool

    /// Reads the keys that the configuration names.
    public init(_ configuration: [Configuration.Signing]) throws(ConfigurationError) {
        let account = Account.current
        var entries = [DKIMSigningTable.Entry]()
        var problems = [ConfigurationProblem]()
        for (index, signing) in configuration.enumerated() {
            let read = Self.keys(of: signing, "signing[\(index + 1)]", as: account)
            problems += read.problems
            var options = signing.options
            // A milter folds with LF alone; the MTA writes CRLF.
            options.foldsWithLF = true
            entries.append(
                DKIMSigningTable.Entry(
                    domain: signing.domain,
                    includesSubdomains: signing.subdomains,
                    logins: signing.logins.map { $0.map { Octets($0) } },
                    keys: read.keys,
                    options: options
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

    /// Who signs for the author of a message that a client with this login sends.
    ///
    /// - Parameters:
    ///   - author: the author's domain.
    ///   - login: what the client authenticated as; nil when it is trusted by its address.
    public func decision(author: DomainName, login: Octets?) -> DKIMSigningTable.Decision {
        table.decision(author: author, login: login)
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
