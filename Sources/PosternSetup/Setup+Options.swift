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
        spf.maximumVoidLookups = set.spf.voidLookups
        spf.maximumQueries = set.spf.maximumQueries
        spf.receiver = Octets(configuration.authservID ?? HostName.current)
        dkim.maximumSignatures = set.dkim.maximumSignatures
        dkim.minimumRSABits = set.dkim.minimumBits
        dkim.maximumRSABits = set.dkim.maximumBits
        dkim.clockSkew = set.dkim.clockSkew.components.seconds
        dkim.bodyBeyondLength = set.dkim.unsignedBody == .pass ? .pass : .policy
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

extension HeaderSettings {
    /// The fields that a configuration asks for.
    init(_ configuration: Configuration.Headers, authservID: Octets) {
        self.init(authservID: authservID)
        authenticationResults = configuration.authenticationResults
        receivedSPF = configuration.receivedSPF
        senderID = configuration.senderID
        dkim = configuration.dkim
        authentication = configuration.authResult
        removal = configuration.removeForeign ? .all : configuration.removeForged ? .own : .none
        keepsRemoved = configuration.keepRemoved
        junk = NewField(name: configuration.junk.name, value: Array(configuration.junk.value.utf8))
    }
}

extension ResolverOptions {
    /// How many questions of a message are sure to find a place to wait.
    private static let waitingPerSession = 8

    /// The servers, times and bounds that a configuration asks for.
    init(_ configuration: Configuration) {
        let settings = configuration.dns
        let servers = settings.servers.map { NameServer($0.address, port: $0.port) }
        self.init(servers: servers.isEmpty ? Self.systemServers() : servers)
        timeout = settings.attemptTimeout
        attempts = settings.attempts
        deadline = settings.timeout
        maximumInFlight = settings.maxInFlight
        maximumWaiting = configuration.listen.reduce(0) { $0 + $1.maxConnections } * Self.waitingPerSession
        patience = configuration.limits.timeout
    }
}

extension CacheOptions {
    /// The bounds that a configuration asks for.
    init(_ settings: Configuration.DNS.Cache) {
        self.init()
        maximumEntries = settings.maxEntries
        maximumBytes = settings.maxBytes
        minimumTTL = settings.minTTL
        maximumTTL = settings.maxTTL
        negativeMaximumTTL = settings.negativeMaxTTL
        keyMaximumTTL = settings.keyMaxTTL
        serveStale = settings.serveStale > .zero ? settings.serveStale : nil
        refreshAhead = settings.refreshAhead ? refreshAhead : 0
    }
}

extension DKIMSigningOptions {
    /// The options that a configuration asks for.
    init(_ signing: Configuration.Signing) {
        self.init()
        headers = signing.headers
        oversigned = signing.oversign
        canonicalization = signing.canonicalization.pair
        lifetime = signing.lifetime?.components.seconds
        identity = signing.identity
        // A milter folds with LF alone; the MTA writes CRLF.
        foldsWithLF = true
    }
}

extension Configuration.Signing.Canonicalization {
    fileprivate var pair: CanonicalizationPair {
        switch self {
        case .relaxedRelaxed: CanonicalizationPair(header: .relaxed, body: .relaxed)
        case .relaxedSimple: CanonicalizationPair(header: .relaxed, body: .simple)
        case .simpleRelaxed: CanonicalizationPair(header: .simple, body: .relaxed)
        case .simpleSimple: CanonicalizationPair(header: .simple, body: .simple)
        }
    }
}
