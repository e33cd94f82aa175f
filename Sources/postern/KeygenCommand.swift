internal import ArgumentParser
internal import DKIM
internal import Glibc
internal import MailCrypto
internal import MailSyntax
internal import PosternSetup

/// `postern keygen`: makes a key, keeps the private half, prints the record for the public one.
struct KeygenCommand: ParsableCommand {
    /// The kinds of key that can be made.
    enum KeyType: String, ExpressibleByArgument, CaseIterable {
        case rsa
        case ed25519
    }

    static let configuration = CommandConfiguration(
        commandName: "keygen",
        abstract: "Make a DKIM key and print the TXT record that publishes it.",
        discussion: """
            The private key goes to SELECTOR.pem, readable by its owner alone; called by root, where there is a user \
            postern, by that user's group too, as the daemon needs it. A file that exists is never replaced.
            """
    )

    @Option(help: "The domain that will sign (d=).") var domain: String
    @Option(help: "The selector under which the key will be published (s=).") var selector: String
    @Option(help: "The kind of key.") var type = KeyType.rsa
    @Option(help: "The length of an RSA key in bits, 1024 to 8192; 2048 by default.") var bits: Int?
    @Option(help: "Where the private key is written.") var directory = "."

    func validate() throws {
        if let bits {
            guard type == .rsa else { throw ValidationError("--bits: an Ed25519 key has one length; leave --bits off") }
            guard DKIMKeyRecord.modulusBits.contains(bits) else {
                throw ValidationError("--bits: \(bits) is not in 1024 to 8192")
            }
        }
        _ = try KeyNames(domain: domain, selector: selector)
    }

    func run() throws {
        try checkDirectory()
        let names = try KeyNames(domain: domain, selector: selector)
        let key: DKIMSigningKey
        let record: String
        let pem: [UInt8]
        do {
            key = try DKIMSigningKey(
                domain: names.domain,
                selector: names.selector,
                key: PrivateKey.generate(type == .rsa ? .rsa : .ed25519, bits: bits ?? 2048)
            )
            record = try key.zoneRecord()
            pem = try key.key.pem()
        } catch let error as CryptoError {
            Report.write("the key \(error)")
            throw ExitCode(EX_SOFTWARE)
        }
        let path = "\(directory)/\(key.selector).pem"
        if unsafe access(path, F_OK) == 0 {
            Report.write("\(path) exists, and a key is never replaced; type another --selector or --directory")
            throw ExitCode(EX_CANTCREAT)
        }
        let service = geteuid() == 0 ? Account(named: Account.serviceName) : nil
        try OutputFile.create(path, mode: 0o600, readableBy: service?.group, pem)
        Report.write("\(path) written")
        if service != nil, let problem = KeyFile.problem(with: path, as: Account.becomeService()) {
            let command = problem.command.isEmpty ? "" : " (type: \(problem.command))"
            Report.write("the daemon will not read it there: \(problem)\(command)")
        }
        try OutputFile.writeToStandardOutput([UInt8]((record + "\n").utf8))
    }

    /// Says which directory is missing, before a key is made for it.
    private func checkDirectory() throws(ExitCode) {
        guard unsafe access(directory + "/.", F_OK) != 0 else { return }
        Report.writeSystemError("the directory \(directory)")
        throw ExitCode(EX_CANTCREAT)
    }
}
