public import DKIM
public import DNSResolver
public import MailAuthentication
public import MailSyntax
public import Policy
public import SPF
internal import TOML

/// Everything that an administrator can set.
///
/// The initial values are the defaults; what each setting means stands beside its name in `Configuration.settings`. What a
/// library has an option for is that option.
public struct Configuration: Sendable {
    /// The name that stands in Authentication-Results; nil: the MTA's `{j}`, else the host name.
    public var authservID: String?
    /// Whether the rules act.
    public var mode = PolicyMode.observe
    /// What becomes of a message that is refused for some of its recipients only.
    public var mixed = MixedAction.junk
    /// Where MTAs connect.
    public var listen = [Listen()]
    /// Mail of our own.
    public var trust = Trust()
    /// Lookups.
    public var dns = DNS()
    /// What is checked.
    public var checks = Checks()
    /// What is stamped, under a name that is known with the message.
    public var headers = HeaderSettings(authservID: Octets())
    /// What is done.
    public internal(set) var rules = RuleSet()
    /// The path that it was read from, as it was given.
    public internal(set) var file = ""
    /// The rules as they were written.
    var ruleDrafts: [RuleDraft] = []
    /// Where each setting and table stands that was given.
    var places: [String: PolicyLocation] = [:]
    /// What is signed.
    public var signing: [Signing] = []
    /// The log.
    public var log = Log()
    /// Metrics, health and control.
    public var admin = Admin()
    /// Bounds on what one message or one peer may take.
    public var limits = Limits()
    /// What is remembered for `postern why`.
    public var why = Why()

    /// The defaults.
    public init() {}

    /// Whether the control socket was asked for, and is not only the default.
    public var isControlGiven: Bool { places["admin.control"] != nil }

    /// The line of a setting that was given; 0 of one that was not.
    public func line(of key: String) -> Int { places[key]?.line ?? 0 }
}

extension Configuration {
    /// A socket that MTAs connect to.
    public struct Listen: Sendable, Equatable {
        /// What to do with the mail that comes here.
        public enum Role: String, CaseIterable, Sendable {
            /// Judge it.
            case inbound
            /// Sign it.
            case outbound
            /// Sign what trusted clients send, judge the rest.
            case auto
        }

        /// The address.
        public var socket = ListenAddress.standard
        /// The access mode of a unix socket.
        public var mode = 0o660
        /// The group of a unix socket; nil: the daemon's own.
        public var group: String?
        /// What to do with the mail.
        public var role = Role.auto
        /// How many connections at once; more are answered with a temporary failure.
        public var maximumConnections = 1000
        /// Where the table begins.
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
    }

    /// How names are looked up.
    public struct DNS: Sendable {
        /// Which servers are asked, and how; without servers, those of /etc/resolv.conf.
        public var options = ResolverOptions(servers: [])
        /// A zone file that answers everything instead of servers.
        public var zone: String?
        /// The cache.
        public var cache = Cache()

        /// What is kept of answers.
        public struct Cache: Sendable, Equatable {
            /// How much, and for how long.
            public var options = CacheOptions()
            /// A file that keeps the cache over a restart; nil: none.
            public var snapshot: String?
        }
    }

    /// What is checked.
    public struct Checks: Sendable, Equatable {
        /// How long RCPT may wait for an answer that can decide it.
        public var earlyWait = Duration.seconds(2)
        /// SPF.
        public var spf = SPF()
        /// Sender ID.
        public var senderID = SenderID()
        /// DKIM.
        public var dkim = DKIM()
        /// DMARC.
        public var dmarc = DMARC()
        /// Reverse DNS.
        public var iprev = IPRev()

        /// Settings of SPF.
        public struct SPF: Sendable, Equatable {
            /// Whether it is checked.
            public var enabled = true
            /// How records are evaluated; who evaluates them is the host's name.
            public var options = SPFOptions()
        }

        /// Settings of Sender ID.
        public struct SenderID: Sendable, Equatable {
            /// Whether it is checked.
            public var enabled = true
        }

        /// Settings of DKIM verification.
        public struct DKIM: Sendable, Equatable {
            /// Whether it is checked.
            public var enabled = true
            /// How signatures are verified.
            public var options = DKIMVerificationOptions()
        }

        /// Settings of DMARC.
        public struct DMARC: Sendable, Equatable {
            /// Whether it is checked.
            public var enabled = true
            /// What says whether two domains have one organizational domain.
            public enum OrganizationalDomain: String, CaseIterable, Sendable {
                /// The tree walk of RFC 9989 alone.
                case walk
                /// The tree walk, or the public suffix list.
                case walkAndList = "walk+list"
            }

            /// What says whether two domains have one organizational domain.
            public var organizationalDomain = OrganizationalDomain.walk
        }

        /// Settings of the reverse DNS check.
        public struct IPRev: Sendable, Equatable {
            /// Whether it is checked.
            public var enabled = true
        }
    }

    /// A domain that mail is signed for.
    public struct Signing: Sendable, Equatable {
        /// A private key.
        public struct Key: Hashable, Sendable {
            /// The selector.
            public var selector: DomainName
            /// The path of the key.
            public var file: String
            /// Where it stands.
            public var location: PolicyLocation
        }

        /// The domain, `d=`.
        public var domain = DomainName.root
        /// Whether authors below the domain are signed for too.
        public var subdomains = false
        /// The keys; each makes a signature.
        public var keys: [Key] = []
        /// What is signed, and how.
        public var options = DKIMSigningOptions()
        /// The logins that may send for the domain; nil: all.
        public var logins: [String]?
        /// Where the table begins.
        public var location: PolicyLocation
    }

    /// The log.
    public struct Log: Sendable, Equatable {
        /// Where it goes.
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

        /// How a line is written.
        public enum Format: String, CaseIterable, Sendable {
            /// `name=value`.
            case text
            /// A JSON object.
            case json
        }

        /// The least level that is logged.
        public enum Level: String, CaseIterable, Sendable {
            case debug, info, notice, warning, error
        }

        /// Where it goes.
        public var destination = Destination.syslog
        /// The facility.
        public var facility = Facility.mail
        /// How a line is written.
        public var format = Format.text
        /// The least level.
        public var level = Level.info
        /// The socket of the syslog daemon.
        public var socket = "/dev/log"
    }

    /// Metrics, health and control.
    public struct Admin: Sendable, Equatable {
        /// Where /metrics, /healthz and /readyz are served; nil: nowhere.
        public var listen: AddressAndPort?
        /// The unix socket of `postern status`, `reload` and `why`.
        public var control = "/run/postern/control.sock"
    }

    /// Bounds.
    public struct Limits: Sendable, Equatable {
        /// How long the end of a message may wait for its checks.
        public var timeout = Duration.seconds(20)
        /// What becomes of a message that hangs on an answer that the DNS did not give.
        public var undecided = UndecidedAction.tempfail
        /// How long a connection may be idle.
        public var idleTimeout = Duration.seconds(125 * 60)
        /// How long a stop waits for messages under way.
        public var drainTimeout = Duration.seconds(30)
        /// The longest packet an MTA may send.
        public var maximumPacketLength = 1 << 20
        /// How many octets of header a message may have.
        public var maximumHeaderOctets = 256 << 10
        /// How many octets all messages in progress may hold.
        public var maximumHeldOctets = 32 << 20
    }

    /// What is remembered for `postern why`.
    public struct Why: Sendable, Equatable {
        /// How many verdicts.
        public var history = 1000
    }
}
