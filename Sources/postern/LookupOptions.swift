internal import ArgumentParser
internal import CommandSupport
internal import DNSResolver
internal import NIOPosix
internal import PosternConfiguration
internal import PosternSetup

/// The options for DNS lookups; they override `[dns]` of the configuration.
struct LookupOptions: ParsableArguments {
    @Option(name: .long, parsing: .upToNextOption, help: "Name servers to ask: ADDRESS or ADDRESS:PORT.")
    var nameserver: [String] = []

    @Option(name: .long, help: "A zone file (RFC 1035) that answers every lookup.")
    var zone: String?

    @Option(name: .long, help: "How long all checks of one message may wait for the DNS, such as 5s or 400ms.")
    var dnsTimeout: String?

    /// Removes and returns the argument after the last server, if it is not a server: it is the message of the command.
    mutating func takeMessage() -> String? {
        guard nameserver.count > 1, let last = nameserver.last, AddressAndPort(last, defaultPort: 53) == nil else {
            return nil
        }
        return nameserver.removeLast()
    }

    func validate() throws {
        // The last of several arguments may be the message of the command.
        if let text = nameserver.dropLast(nameserver.count > 1 ? 1 : 0).first(where: {
            AddressAndPort($0, defaultPort: 53) == nil
        }) {
            throw ValidationError("--nameserver: '\(text)' is neither ADDRESS nor ADDRESS:PORT")
        }
        if let dnsTimeout, Units.duration(dnsTimeout) == nil {
            throw ValidationError("--dns-timeout: '\(dnsTimeout)' is no time; expected one such as 400ms, 5s or 2m")
        }
    }

    /// Says that no name server has answered, where none has.
    func noteSilence(of resolver: ConfiguredResolver) {
        if let silence = resolver.silence { Report.write("\(silence) (type: --nameserver ADDRESS)") }
    }

    /// The problem, under the name of the option instead of the setting, if an option set the value.
    private func naming(_ problem: ConfigurationProblem) -> ConfigurationProblem {
        guard zone != nil, problem.key == "dns.zone" else { return problem }
        return ConfigurationProblem(
            file: problem.file,
            line: problem.line,
            column: problem.column,
            key: "--zone",
            message: problem.message,
            accepted: problem.accepted,
            command: problem.command
        )
    }

    /// Applies the options to a configuration.
    private func apply(to configuration: inout Configuration) {
        if !nameserver.isEmpty {
            configuration.dns.options.servers = nameserver.compactMap { text in
                AddressAndPort(text, defaultPort: 53).map { NameServer($0) }
            }
            configuration.dns.zone = nil
        }
        if let zone { configuration.dns.zone = zone }
        if let timeout = dnsTimeout.flatMap({ Units.duration($0) }) {
            configuration.limits.timeout = timeout
            configuration.dns.options.timeout = min(configuration.dns.options.timeout, timeout)
            configuration.dns.options.attemptTimeout = min(configuration.dns.options.attemptTimeout, timeout)
        }
    }

    /// The setup for the command: the given configuration, otherwise the installed one, otherwise the defaults, with
    /// these options.
    ///
    /// If there are problems, prints each to standard error and ends the command.
    func setup(_ path: String?) throws -> Setup {
        var configuration =
            try (path ?? Configuration.installedPath).map { try ConfigurationFile.load($0) } ?? Configuration()
        apply(to: &configuration)
        do throws(ConfigurationError) {
            return try Setup(forCommand: configuration, group: MultiThreadedEventLoopGroup.singleton)
        } catch {
            for problem in error.problems { Report.print("\(naming(problem))") }
            throw ConfigurationFile.invalid
        }
    }
}
