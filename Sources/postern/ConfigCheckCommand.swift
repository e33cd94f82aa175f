internal import ArgumentParser
internal import CommandSupport
internal import DKIM
internal import DNSLookup
internal import MailCrypto
internal import MailSyntax
internal import NIOPosix
internal import PosternConfiguration
internal import PosternSetup

/// `postern config check`.
struct ConfigCheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Look for mistakes in the configuration, and for what may not be meant.",
        discussion: """
            Reads everything that the daemon would read: the lists, the keys and the zone file too, and looks whether \
            it could make its sockets and the mail server reach them. It judges as the account that will run the \
            daemon: called by root as the user postern where there is one, else as the caller, and says which. With \
            --dns, it also looks up whether each signing key is published. Exits with 1 when the daemon would not take \
            the configuration, or a key is not published.
            """
    )

    @Flag(help: "Look up the DNS record of each signing key, and compare it with the key.")
    var dns = false

    @Argument(help: "The configuration.")
    var file = Configuration.standardPath

    func run() async throws {
        var account = Account.current
        let check = ConfigurationCheck(
            path: file,
            as: {
                account = Account.becomeService()
                return account
            },
            group: MultiThreadedEventLoopGroup.singleton
        )
        for problem in check.problems { Report.print(problem.description) }
        guard let configuration = check.configuration, let resolver = check.resolver else {
            Report.print("\(file): not valid; judged as the user \(account.name)")
            throw ExitCode.failure
        }
        let arePublished = dns ? await checkKeys(configuration.signing, resolver) : true
        await resolver.close()
        guard arePublished else { throw ExitCode.failure }
        print("\(file): \(configuration.summary); judged as the user \(account.name)")
        if dns {
            let count = configuration.signing.reduce(0) { $0 + $1.keys.count * $1.allDomains.count }
            print("\(file): \(Counted.words(count, "key record")) published, and right")
        }
        for note in configuration.notes { print("\(file): note: \(note)") }
    }

    /// Compares each key with its record; a line for each that differs.
    private func checkKeys(_ signing: [Configuration.Signing], _ resolver: ConfiguredResolver) async -> Bool {
        var arePublished = true
        for entry in signing {
            for (key, domain) in entry.keys.flatMap({ key in entry.allDomains.map { (key, $0) } }) {
                guard let problem = await problem(key, domain, resolver) else { continue }
                arePublished = false
                Report.print("\(entry.location): signing.keys: \(key.file): \(problem)")
            }
        }
        return arePublished
    }

    private func problem(
        _ key: Configuration.Signing.Key,
        _ domain: DomainName,
        _ resolver: ConfiguredResolver
    ) async -> String? {
        do {
            let privateKey = try PrivateKey(pem: KeyFile.read(key.file))
            let signingKey = try DKIMSigningKey(domain: domain, selector: key.selector, key: privateKey)
            let reply = await resolver.dns.lookUp(DKIMPublishedKeyCheck.question(for: signingKey))
            return DKIMPublishedKeyCheck.problem(with: signingKey, reply: reply)
        } catch {
            return "\(error)"
        }
    }
}
