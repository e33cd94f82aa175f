import DNSLookup
import Logging
import MailAuthentication
import MailEvents
import MailSyntax
import MilterServer
import NIOPosix
import Policy
import PosternConfiguration
import PosternSetup
import TestSupport
import Testing

@testable import PosternDaemon

/// A domain, mail that is judged, and a configuration in a folder of its own.
enum Sample {
    static let zoneText = """
        $ORIGIN example.com.
        @ 300 IN TXT "v=spf1 ip4:192.0.2.1 -all"
        _dmarc 300 IN TXT "v=DMARC1; p=reject"

        """

    static let reject = "[[rules]]\nname = \"spf-strict\"\nwhen = { spf = \"fail\" }\naction = \"reject\"\n"

    static func rule(_ action: String, when: String = "spf = \"fail\"", _ more: String = "") -> String {
        "[[rules]]\nname = \"r-\(action)\"\nwhen = { \(when) }\naction = \"\(action)\"\n\(more)\n"
    }

    /// What a message is judged to be that `client` sends with these fields.
    static func judgement(
        rules: String = "",
        mode: String = "enforce",
        client: String = "192.0.2.9",
        helo: String = "mail.example.com",
        sender: String = "a@example.com",
        recipients: [String] = ["b@example.net"],
        fields: [String] = ["From: a@example.com"],
        dmarc: String = "v=DMARC1; p=reject",
        checks: PerCheck<Bool> = AuthenticationSettings().checks,
        change: (inout HeaderSettings) -> Void = { _ in }
    ) async throws -> Judgement {
        var zone = DNSZone()
        zone.add(.txt(Array("v=spf1 ip4:192.0.2.1 -all".utf8)), at: try DomainName("example.com"))
        zone.add(.txt(Array(dmarc.utf8)), at: try DomainName("_dmarc.example.com"))
        let configuration = try Configuration.parse("mode = \"\(mode)\"\n\(rules)", file: "postern.toml")
        var settings = HeaderSettings(authservID: Octets("mx.example.org"))
        change(&settings)
        var authentication = AuthenticationSettings()
        authentication.checks = checks
        let judge = MessageJudge(
            settings: authentication,
            headers: settings,
            engine: PolicyEngine(
                rules: configuration.rules,
                forwarders: configuration.forwarders,
                mode: configuration.mode
            ),
            resolver: zone,
            timeout: .seconds(60)
        )
        let envelope = Envelope(
            clientAddress: IPAddress(client),
            helo: Array(helo.utf8),
            sender: Array(sender.utf8),
            recipients: recipients.map { Array($0.utf8) }
        )
        let message = StoredMessage(Octets(fields.joined(separator: "\r\n") + "\r\n\r\nHello\r\n"))
        return await judge.judge(envelope, message: message, now: 1_700_000_000)
    }

    static func delivery(
        _ queueID: String? = "4XyZ1",
        refused: [PolicyVerdict] = [],
        _ recipient: String? = nil
    ) -> Delivery {
        Delivery(
            queueID: queueID.map { Array($0.utf8) },
            refused: refused,
            refusedRecipient: recipient.map { Array($0.utf8) },
            milliseconds: 12
        )
    }

    /// A log that goes nowhere.
    static let silence = MessageLog(
        sink: LogSink(syslog: nil, standardError: nil),
        format: .text,
        isEnabled: false
    )

    static var logger: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}

/// A running filter's parts, without sockets.
struct Parts {
    let folder: Folder
    let loader: SetupLoader
    let filter: Filter
    let reloader: Reloader
    let router: AdminRouter

    /// A filter with this configuration, which may name a private key as `FOLDER/key.pem`.
    init(_ text: String, mode: String = "", key: [UInt8] = [], log: MessageLog = Sample.silence) throws {
        let folder = try Folder()
        try folder.write("key.pem", key)
        let text = text.replacing("FOLDER", with: folder.path)
        try folder.write("zone", Array(Sample.zoneText.utf8))
        let path = try folder.write("postern.toml", Array(Parts.configuration(text, folder, mode: mode).utf8))
        let group = MultiThreadedEventLoopGroup.singleton
        let loader = SetupLoader(path: path, group: group) { _ in }
        let configuration = try Configuration.load(path: path)
        let filter = Filter(try loader.load(configuration, after: nil), log: log)
        let milter = MilterServer(
            configuration: MilterServerConfiguration(listeners: []),
            group: group,
            logger: Sample.logger
        ) { FilterSession(filter, session: $0) }
        self.folder = folder
        self.loader = loader
        self.filter = filter
        reloader = Reloader(loader: loader, filter: filter, logger: Sample.logger)
        router = AdminRouter(filter: filter, milter: milter, reloader: reloader)
    }

    static func configuration(_ text: String, _ folder: Folder, mode: String = "") -> String {
        (mode.isEmpty ? "" : mode + "\n") + "[dns]\nzone = \"\(folder.path)/zone\"\n\(text)"
    }

    /// Writes another configuration.
    func rewrite(_ text: String, mode: String = "") throws {
        try folder.write("postern.toml", Array(Parts.configuration(text, folder, mode: mode).utf8))
    }

    /// Records a message with this queue ID.
    func record(_ queueID: String, _ judgement: Judgement) {
        var headers = HeaderBlock()
        headers.append(name: "From".utf8, value: " a@example.com".utf8)
        filter.record(
            judgement,
            Sample.delivery(queueID),
            headers: headers,
            authservID: Octets("mx.example.org"),
            { _ in },
            by: filter.setup
        )
    }
}
