internal import DKIM
internal import Glibc
public import MailAuthentication
internal import MailSyntax
public import NIOCore
public import PosternConfiguration

extension Configuration {
    /// The path of the installed configuration; nil when this process cannot read it.
    public static var installedPath: String? {
        unsafe access(standardPath, R_OK) == 0 ? standardPath : nil
    }
}

extension Setup {
    /// The setup for a command, which signs only with the keys that it is given, seals nothing and saves no cache.
    ///
    /// - Parameters:
    ///   - configuration: the settings.
    ///   - group: the event loops for lookups.
    /// - Throws: the problem of the zone file, or of a file that is missing on this host.
    public convenience init(
        forCommand configuration: Configuration,
        group: any EventLoopGroup
    ) throws(ConfigurationError) {
        var configuration = configuration
        configuration.signing = []
        configuration.sealing = Configuration.Sealing()
        configuration.dns.cache.snapshot = nil
        try self.init(configuration, resolver: ConfiguredResolver(configuration, group: group))
    }
}

extension MessageJudge {
    /// A judge for a configuration, under this host's name, for a user who wants explanations.
    public init(_ setup: Setup) {
        var settings = setup.authentication.explained
        // Nobody else waits, so the search for changed parts may take its time.
        settings.dkim.diagnosisOctets = 268_435_456
        self.init(
            settings: settings,
            headers: setup.headers(authservID: Octets(HostName.current)),
            engine: setup.engine,
            resolver: setup.resolver.dns,
            timeout: setup.configuration.limits.timeout,
            maximumHeaderOctets: setup.configuration.limits.maximumHeaderOctets,
            relays: setup.relays
        )
    }
}
