internal import ArgumentParser
internal import CommandSupport
internal import DKIM
internal import Glibc
internal import MailCrypto
internal import PosternSetup

/// `postern key`: looks at signing keys.
struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Show the record of a signing key.",
        subcommands: [Show.self]
    )

    /// `postern key show`.
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Print the TXT record that publishes a key that exists.",
            discussion: """
                Domain and selector are those of the file's name where it is DOMAIN_SELECTOR.pem, as keygen names it. \
                Without either, the text of the record is printed, without its name.
                """
        )

        @Option(help: "The domain that signs (d=).") var domain: String?
        @Option(help: "The selector under which the key is published (s=).") var selector: String?
        @Argument(help: "The file with the private key, in PEM, or - for standard input.") var file: String

        func validate() throws { _ = try names() }

        func run() throws {
            let pem = try InputFile.read(file)
            do {
                let key = try PrivateKey(pem: pem)
                let record =
                    if let known = try names() {
                        try DKIMSigningKey(domain: known.domain, selector: known.selector, key: key).zoneRecord()
                    } else {
                        try DKIMKeyRecord.text(publishing: key)
                    }
                try OutputFile.writeToStandardOutput([UInt8]((record + "\n").utf8))
            } catch let error as CryptoError {
                Report.write("\(file) \(error)")
                throw ExitCode(EX_DATAERR)
            } catch let error as DKIMSigningError {
                Report.write("\(file): \(error)")
                throw ExitCode(EX_DATAERR)
            }
        }

        /// The names that are given, else those of the file; nil where there are none.
        private func names() throws(ValidationError) -> KeyNames? {
            let ofFile = KeyFile.names(of: file)
            guard let domain = domain ?? ofFile.map({ "\($0.domain)" }) else {
                guard selector == nil else { throw ValidationError("--selector: --domain is missing beside it") }
                return nil
            }
            guard let selector = selector ?? ofFile.map({ "\($0.selector)" }) else {
                throw ValidationError("--domain: --selector is missing beside it")
            }
            return try KeyNames(domain: domain, selector: selector)
        }
    }
}
