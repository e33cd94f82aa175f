internal import ArgumentParser
internal import CommandSupport
internal import DKIM
internal import Glibc
internal import MailCrypto
internal import MailSyntax
internal import PosternSetup

/// `postern keygen`: makes keys, keeps the private halves, prints the records for the public ones.
struct KeygenCommand: ParsableCommand {
    /// The kinds of key that can be made.
    enum KeyType: String, ExpressibleByArgument, CaseIterable {
        case rsa
        case ed25519
        case both
    }

    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Make a DKIM key and print the TXT record that publishes it.",
        discussion: """
            The private key goes to DOMAIN_SELECTOR.pem, readable by its owner alone; called by root, where there is a user \
            postern, by that user's group too, as the daemon needs it. A file that exists is never replaced. Standard \
            output has the record alone, as a zone file has it; the [[signing]] table for the configuration goes to \
            standard error. With --type both, the selectors are SELECTORr for the RSA key and SELECTORe for the Ed25519 \
            key, as one name can publish but one key.
            """
    )

    @Option(help: "The domain that will sign (d=).") var domain: String
    @Option(help: "The selector under which the key will be published (s=).") var selector: String
    @Option(help: "The kind of key.") var type = KeyType.rsa
    @Option(help: "The length of an RSA key in bits, 1024 to 8192; 2048 by default.") var bits: Int?
    @Option(help: "Where the private key is written.") var directory = "."

    func validate() throws {
        if let bits {
            guard type != .ed25519 else {
                throw ValidationError("--bits: an Ed25519 key has one length; leave --bits off")
            }
            guard DKIMKeyRecord.modulusBits.contains(bits) else {
                throw ValidationError("--bits: \(bits) is not in 1024 to 8192")
            }
        }
        _ = try names()
    }

    func run() throws {
        try checkDirectory()
        let keys = try names().map { names, kind in
            let path = "\(directory)/" + KeyFile.name(names.domain, names.selector)
            guard unsafe access(path, F_OK) != 0 else {
                Report.write("\(path) exists, and a key is never replaced; type another --selector or --directory")
                throw ExitCode(EX_CANTCREAT)
            }
            return try MadeKey(names, kind, bits: bits ?? 2048, path: path)
        }
        let service = geteuid() == 0 ? Account(named: Account.serviceName) : nil
        for key in keys {
            try OutputFile.create(key.path, mode: 0o600, readableBy: service?.group, key.pem)
            // A comment, because the table below may be appended to the configuration as it is.
            Report.print("# \(key.path) written")
        }
        let table = SigningTableText(keys).text
        let account = service.map { _ in Account.becomeService() }
        for key in keys {
            if let account { key.noteObstacle(for: account) }
            try OutputFile.writeToStandardOutput([UInt8]((key.record + "\n").utf8))
        }
        Report.print(table)
    }

    /// The names of each key that is made, and its kind.
    private func names() throws(ValidationError) -> [(KeyNames, PublicKey.Kind)] {
        switch type {
        case .rsa: [(try names(suffix: ""), .rsa)]
        case .ed25519: [(try names(suffix: ""), .ed25519)]
        case .both: [(try names(suffix: "r"), .rsa), (try names(suffix: "e"), .ed25519)]
        }
    }

    private func names(suffix: String) throws(ValidationError) -> KeyNames {
        // What is wrong with the selector is said of it as it was typed.
        _ = try KeyNames(domain: domain, selector: selector)
        return try KeyNames(domain: domain, selector: selector + suffix)
    }

    /// Says which directory is missing, before a key is made for it.
    private func checkDirectory() throws(ExitCode) {
        guard unsafe access(directory + "/.", F_OK) != 0 else { return }
        let command = "install -d -o root -g \(Account.serviceName) -m 2750 \(directory)"
        Report.writeSystemError("the directory \(directory)", command: command)
        throw ExitCode(EX_CANTCREAT)
    }
}
