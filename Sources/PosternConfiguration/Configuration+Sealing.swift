public import MailSyntax
public import Policy
internal import TOML

extension Configuration {
    /// The seal of judged mail that may be sent on (RFC 8617 § 5.1).
    public struct Sealing: Sendable, Equatable {
        /// The domain, `d=`; the root where nothing is sealed.
        public var domain = DomainName.root
        /// The selector, `s=`.
        public var selector = DomainName.root
        /// The path of the private key.
        public var key: String?
        /// The domains of the recipients whose mail is sealed; without any, that of all.
        public var recipientDomains = DomainList()
        /// The position of the table.
        public internal(set) var location = PolicyLocation(file: "", line: 0)

        /// Nothing is sealed.
        public init() {}

        /// The same names and key as a table of `[[signing]]`; nil where nothing is sealed.
        public var signing: Signing? {
            guard let key, domain != .root, selector != .root else { return nil }
            var signing = Signing(location: location)
            signing.domain = domain
            signing.keys = [Signing.Key(selector: selector, file: key, location: location)]
            return signing
        }

        /// The settings that sealing takes.
        private static let required = ["domain", "selector", "key"]

        static let settings: [Setting<Self>] = [
            Setting("domain", \.domain, .oneDomain, example: "\"example.org\"", "The domain, d= of the seal."),
            Setting("selector", \.selector, .selector, example: "\"2026a\"", "The selector, s= of the seal."),
            Setting(
                "key",
                \.key,
                .optional(.path),
                example: "\"/etc/postern/keys/example.org_2026a.pem\"",
                """
                The private key in PEM form, best an RSA key: few check other seals. It may be one that signs; the record is \
                that of a DKIM key.
                """
            ),
            Setting(
                "recipient_domains",
                \.recipientDomains,
                .domainList,
                example: "[\"forward.example.org\"]",
                """
                Only mail with a recipient in one of these domains is sealed. Default: all. Leave out those of mailing \
                lists, which change what they pass on and must seal it themselves.
                """
            ),
        ]

        /// Looks for settings that are missing beside others.
        func check(_ reader: inout ConfigurationReader) {
            let present = Self.required.filter { reader.positions["sealing." + $0] != nil }
            guard let position = reader.positions["sealing"],
                !present.isEmpty || reader.positions["sealing.recipient_domains"] != nil
            else { return }
            for name in Self.required where !present.contains(name) {
                reader.report(
                    position,
                    "sealing",
                    "\(name) is missing",
                    accepted: "domain, selector and key, or no [sealing]"
                )
            }
        }
    }
}

extension Configuration {
    /// Warnings about seals.
    var sealingWarnings: [ConfigurationProblem] {
        guard sealing.signing != nil else { return [] }
        var found = [ConfigurationProblem]()
        if listen.allSatisfy({ $0.role == .outbound }) {
            found.append(
                problem(
                    "sealing",
                    "nothing is sealed, for no listener judges mail",
                    accepted: "a listener with role = \"inbound\" or \"auto\"",
                    isWarning: true
                )
            )
        }
        if !checks.arc.enabled, line(of: "checks.arc") > 0 {
            found.append(
                problem(
                    "checks.arc",
                    "the seals of others are checked nevertheless, for [sealing] needs it",
                    accepted: "enabled = true, or no [sealing]",
                    isWarning: true
                )
            )
        }
        return found
    }
}
