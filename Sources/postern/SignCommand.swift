internal import ArgumentParser
internal import CommandSupport
internal import DKIM
internal import Glibc
internal import MailCrypto
internal import MailSyntax
internal import PosternSetup

/// `postern sign`: writes a message with a signature above it.
struct SignCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sign",
        abstract: "Sign a stored message with DKIM and write it to standard output.",
        discussion: "Exits with 1 when no signature can be made, as for a message with several From fields."
    )

    @Option(help: "The domain that signs (d=).") var domain: String
    @Option(help: "The selector under which the key is published (s=).") var selector: String
    @Option(help: "The file with the private key, in PEM.") var key: String
    @Option(help: ArgumentHelp("How header and body are canonicalized (c=).", valueName: "header/body"))
    var canonicalization = "relaxed/relaxed"
    @Option(help: "After how long the signature expires (x=): 400s, 2m, 1h, 7d.") var lifetime: String?
    @Option(help: "The identity on whose behalf the message is signed (i=).") var identity: String?
    @Option(help: "The time of signing: RFC 3339, or seconds since 1970.", transform: PointInTime.init)
    var now: PointInTime?
    @Argument(help: "The message, or - for standard input.") var message: String

    func validate() throws {
        _ = try KeyNames(domain: domain, selector: selector)
        _ = try signingOptions()
    }

    func run() throws {
        let octets = try InputFile.read(message)
        let stored = StoredMessage(octets[...])
        let signingKey = try readKey()
        var options = try signingOptions()
        // The field gets the line ends of the message.
        let lineFeed = octets.firstIndex(of: .lf)
        options.foldsWithLF = lineFeed.map { $0 == 0 || octets[$0 - 1] != .cr } ?? false
        var signer = DKIMMessageSigner(keys: [signingKey], options: options, now: now?.time ?? Clock.now)
        signer.endOfHeaders(stored.headers)
        unsafe stored.body.withUnsafeBytes { unsafe signer.body($0) }
        // A file whose line ends are LF alone represents a message with CRLF.
        for warning in signer.warnings where warning != .bareLineEnd || !options.foldsWithLF {
            Report.write("warning: \(warning.consequence)")
        }
        let lineEnd: [UInt8] = options.foldsWithLF ? [.lf] : [.cr, .lf]
        let values: [[UInt8]]
        do throws(DKIMSigningError) {
            values = try signer.finish()
        } catch {
            Report.write("not signed: \(error)")
            throw ExitCode(1)
        }
        let name = [UInt8]((DKIMPreparedSignature.fieldName + ":").utf8)
        try OutputFile.writeToStandardOutput(values.flatMap { name + $0 + lineEnd } + octets)
    }

    private func readKey() throws -> DKIMSigningKey {
        let names = try KeyNames(domain: domain, selector: selector)
        let pem = try InputFile.read(key)
        do {
            let privateKey = try PrivateKey(pem: pem)
            if let problem = KeyFile.problem(with: key) { Report.write("warning: \(problem)") }
            return try DKIMSigningKey(domain: names.domain, selector: names.selector, key: privateKey)
        } catch let error as CryptoError {
            Report.write("\(key) \(error)")
        } catch let error as DKIMSigningError {
            Report.write("\(key): \(error)")
        }
        throw ExitCode(EX_DATAERR)
    }

    private func signingOptions() throws -> DKIMSigningOptions {
        var options = DKIMSigningOptions()
        guard let pair = CanonicalizationPair(canonicalization) else {
            throw ValidationError(
                "--canonicalization: '\(canonicalization)' is none; expected one such as relaxed/relaxed or simple/relaxed"
            )
        }
        options.canonicalization = pair
        if let lifetime {
            guard let seconds = Names.seconds(lifetime) else {
                throw ValidationError("--lifetime: '\(lifetime)' is no time; expected one such as 400s, 2m, 1h or 7d")
            }
            options.lifetime = seconds
        }
        options.identity = identity
        return options
    }
}
