internal import DMARC
public import MailAuthentication
public import MailSyntax
public import Policy
public import PosternConfiguration

/// One configuration, read and checked, with everything that follows from it.
///
/// Immutable: a reload makes another one, and each message is judged by one alone.
public final class Setup: Sendable {
    /// What the administrator set.
    public let configuration: Configuration
    /// Which checks are made, and how.
    public let authentication: AuthenticationSettings
    /// The rules.
    public let engine: PolicyEngine
    /// The keys that mail is signed with.
    public let signing: SigningTable
    /// Clients whose mail is our own.
    public let trusted: NetworkSet
    /// Clients whose mail is passed by.
    public let skipped: NetworkSet
    /// Where answers come from.
    public let resolver: ConfiguredResolver
    /// What to do with the mail of each listener, by its address as the configuration writes it.
    public let roles: [String: Configuration.Listen.Role]

    /// Completes a configuration by the keys that it names.
    public init(_ configuration: Configuration, resolver: ConfiguredResolver) throws(ConfigurationError) {
        self.configuration = configuration
        self.resolver = resolver
        roles = Dictionary(configuration.listen.map { ($0.socket.description, $0.role) }) { first, _ in first }
        try Self.requireList(configuration)
        authentication = AuthenticationSettings(configuration)
        engine = PolicyEngine(
            rules: configuration.rules,
            mode: configuration.mode,
            mixed: configuration.mixed,
            undecided: configuration.limits.undecided
        )
        signing = try SigningTable(configuration.signing)
        trusted = NetworkSet(configuration.trust.networks)
        skipped = NetworkSet(configuration.trust.skip)
    }

    /// RFC 7489 § 3.2 cannot be obeyed without the list, and nobody should believe that it is.
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

    /// The setting by which mail of this client is not judged; nil where it is.
    public func exemption(of client: IPAddress) -> String? {
        if skipped.contains(client) { return "trust.skip" }
        let isJudged = configuration.listen.contains { $0.role == .inbound }
        return !isJudged && trusted.contains(client) ? "trust.networks" : nil
    }

    /// The fields that a message gets, from a host of this name.
    public func headers(authservID: Octets) -> HeaderSettings {
        var headers = configuration.headers
        headers.authservID = configuration.authservID.map { Octets($0) } ?? authservID
        return headers
    }
}

extension PublicSuffixList {
    /// The list that the distribution installs, loaded once and when it is asked for; nil where it is not installed.
    static let system = PublicSuffixList(path: systemPath)
}
