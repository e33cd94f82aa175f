internal import ArgumentParser
internal import DNSLookup
internal import DNSResolver
internal import PosternConfiguration
internal import PosternDaemon

/// The options of the commands that look names up.
struct DNSArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Ask this server instead of the system's; may be given several times.",
            valueName: "address[:port]"
        ),
        transform: { text in
            guard let server = NameServer(text) else { throw ValidationError("\(text) is not an address") }
            return server
        }
    )
    var nameserver: [NameServer] = []

    @Option(help: ArgumentHelp("Answer from this zone file (RFC 1035) and ask no server.", valueName: "file"))
    var zone: String?

    @Option(
        help: ArgumentHelp("How long one lookup may take, as in 400ms or 5s.", valueName: "duration"),
        transform: { text in
            guard let duration = Units.duration(text), duration > .zero else {
                throw ValidationError("\(text) is not a duration such as 400ms or 5s")
            }
            return duration
        }
    )
    var dnsTimeout: Duration?

    /// What answers lookups; the settings are those of the configuration where no option says otherwise.
    ///
    /// - Throws: `ZoneFile.SyntaxError`.
    func resolver(_ settings: Configuration.DNS) throws -> any DNSResolving {
        if let path = zone ?? (nameserver.isEmpty ? settings.zone : nil) { return try ZoneFile.load(path: path) }
        var options = settings.resolverOptions
        if !nameserver.isEmpty { options.servers = nameserver }
        if let dnsTimeout { options.deadline = dnsTimeout }
        return CachingResolver(options, cache: settings.cacheOptions)
    }
}
