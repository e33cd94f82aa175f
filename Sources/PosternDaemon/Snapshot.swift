internal import DKIM
internal import DMARC
public import MailAuthentication
public import MailSyntax
internal import MilterServer
public import Policy
public import PosternConfiguration
internal import SPF

/// One configuration, read and checked, with everything that follows from it.
///
/// Immutable: a reload makes another one, and each message is judged by one alone.
public final class Snapshot: Sendable {
    /// What the administrator set.
    public let configuration: Configuration
    /// Which checks are made, and how.
    public let authentication: AuthenticationSettings
    /// The rules.
    public let engine: PolicyEngine
    /// The keys that mail is signed with.
    let signing: SigningTable
    /// Clients whose mail is our own.
    let trusted: NetworkSet
    /// Clients whose mail is passed by.
    let skipped: NetworkSet

    /// Where answers come from.
    public let lookups: Lookups
    /// What to do with the mail of each listener.
    let roles: [String: Configuration.Listen.Role]

    /// Completes a configuration by the keys that it names.
    public init(_ configuration: Configuration, lookups: Lookups) throws(ConfigurationError) {
        self.configuration = configuration
        self.lookups = lookups
        roles = Dictionary(configuration.listen.map { (MilterListener($0).place, $0.role) }) { first, _ in first }
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
        HeaderSettings(configuration.headers, authservID: configuration.authservID.map { Octets($0) } ?? authservID)
    }
}

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

extension MilterListener {
    /// Where it listens, whatever else is set for it.
    var place: String {
        switch address {
        case .unix(let path, _, _): "unix:\(path)"
        case .tcp(let host, let port): "\(host):\(port)"
        case .systemd(let name): "systemd:\(name)"
        }
    }

    /// The listener that a configuration asks for.
    init(_ listen: Configuration.Listen) {
        let address: Address =
            switch listen.socket {
            case .unix(let path): .unix(path: path, mode: UInt16(clamping: listen.mode), group: listen.group)
            case .inet(let address, let port): .tcp(host: "\(address)", port: port)
            case .systemd(let name): .systemd(name: name)
            }
        self.init(address, maximumConnections: listen.maxConnections)
    }
}

extension PublicSuffixList {
    /// The list that the distribution installs, loaded once and when it is asked for; nil where it is not installed.
    static let system = PublicSuffixList(path: systemPath)
}
