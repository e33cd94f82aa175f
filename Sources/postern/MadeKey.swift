internal import ArgumentParser
internal import CommandSupport
internal import DKIM
internal import Glibc
internal import MailCrypto
internal import MailSyntax
internal import PosternSetup

/// A new key with its names and the file that it goes to.
struct MadeKey {
    /// Where the private half goes.
    let path: String
    /// The domain that signs (d=).
    let domain: DomainName
    /// The selector (s=).
    let selector: DomainName
    /// The private half.
    let pem: [UInt8]
    /// The public half, as a zone file has it.
    let record: String

    init(_ names: KeyNames, _ kind: PublicKey.Kind, bits: Int, path: String) throws {
        self.path = path
        domain = names.domain
        selector = names.selector
        do {
            let key = try DKIMSigningKey(
                domain: domain,
                selector: selector,
                key: PrivateKey.generate(kind, bits: bits)
            )
            record = try key.zoneRecord()
            pem = try key.key.pem()
        } catch let error as CryptoError {
            Report.write("the key \(error)")
            throw ExitCode(EX_SOFTWARE)
        }
    }

    /// The path from the root: a relative one would start at the configuration's folder.
    var absolutePath: String {
        // realpath(3) gives memory that is ours to free.
        guard let resolved = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// Says why the daemon will not read the key, where it will not.
    func noteObstacle(for account: Account) {
        guard let problem = KeyFile.problem(with: path, as: account) else { return }
        let command = problem.command.isEmpty ? "" : " (type: \(problem.command))"
        Report.write("the daemon will not read it there: \(problem)\(command)")
    }
}

/// A `[[signing]]` table to be pasted into the configuration.
struct SigningTableText {
    /// The table as TOML, without a line end.
    let text: String

    init(_ keys: [MadeKey]) {
        let entries = keys.map { "    { selector = \"\($0.selector)\", file = \"\($0.absolutePath)\" },\n" }
        let domain = keys.first.map { "\($0.domain)" } ?? ""
        text = "\n[[signing]]\ndomain = \"\(domain)\"\nkeys = [\n" + entries.joined() + "]"
    }
}
