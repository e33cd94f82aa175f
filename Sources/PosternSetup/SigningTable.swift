public import DKIM
internal import MailCrypto
public import MailSyntax
internal import Policy
public import PosternConfiguration

/// The signers of each domain, from the configuration and the keys that it names.
public struct SigningTable: Sendable {
    private let table: DKIMSigningTable
    /// Whether no mail is signed at all.
    public let isEmpty: Bool

    /// Reads the keys that the configuration names.
    public init(_ configuration: [Configuration.Signing]) throws(ConfigurationError) {
        let account = Account.current
        var entries = [DKIMSigningTable.Entry]()
        var problems = [ConfigurationProblem]()
        for (index, signing) in configuration.enumerated() {
            let read = Self.keys(of: signing, as: account) { "signing[\(index + 1)].keys[\($0 + 1)].file" }
            problems += read.problems
            var options = signing.options
            // A milter uses LF alone in folded lines; the MTA writes CRLF.
            options.foldsWithLF = true
            for domain in signing.allDomains {
                entries.append(
                    DKIMSigningTable.Entry(
                        domain: domain,
                        includesSubdomains: signing.subdomains,
                        logins: signing.logins.map { $0.map { Octets($0) } },
                        keys: read.keys[domain] ?? [],
                        options: options
                    )
                )
            }
        }
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        table = DKIMSigningTable(entries)
        isEmpty = entries.isEmpty
    }

    /// The problems of the keys that a configuration names, for this process's account.
    static func problems(
        _ configuration: [Configuration.Signing],
        as account: Account = .current
    ) -> [ConfigurationProblem] {
        // Tables without a domain have been reported already.
        configuration.enumerated().filter { !$1.allDomains.isEmpty }.flatMap { index, signing in
            keys(of: signing, as: account) { "signing[\(index + 1)].keys[\($0 + 1)].file" }.problems
        }
    }

    /// The keys of each domain: one private key serves all.
    ///
    /// - Parameters:
    ///   - signing: the domains, and the files of the keys.
    ///   - account: the account that reads the files.
    ///   - setting: the full name of the setting that names the file at a place.
    static func keys(
        of signing: Configuration.Signing,
        as account: Account,
        _ setting: (Int) -> String
    ) -> (keys: [DomainName: [DKIMSigningKey]], problems: [ConfigurationProblem]) {
        var keys: [DomainName: [DKIMSigningKey]] = [:]
        var problems = [ConfigurationProblem]()
        for (index, key) in signing.keys.enumerated() where key.selector != .root && !key.file.isEmpty {
            func report(_ message: String, command: String = "") {
                problems.append(
                    ConfigurationProblem(
                        file: key.location.file,
                        line: key.location.line,
                        column: 0,
                        key: setting(index),
                        message: message,
                        command: command
                    )
                )
            }
            do {
                let privateKey = try PrivateKey(pem: KeyFile.read(key.file, as: account))
                for domain in signing.allDomains {
                    keys[domain, default: []].append(
                        try DKIMSigningKey(domain: domain, selector: key.selector, key: privateKey)
                    )
                }
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

    /// Decides who signs for the author of a message, given the client's login.
    ///
    /// - Parameters:
    ///   - author: the author's domain.
    ///   - login: the client's login; nil when the client is trusted by its address.
    public func decision(author: DomainName, login: Octets?) -> DKIMSigningTable.Decision {
        table.decision(author: author, login: login)
    }
}

extension Configuration.Signing.Key {
    /// The command that makes a missing key; empty if it would make another file, or if the file's directory does not
    /// exist.
    fileprivate func keygen(for signing: Configuration.Signing, _ failure: KeyFile.Failure) -> String {
        for domain in signing.allDomains {
            let name = "/" + KeyFile.name(domain, selector)
            guard file.hasSuffix(name), failure.path.hasSuffix(name) else { continue }
            let folder = ShellCommand.word(String(file.dropLast(name.utf8.count)))
            return "postern keygen --domain \(domain) --selector \(selector) --directory \(folder)"
        }
        return ""
    }
}
