internal import ArgumentParser
internal import CommandSupport
internal import Glibc
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
            --dns, it also looks up whether each signing key, and that of seals, is published. Exits with 1 when the daemon would not take \
            the configuration, or a key is not published, with 75 when the DNS does not say.
            """
    )

    @Flag(help: "Look up the DNS record of each key, and compare it with the key.")
    var dns = false

    @Argument(help: "The configuration.")
    var file = Configuration.standardPath

    // As the other commands take it.
    @Option(help: .hidden)
    var config: String?

    mutating func validate() throws {
        guard let config else { return }
        guard file == Configuration.standardPath else {
            throw ValidationError("expected one configuration; --config names another")
        }
        file = config
    }

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
        let problems = dns ? await PublishedKeys(configuration, resolver.dns).problems : []
        for problem in problems { Report.print(problem.text) }
        if let silence = resolver.silence { Report.print("\(file): dns.servers: \(silence)") }
        await resolver.close()
        guard problems.isEmpty else {
            throw problems.allSatisfy(\.isUnanswered) ? ExitCode(EX_TEMPFAIL) : ExitCode.failure
        }
        print("\(file): \(configuration.summary); judged as the user \(account.name)")
        if dns {
            let signing = configuration.signing + [configuration.sealing.signing].compactMap { $0 }
            let count = signing.reduce(0) { $0 + $1.keys.count * $1.allDomains.count }
            print("\(file): \(Counted.words(count, "key record")) published, and right")
        }
        for note in configuration.notes { print("\(file): note: \(note)") }
    }
}
