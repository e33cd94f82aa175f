internal import DMARC
public import MailAuthentication
public import MailEvents
public import MailSyntax
public import Policy
public import PosternConfiguration

/// One configuration, read and checked, with everything that is derived from it.
///
/// A setup is immutable: a reload creates another setup, and one setup judges the whole of a message.
public final class Setup: Sendable {
    /// The settings.
    public let configuration: Configuration
    /// The checks and their options.
    public let authentication: AuthenticationSettings
    /// The rules.
    public let engine: PolicyEngine
    /// The keys that sign mail.
    public let signing: SigningTable
    /// The key that seals mail; nil where nothing is sealed.
    public let sealing: SealingKey?
    /// Clients whose mail is our own.
    public let trusted: NetworkSet
    /// Clients whose mail is neither judged nor signed.
    public let skipped: NetworkSet
    /// The relays of our own; nil where there are none.
    public let relays: RelaySettings?
    /// The source of DNS answers.
    public let resolver: ConfiguredResolver
    /// The treatment of the mail of each listener, by the listener's address in the notation of the configuration.
    public let roles: [String: Configuration.Listen.Role]
    /// How events are written.
    public let eventForm: EventForm

    /// Completes a configuration with the keys that it names.
    public init(_ configuration: Configuration, resolver: ConfiguredResolver) throws(ConfigurationError) {
        self.configuration = configuration
        self.resolver = resolver
        roles = Dictionary(configuration.listen.map { ($0.socket.description, $0.role) }) { first, _ in first }
        try Self.requireList(configuration)
        authentication = AuthenticationSettings(configuration)
        engine = PolicyEngine(configuration)
        signing = try SigningTable(configuration.signing)
        sealing = try SealingKey(configuration.sealing)
        trusted = NetworkSet(configuration.trust.networks)
        skipped = NetworkSet(configuration.trust.skip)
        relays = RelaySettings(configuration.trust.relays)
        eventForm = EventForm(configuration.events)
    }

    /// Refuses the configuration without the list: RFC 7489 § 3.2 cannot be followed then, and nobody should believe
    /// that it is.
    private static func requireList(_ configuration: Configuration) throws(ConfigurationError) {
        guard configuration.checks.dmarc.organizationalDomain == .walkAndList, PublicSuffixList.system == nil else {
            return
        }
        let key = "checks.dmarc.organizational_domain"
        let problem = ConfigurationProblem(
            file: configuration.file,
            line: configuration.line(of: key),
            column: 0,
            key: key,
            message: "there is no public suffix list at \(PublicSuffixList.systemPath)",
            accepted: "\"walk\", or the Debian package publicsuffix installed"
        )
        throw ConfigurationError(problems: [problem])
    }

    /// The setting that exempts this client's mail from judgement; nil when its mail is judged.
    public func exemption(of client: IPAddress) -> String? {
        if skipped.contains(client) { return "trust.skip" }
        if isRelay(client) { return nil }
        let isJudged = configuration.listen.contains { $0.role == .inbound }
        return !isJudged && trusted.contains(client) ? "trust.networks" : nil
    }

    /// Whether a client is a relay of our own that passes on mail from outside.
    public func isRelay(_ client: IPAddress?) -> Bool {
        guard let relays, let client else { return false }
        return relays.networks.contains(client)
    }

    /// The header fields for a message, under this authserv-id.
    public func headers(authservID: Octets) -> HeaderSettings {
        var headers = configuration.headers
        headers.authservID = configuration.authservID.map { Octets($0) } ?? authservID
        return headers
    }
}

extension EventForm {
    fileprivate init(_ settings: Configuration.Events) {
        self.init(
            host: HostName.current,
            addresses: settings.addresses,
            hasCleanAnswers: settings.answers == .all,
            hasUncleanAnswers: settings.answers != .none
        )
    }
}

extension PublicSuffixList {
    /// The list that the distribution installs, loaded once, on first use; nil when it is not installed.
    static let system = PublicSuffixList(path: systemPath)
}

extension DomainName {
    /// The name that its owner has registered; nil for a public suffix, and where the distribution has installed no list.
    public var registrable: DomainName? { PublicSuffixList.system?.registrableDomain(of: self) }
}
