internal import DKIM
internal import DMARC
internal import DNSResolver
public import MailAuthentication
internal import MailSyntax
public import Policy
public import PosternConfiguration
internal import SPF

extension PolicyEngine {
    /// The rules of a configuration.
    public convenience init(_ configuration: Configuration) {
        self.init(
            rules: configuration.rules,
            forwarders: configuration.forwarders,
            mode: configuration.mode,
            mixed: configuration.mixed,
            undecided: configuration.limits.undecided
        )
    }
}

extension AuthenticationSettings {
    /// The checks of a configuration.
    init(_ configuration: Configuration) {
        self.init()
        let set = configuration.checks
        checks = PerCheck { configuration.isMade($0) }
        spf = set.spf.options
        spf.receiver = Octets(configuration.authservID ?? HostName.current)
        dkim = set.dkim.options
        if set.dmarc.organizationalDomain == .walkAndList, let list = PublicSuffixList.system {
            alignment = .walkOrList(list)
        }
        verifiesLists = configuration.rules.verifiesLists
        permits = configuration.rules.permits
    }
}

extension RelaySettings {
    /// The relays of a configuration; nil where there are none.
    init?(_ configuration: Configuration.Trust.Relays) {
        guard !configuration.networks.isEmpty else { return nil }
        self.init(
            networks: NetworkSet(configuration.networks),
            names: Set(configuration.by),
            results: configuration.results.map { Octets($0) },
            refuses: configuration.refuse
        )
    }
}

extension AuthenticationSettings {
    /// The same checks for a user who wants explanations: the outcome notes where the public suffix list disagrees with
    /// the tree walk.
    public var explained: AuthenticationSettings {
        guard case .walk = alignment, let list = PublicSuffixList.system else { return self }
        var settings = self
        settings.alignment = .walkBeside(list)
        return settings
    }
}

extension ResolverOptions {
    /// How many questions of a message are certain to have room to wait.
    private static let waitingPerSession = 8

    /// The servers, times and limits of a configuration.
    init(_ configuration: Configuration) {
        self = configuration.dns.options
        if servers.isEmpty { servers = Self.systemServers() }
        maximumWaiting = configuration.listen.reduce(0) { $0 + $1.maximumConnections } * Self.waitingPerSession
        patience = configuration.limits.timeout
    }
}
