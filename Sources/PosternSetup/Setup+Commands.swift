internal import DKIM
internal import Glibc
public import MailAuthentication
internal import MailSyntax
public import NIOCore
public import PosternConfiguration

extension Configuration {
    /// The path of the installed configuration; nil where this process cannot read one.
    public static var installedPath: String? {
        unsafe access(standardPath, R_OK) == 0 ? standardPath : nil
    }
}

extension Setup {
    /// What a configuration means to a command, which signs with the keys that it is given and leaves no cache behind.
    ///
    /// - Parameters:
    ///   - configuration: what is set.
    ///   - group: the event loops that lookups live on.
    /// - Throws: what is wrong with the zone file, or missing on this host.
    public convenience init(
        forCommand configuration: Configuration,
        group: any EventLoopGroup
    ) throws(ConfigurationError) {
        var configuration = configuration
        configuration.signing = []
        configuration.dns.cache.snapshot = nil
        try self.init(configuration, resolver: ConfiguredResolver(configuration, group: group))
    }
}

extension MessageJudge {
    /// A judge by a configuration, under the name of this host, for somebody who asks why.
    public init(_ setup: Setup) {
        var settings = setup.authentication.explained
        // Nobody else waits, so what changed may be looked for as long as it takes.
        settings.dkim.diagnosisOctets = 268_435_456
        self.init(
            settings: settings,
            headers: setup.headers(authservID: Octets(HostName.current)),
            engine: setup.engine,
            resolver: setup.resolver.dns,
            timeout: setup.configuration.limits.timeout,
            maximumHeaderOctets: setup.configuration.limits.maximumHeaderOctets
        )
    }
}
