public import DKIM
public import DNSResolver
public import MailAuthentication
public import MailEvents
public import MailSyntax
public import Policy
internal import TOML

/// All settings of an administrator.
///
/// The initial values are the defaults. `Configuration.settings` describes each setting. A setting that a library has
/// as an option is stored as that option.
public struct Configuration: Sendable {
    /// The authserv-id for Authentication-Results; nil: the MTA's `{j}`, otherwise the host name.
    public var authservID: String?
    /// Whether the rules are enforced.
    public var mode = PolicyMode.observe
    /// The action for a message that is refused for only some of its recipients.
    public var mixed = MixedAction.junk
    /// The sockets for MTAs.
    public var listen = [Listen()]
    /// The mail of our own.
    public var trust = Trust()
    /// The DNS lookups.
    public var dns = DNS()
    /// The checks.
    public var checks = Checks()
    /// The header fields to add; their authserv-id is set when the message is known.
    public var headers = HeaderSettings(authservID: Octets())
    /// The rules.
    public internal(set) var rules = RuleSet()
    /// The configuration's path, as it was given.
    public internal(set) var file = ""
    /// A hash of the file's text and of the lists that it names, 48 bits.
    public internal(set) var contentHash = 0
    /// The rules as written.
    var ruleDrafts: [RuleDraft] = []
    /// The positions of all settings and tables in the file.
    var places: [String: PolicyLocation] = [:]
    /// The settings and lists with names and addresses that are kept for documents.
    var documentationValues: [DocumentationValues] = []
    /// The paths of the lists that name nobody.
    var emptyLists: [String] = []
    /// The forwarders whose mail DMARC's rules do not see fail.
    public var trustedForwarders: [Forwarder] = []
    /// The domains to sign for.
    public var signing: [Signing] = []
    /// The seal of mail that may be sent on.
    public var sealing = Sealing()
    /// The log.
    public var log = Log()
    /// Metrics, health and control.
    public var admin = Admin()
    /// The limits for one message or one peer.
    public var limits = Limits()
    /// The data that is kept for `postern why`.
    public var why = Why()
    /// The events that are written for the ledger.
    public var events = Events()
    /// The ledger's store.
    public var ledger = Ledger()
    /// The DMARC reports that the ledger sends.
    public var reports = Reports()

    /// The defaults.
    public init() {}

    /// Whether the file sets the control socket; otherwise it is only the default.
    public var isControlGiven: Bool { places["admin.control"] != nil }

    /// Whether the file sets the spool; otherwise it is only the default.
    public var isSpoolGiven: Bool { places["events.spool"] != nil }

    /// The line of a setting in the file; 0 for a setting that the file does not contain.
    public func line(of key: String) -> Int { places[key]?.line ?? 0 }
}

extension Configuration {
    /// A socket for connections of MTAs.
    public struct Listen: Sendable, Equatable {
        /// How to treat the mail that arrives at a socket.
        public enum Role: String, CaseIterable, Sendable {
            /// Judge the mail.
            case inbound
            /// Sign the mail.
            case outbound
            /// Sign mail of trusted clients, judge other mail.
            case auto
        }

        /// The address.
        public var socket = ListenAddress.standard
        /// The access mode of a unix socket.
        public var mode = 0o660
        /// The group of a unix socket; nil: the daemon's own.
        public var group: String?
        /// How to treat the mail.
        public var role = Role.auto
        /// The most simultaneous connections; further connections get a temporary failure.
        public var maximumConnections = 1000
        /// The position of the table.
        var position = TOMLPosition(line: 0, column: 0)

        /// The default socket.
        public init() {}

        init(position: TOMLPosition) {
            self.position = position
        }
    }

    /// Mail that is not judged, and may be signed.
    public struct Trust: Sendable, Equatable {
        /// Clients in these networks.
        public var networks: [IPNetwork] = [IPNetwork("127.0.0.0/8"), IPNetwork("::1")].compactMap { $0 }
        /// Clients whose mail is neither judged nor signed.
        public var skip: [IPNetwork] = []
        /// Clients that have authenticated.
        public var authenticated = true
        /// Hosts of our own that pass on mail from outside.
        public var relays = Relays()

        /// Hosts of our own whose mail is judged by the client from which they had it.
        public struct Relays: Sendable, Equatable {
            /// Their addresses.
            public var networks: [IPNetwork] = []
            /// The names by which they call themselves in Received fields.
            public var by: [DomainName] = []
            /// The authserv-id whose results are used in place of the Received fields.
            public var results: String?
            /// Whether rules refuse and discard their mail.
            public var refuse = false
        }
    }

    /// The settings for DNS lookups.
    public struct DNS: Sendable {
        /// The servers and their options; without servers, those of /etc/resolv.conf.
        public var options = ResolverOptions(servers: [])
        /// A zone file that answers all questions instead of servers.
        public var zone: String?
        /// The cache.
        public var cache = Cache()

        /// The settings of the cache.
        public struct Cache: Sendable, Equatable {
            /// The limits of the cache, on its size and on the age of answers.
            public var options = CacheOptions()
            /// A file that keeps the cache across a restart; nil: no file.
            public var snapshot: String?
        }
    }

    /// Domains for which mail is signed with the same keys.
    public struct Signing: Sendable, Equatable {
        /// A private key.
        public struct Key: Hashable, Sendable {
            /// The selector.
            public var selector: DomainName
            /// The path of the key.
            public var file: String
            /// The position of the key in the file.
            public var location: PolicyLocation
        }

        /// The one domain, `d=`; the root where `domains` has several.
        public var domain = DomainName.root
        /// Several domains.
        public var domains = DomainList()
        /// Whether authors in subdomains are signed for too.
        public var subdomains = false
        /// The keys; each key makes one signature.
        public var keys: [Key] = []
        /// The parts that are signed, and how.
        public var options = DKIMSigningOptions()
        /// The logins that may send for the domain; nil: all.
        public var logins: [String]?
        /// The position of the table.
        public var location: PolicyLocation

        /// Every domain that is signed for.
        public var allDomains: [DomainName] { domain == .root ? domains.names : [domain] }
    }

    /// The log.
    public struct Log: Sendable, Equatable {
        /// The destination of the log.
        public enum Destination: String, CaseIterable, Sendable {
            /// To syslog.
            case syslog
            /// To standard error.
            case stderr
            /// To both.
            case both
        }

        /// A syslog facility (RFC 3164 § 4.1.1).
        public enum Facility: String, CaseIterable, Sendable {
            case mail, daemon, user, local0, local1, local2, local3, local4, local5, local6, local7
        }

        /// The form of a log line.
        public enum Format: String, CaseIterable, Sendable {
            /// `name=value`.
            case text
            /// A JSON object.
            case json
        }

        /// The lowest level that is logged.
        public enum Level: String, CaseIterable, Sendable {
            case debug, info, notice, warning, error
        }

        /// The destination.
        public var destination = Destination.syslog
        /// The facility.
        public var facility = Facility.mail
        /// The form of a line.
        public var format = Format.text
        /// The lowest level.
        public var level = Level.info
        /// The socket of the syslog daemon.
        public var socket = "/dev/log"
    }

    /// Metrics, health and control.
    public struct Admin: Sendable, Equatable {
        /// The address of /metrics, /healthz and /readyz; nil: not served.
        public var listen: AddressAndPort?
        /// The unix socket of `postern status`, `reload` and `why`.
        public var control = "/run/postern/control.sock"
    }

    /// The limits.
    public struct Limits: Sendable, Equatable {
        /// How long the end of a message may wait for its checks.
        public var timeout = Duration.seconds(20)
        /// The action for a message that depends on an answer that the DNS did not give.
        public var undecided = UndecidedAction.tempfail
        /// How long a connection may be idle.
        public var idleTimeout = Duration.seconds(125 * 60)
        /// How long a shutdown waits for messages in progress.
        public var drainTimeout = Duration.seconds(30)
        /// The longest packet that an MTA may send.
        public var maximumPacketLength = 1 << 20
        /// The most octets of header that a message may have.
        public var maximumHeaderOctets = 256 << 10
        /// The most octets that all messages in progress may hold.
        public var maximumHeldOctets = 32 << 20
    }

    /// The data that is kept for `postern why`.
    public struct Why: Sendable, Equatable {
        /// How many verdicts are kept.
        public var history = 1000
    }
    /// What the filter tells the ledger of each message.
    public struct Events: Sendable, Equatable {
        /// Which DNS answers an event has.
        public enum Answers: String, CaseIterable, Sendable {
            /// Those of messages other than a clean pass.
            case unclean
            /// Those of every message.
            case all
            /// None.
            case none
        }

        /// The directory that the package of the ledger makes.
        public static let standardSpool = "/var/spool/postern"

        /// The directory; events are written where it exists.
        public var spool = standardSpool
        /// The host in the names of segments; nil: the machine id.
        public var host: String?
        /// Which parts of addresses are written.
        public var addresses = MailEvent.Addresses.full
        /// Which DNS answers are written.
        public var answers = Answers.unclean
        /// The most octets of the directory; beyond that the oldest segments go.
        public var limit = 1 << 30
    }

    /// What the ledger keeps.
    public struct Ledger: Sendable, Equatable {
        /// The path of the store.
        public var store = "/var/lib/postern-ledger/ledger.sqlite"
        /// How long messages are kept.
        public var keep = Duration.seconds(30 * 86_400)
        /// How long their DNS answers are kept.
        public var keepAnswers = Duration.seconds(7 * 86_400)
        /// The most octets of the store; beyond that the oldest messages go.
        public var maximumOctets = 4 << 30
    }
}
