internal import DKIM
internal import DMARC
internal import DNSResolver
public import MailAuthentication
internal import MailSyntax
internal import Policy
internal import PosternConfiguration
internal import SPF

extension AuthenticationSettings {
    /// The checks that a configuration asks for.
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
    }
}

extension AuthenticationSettings {
    /// The same checks for somebody who asks why: where the public suffix list says something else than the tree walk, the
    /// outcome tells.
    public var explained: AuthenticationSettings {
        guard case .walk = alignment, let list = PublicSuffixList.system else { return self }
        var settings = self
        settings.alignment = .walkBeside(list)
        return settings
    }
}

extension ResolverOptions {
    /// How many questions of a message are sure to find a place to wait.
    private static let waitingPerSession = 8

    /// The servers, times and bounds that a configuration asks for.
    init(_ configuration: Configuration) {
        self = configuration.dns.options
        if servers.isEmpty { servers = Self.systemServers() }
        maximumWaiting = configuration.listen.reduce(0) { $0 + $1.maximumConnections } * Self.waitingPerSession
        patience = configuration.limits.timeout
    }
}
