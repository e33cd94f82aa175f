import DNSLookup
import FoundationEssentials
import Glibc
import MailAuthentication
import MailCrypto
import MailSyntax
import MilterProtocol
import NIOCore
import NIOEmbedded
import Policy
import PosternConfiguration
import PosternSetup
import TestSupport
import Testing

@testable import MilterServer
@testable import PosternDaemon

/// A message as a script: what the MTA sends, what the filter says, and at the end what the log says.
///
/// `rcpt a@b`, `header Name: value`, `large COUNT` (a field of so many octets), `eoh`, `body text` and `end` are the MTA's.
/// `queue ID` defines the queue ID, `aborted` and `no memory` end the message otherwise. `answers` lets the DNS answer, and
/// `wait MS` lets time pass.
struct MessageScript: Sendable, CustomTestStringConvertible {
    let name: String
    /// What the message is signed for: nil for one that is judged.
    var source: SignedMessage.Source?
    var configuration = ""
    var mode = "enforce"
    /// How much memory all messages may take.
    var memory = 1 << 20
    var answersRecipients = true
    var canQuarantine = true
    /// Whether a relay passes it on, 198.51.100.2 of `[trust.relays]`.
    var isRelayed = false
    let lines: String

    var testDescription: String { name }

    /// The lines with what the filter really says.
    func played() throws -> String {
        let player = try MessagePlayer(self)
        var played = [String]()
        for line in lines.split(separator: "\n").map(String.init) {
            guard let command = player.command(in: line) else { break }
            let said = player.play(command)
            played.append(said.isEmpty ? command : "\(command) -> \(said.joined(separator: ", "))")
        }
        return (played + player.log).joined(separator: "\n")
    }
}

/// Plays a script on an event loop whose time is the test's.
final class MessagePlayer {
    private static let commands = [
        "rcpt", "header", "large", "eoh", "body", "end", "queue", "aborted", "no memory", "answers", "wait",
    ]

    private let parts: Parts
    private let loop = EmbeddedEventLoop()
    private let session: MilterSession
    private let resolver: HeldResolver
    private let message: any MessageInProgress
    private var ends: [Int32] = [-1, -1]
    /// What was said later than it was asked for.
    private var later = [String]()

    init(_ script: MessageScript) throws {
        try #require(unsafe pipe(&ends) == 0)
        let sink = LogSink(syslog: nil, standardError: LineStream(descriptor: ends[1]))
        let log = MessageLog(sink: sink, format: .text, isEnabled: true)
        let key = try PrivateKey.generate(.ed25519, bits: 0).pem()
        parts = try Parts(script.configuration, mode: "mode = \"\(script.mode)\"", key: key, log: log)
        let setup = parts.filter.setup
        session = MilterSession(
            eventLoop: loop,
            executor: EventLoopTaskExecutor(loop),
            listener: MilterListener(.unix(path: "test", mode: 0o600, group: nil)),
            openConnections: 1,
            memory: SessionMemory(limit: script.memory, logger: Sample.logger)
        )
        let answered = script.answersRecipients ? MilterEvents(.recipient, .endOfMessage) : MilterEvents(.endOfMessage)
        session.machine = MilterSessionMachine(request: MilterRequest(answered: answered))
        let actions: MilterActions = [.addHeaders, .changeHeaders]
        let allActions = script.canQuarantine ? actions.union(.quarantine) : actions
        session.machine.negotiate(MilterOffer(version: 6, actions: allActions.rawValue, protocolBits: 0x1F_FFFF))
        let context = MessageContext(
            filter: parts.filter,
            setup: setup,
            session: session,
            listener: "unix:test",
            sender: Envelope(
                clientAddress: script.isRelayed ? nil : IPAddress("192.0.2.9"),
                helo: script.isRelayed ? [] : Array("mail.example.com".utf8),
                sender: Array("a@example.com".utf8),
                isTrusted: script.source != nil,
                relay: script.isRelayed ? IPAddress("198.51.100.2").map { Relay(address: $0) } : nil
            ),
            isTrusted: false,
            hasAuthenticated: false
        )
        var zone = DNSZone()
        zone.add(.txt(Array("v=spf1 ip4:192.0.2.1 -all".utf8)), at: try DomainName("example.com"))
        resolver = HeldResolver(zone)
        if let source = script.source {
            message = SignedMessage(context, from: source)
        } else {
            message = JudgedMessage(context, Self.transaction(context, resolver))
        }
    }

    deinit { for end in ends { close(end) } }

    private static func transaction(_ context: MessageContext, _ resolver: HeldResolver) -> MailTransaction {
        if let relay = context.sender.relay, let relays = context.setup.relays {
            return MailTransaction(
                relayedBy: relay.address,
                of: relays,
                settings: context.setup.authentication,
                sender: context.sender.sender,
                resolver: resolver,
                executor: context.session.executor,
                now: 1_700_000_000
            )
        }
        let client = MailClient(
            address: context.sender.clientAddress,
            settings: context.setup.authentication,
            resolver: resolver,
            executor: context.session.executor
        )
        return MailTransaction(client: client, sender: context.sender.sender, resolver: resolver, now: 1_700_000_000)
    }

    /// The command of a line; nil for one that is none.
    func command(in line: String) -> String? {
        let command = line.split(separator: " -> ").first.map(String.init) ?? ""
        return Self.commands.contains { command == $0 || command.hasPrefix($0 + " ") } ? command : nil
    }

    /// Does what a command says, and returns what the filter says to it.
    func play(_ command: String) -> [String] {
        let argument = command.split(separator: " ", maxSplits: 1).dropFirst().first.map(String.init) ?? ""
        var said = [String]()
        switch command.split(separator: " ").first {
        case "rcpt":
            let answer: (MilterResponse) -> Void = { self.later.append(Self.text($0)) }
            let response = message.recipient(Array(argument.utf8), answer: answer)
            said.append(response.map(Self.text) ?? "later")
        case "header": add(argument)
        case "large": add("X-Large: " + String(repeating: "x", count: Int(argument) ?? 0))
        case "eoh": message.endOfHeaders()
        case "body":
            unsafe Array(argument.utf8).withUnsafeBytes { unsafe message.body($0) }
            said.append(message.isBodyComplete ? "skip" : "continue")
        case "end": message.complete { self.later.append(Self.text($0)) }
        case "queue": unsafe Array("Mi\0\(argument)\0".utf8).withUnsafeBytes { unsafe session.machine.define($0) }
        case "aborted": message.giveUp()
        case "no": message.giveUpWithoutRoom()
        case "answers":
            resolver.releaseAll()
            loop.run()
        default: loop.advanceTime(by: .milliseconds(Int64(argument) ?? 0))
        }
        defer { later = [] }
        return said + later
    }

    private func add(_ field: String) {
        let parts = field.split(separator: ":", maxSplits: 1).map { Array($0.utf8) }
        unsafe parts[0].withUnsafeBytes { name in
            unsafe parts[1].withUnsafeBytes { unsafe message.header(name: name, value: $0, addsSpace: false) }
        }
    }

    /// What the log says, of that what tells how a message ended.
    var log: [String] {
        let names = [
            "action", "would", "relayed", "relay", "rule", "rcpts", "refused", "spf", "dkim", "trusted", "signed",
            "unsigned", "sealed", "i", "cv", "unsealed", "ms", "removed",
        ]
        return LineStreamTests.read(ends[0]).split(separator: "\n").map { line in
            // What a check has to say of the DNS is tested elsewhere.
            let shown = line.contains(" spf=") ? names : names + ["problem"]
            return Self.words(line)
                .filter { word in word.hasSuffix(":") || shown.contains { word.hasPrefix($0 + "=") } }
                .joined(separator: " ")
        }
    }

    /// The words of a line, where quotes hold them together.
    private static func words(_ line: Substring) -> [String] {
        var isQuoted = false
        return line.split { character in
            if character == "\"" { isQuoted.toggle() }
            return character == " " && !isQuoted
        }.map(String.init)
    }

    private static func text(_ response: MilterResponse) -> String {
        guard case .reply(let reply) = response else { return "\(response)" }
        return "\(reply.code) \(reply.enhancedStatus)"
    }

    private static func text(_ verdict: MilterVerdict) -> String {
        let changes = verdict.modifications.map { change in
            switch change {
            case .changeHeader(let name, let index, _): " -\(name.text)#\(index)"
            case .insertHeader(_, let name, _): " +\(name.text)"
            case .quarantine: " quarantine"
            default: " ?"
            }
        }
        return text(verdict.response) + changes.joined()
    }
}
