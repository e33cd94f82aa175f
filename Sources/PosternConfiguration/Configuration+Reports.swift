public import MailSyntax
internal import Policy
public import SMTPClient

extension Configuration {
    /// The DMARC reports that the ledger sends (RFC 9990).
    public struct Reports: Sendable, Equatable {
        /// The name of the sender; nil: no reports.
        public var organization: String?
        /// The address of From, as `dmarc-reports@example.org`, the domain in A-labels; nil: no reports.
        public var address: String?
        /// The mail server that takes the reports.
        public var smtp = SMTPServer.local
        /// When reports leave.
        public var window = ReportWindow.standard
        /// How many messages leave in a minute at most.
        public var rate = 30
        /// The domains about which no reports are sent.
        public var exclude = DomainList()
        /// How many messages leave in a day at most.
        public var perDay = 10_000
        /// How many of them go to one host at most.
        public var perHost = 2000

        /// Whether reports are sent.
        public var isOn: Bool { organization != nil && address != nil }

        /// The domain of `address`.
        public var domain: DomainName? { address.flatMap { MailAddress($0).domain } }

        /// Whether no reports are sent about a domain: it is in the list, or below a name of the list.
        public func excludes(_ domain: DomainName) -> Bool {
            exclude.names.contains { domain.isEqualOrSubdomain(of: $0) }
        }
    }
}

/// The hours in which reports leave, UTC.
public struct ReportWindow: Sendable, Hashable, CustomStringConvertible {
    /// From half past midnight, when late events of the day before have come, to the morning.
    public static let standard = ReportWindow(start: 30, end: 480)
    /// The shortest window, in minutes: the last hour closes days that wait for a host.
    private static let shortest = 60

    /// When it begins, in minutes after midnight.
    public let start: Int
    /// When it ends, in minutes after midnight; 1440 is midnight.
    public let end: Int

    private init(start: Int, end: Int) {
        self.start = start
        self.end = end
    }

    /// Reads `00:30-08:00`; nil for anything else, and for a window of less than an hour or over midnight.
    public init?(_ text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let start = Self.minutes(parts[0]), let end = Self.minutes(parts[1]),
            end - start >= Self.shortest
        else { return nil }
        self.init(start: start, end: end)
    }

    /// Reads `00:00` to `24:00`.
    private static func minutes(_ text: Substring) -> Int? {
        let octets = Octets(String(text))
        guard octets.count == 5, octets[2] == UInt8(ascii: ":"), octets[..<2].allSatisfy(\.isDigit),
            octets[3...].allSatisfy(\.isDigit), let hours = Int(octets[..<2].text),
            let minutes = Int(octets[3...].text), minutes < 60, hours * 60 + minutes <= 1440
        else { return nil }
        return hours * 60 + minutes
    }

    /// Whether a time is within the window.
    ///
    /// - Parameter seconds: the time, in seconds since 1970.
    public func contains(_ seconds: Int64) -> Bool {
        let minute = Int((seconds % 86_400 + 86_400) % 86_400 / 60)
        return start <= minute && minute < end
    }

    /// The window in the notation of the configuration.
    public var description: String {
        func written(_ minutes: Int) -> String {
            [minutes / 60, minutes % 60].map { ($0 < 10 ? "0" : "") + String($0) }.joined(separator: ":")
        }
        return "\(written(start))-\(written(end))"
    }
}

extension Configuration.Reports {
    static let settings: [Setting<Self>] = [
        Setting(
            "organization",
            \.organization,
            .optional(.text()),
            example: "\"Example Org\"",
            "The name under which reports are sent, for people."
        ),
        Setting(
            "address",
            \.address,
            .optional(.mailAddress),
            example: "\"dmarc-reports@example.org\"",
            """
            The address of From, where people who read reports ask back. Its domain is one of [[signing]]: a report must \
            pass DMARC itself.
            """
        ),
        Setting(
            "smtp",
            \.smtp,
            .smtpServer,
            """
            The mail server that sends the reports. It is that of this host, which hands them to postern(8) for \
            signing like other mail.
            """
        ),
        Setting(
            "window",
            \.window,
            .reportWindow,
            "When the reports of the day before leave, UTC. They are spread evenly."
        ),
        Setting("rate", \.rate, .count(1...6000), "How many messages leave in a minute at most."),
        Setting(
            "exclude",
            \.exclude,
            .domainList(mayBeEmpty: true),
            example: "[\"example.com\"]",
            """
            Domains about which no reports are sent, each with all below it. With many, a file: \
            { file = "/etc/postern/no-reports" }. Reports to an address are stopped by "postern report suppress".
            """
        ),
        Setting(
            "per_day",
            \.perDay,
            .count(1...10_000_000),
            """
            How many messages leave in a day at most. A twentieth of them, but at least 10, may be about the domains of one \
            organization; its other reports have the state "owner limit".
            """
        ),
        Setting("per_host", \.perHost, .count(1...10_000_000), "How many of them go to one host at most."),
    ]
}

extension ValueType where Value == String {
    /// The address of a sender.
    fileprivate static let mailAddress = ValueType.string(
        "address",
        accepted: "a mail address, as \"dmarc-reports@example.org\"",
        write: { $0 },
        parse: { text in
            let octets = Octets(text)
            // RFC 5321 § 4.5.3.1.1: 64 octets.
            guard let at = octets.lastIndex(of: UInt8(ascii: "@")), octets[..<at].isDotAtom, octets[..<at].isASCII,
                at <= 64, let domain = try? DomainName(mailHost: octets[(at + 1)...]), domain != .root
            else { return nil }
            return "\(octets[..<at].text)@\(domain)"
        }
    )
}

extension ValueType where Value == SMTPServer {
    /// A mail server.
    fileprivate static let smtpServer = ValueType.string(
        "host:port",
        accepted: "an address or a name with a port, as \"127.0.0.1:25\", \"[::1]:25\" or \"localhost:25\"",
        write: { $0.description },
        meant: { SMTPServer($0 + ":25") },
        parse: { SMTPServer($0) }
    )
}

extension ValueType where Value == ReportWindow {
    /// Hours of a day.
    fileprivate static let reportWindow = ValueType.string(
        "hours",
        accepted: "two times, UTC, at least an hour apart and not over midnight, as \"00:30-08:00\"",
        write: { $0.description },
        parse: { ReportWindow($0) }
    )
}
