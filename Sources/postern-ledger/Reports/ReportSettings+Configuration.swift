internal import AggregateReports
internal import DNSLookup
internal import Ledger
internal import MailSyntax
internal import NIOPosix
internal import PosternConfiguration
internal import PosternSetup
internal import SMTPClient

extension Configuration {
    /// Who sends reports, and when; nil where none are sent.
    var reportSettings: ReportSettings? {
        guard let organization = reports.organization, let address = reports.address else { return nil }
        var settings = ReportSettings(organization: organization, address: address)
        settings.window = SendingWindow(from: Int64(reports.window.start) * 60, to: Int64(reports.window.end) * 60)
        settings.rate = reports.rate
        settings.perDay = reports.perDay
        settings.perHost = reports.perHost
        settings.excludes = { [reports] in reports.excludes($0) }
        return settings
    }
}

extension ReportSender.Surroundings {
    /// The DNS and the mail server that the settings name.
    ///
    /// The resolver keeps its answers for their TTL, so a destination is not asked about again and again.
    ///
    /// - Throws: the problem of the zone file.
    init(_ configuration: Configuration, from address: String) throws(ConfigurationError) {
        var configuration = configuration
        // That file is the filter's.
        configuration.dns.cache.snapshot = nil
        let group = MultiThreadedEventLoopGroup.singleton
        let resolver = try ConfiguredResolver(configuration, group: group)
        let server = configuration.reports.smtp
        let client = SMTPClient(server, hello: HostName.current, group: group)
        self.init { domain, destination in
            await resolver.dns.outcome(of: DestinationVerification(of: domain, destination))
        } send: { recipient, octets in
            guard let message = SMTPMessage(from: Array(address.utf8), to: Array(recipient.utf8), octets: octets) else {
                return .withheld(.refused, "the address cannot be written in SMTP")
            }
            return DeliveryOutcome(await client.send(message), server)
        } now: {
            Clock.now
        }
    }
}

extension SMTPServer {
    /// How long a server may take to greet somebody who waits, in seconds.
    private static let patience = Duration.seconds(2)

    /// Why no mail can be handed to the server now; nil where it greets.
    var problem: String? {
        get async {
            var timeouts = SMTPTimeouts()
            timeouts.connection = Self.patience
            timeouts.command = Self.patience
            let group = MultiThreadedEventLoopGroup.singleton
            let client = SMTPClient(self, hello: HostName.current, timeouts: timeouts, group: group)
            let outcome = await client.greeting()
            if case .accepted = outcome { return nil }
            return outcome.sentence(about: self)
        }
    }
}

extension DeliveryOutcome {
    /// What an answer of the mail server means for a report.
    fileprivate init(_ outcome: SMTPOutcome, _ server: SMTPServer) {
        let words = outcome.sentence(about: server)
        switch outcome {
        case .accepted(let reply): self = .accepted("\(reply)")
        case .refused(.tooLarge, _): self = .withheld(.tooLarge, words)
        case .refused(.no8BitMIME, _), .refused(.noSMTPUTF8, _): self = .withheld(.refused, words)
        // Another refusal of the connection or the sender hits all reports, and says nothing of this destination.
        case .refused: self = outcome.isRefusedForRecipient ? .refused(words) : .unavailable(words)
        case .deferred(_, .connection), .deferred(_, .greeting), .deferred(_, .hello): self = .unavailable(words)
        case .deferred, .unknown: self = .deferred(words)
        }
    }
}
