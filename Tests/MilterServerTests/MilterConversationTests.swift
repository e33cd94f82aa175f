import Logging
import MilterProtocol
import NIOCore
import NIOEmbedded
import Testing

@testable import MilterServer

/// A session as a script: what the MTA sends, what it is told, and at the end what the filter was told.
///
/// A packet is its command and its data, where `|` is an octet of zero; `+N` behind the command says how many octets of a
/// chunk are missing. `more N data` is a piece of it, `refused` a packet without room, `says N` an answer that comes later.
struct ConversationScript: Sendable, CustomTestStringConvertible {
    let name: String
    var deferred: Set<MilterEvent> = []
    let lines: String

    var testDescription: String { name }

    /// The lines with what the MTA and the filter are really told.
    func played() -> String {
        let player = ConversationPlayer(deferred)
        var played = [String]()
        for line in lines.split(separator: "\n") where !line.hasPrefix("filter: ") {
            let command = line.split(separator: " -> ").first.map(String.init) ?? ""
            let said = player.play(command)
            played.append(said.isEmpty ? command : "\(command) -> \(said.joined(separator: ", "))")
        }
        return (played + player.script.log.map { "filter: \($0)" }).joined(separator: "\n")
    }
}

/// Plays a script without a channel.
final class ConversationPlayer {
    let script = Script()
    private let loop = EmbeddedEventLoop()
    private let conversation: MilterConversation
    /// An answer has to lead somewhere; here it is told to the conversation itself.
    private let nowhere: MilterChannelHandler

    init(_ deferred: Set<MilterEvent>) {
        let told = self.script
        told.deferred = deferred
        let registry = MilterSessionRegistry(logger: Self.logger)
        conversation = MilterConversation(Self.session(loop), registry: registry) { _ in ScriptedHandler(told) }
        nowhere = MilterChannelHandler(
            session: Self.session(loop),
            configuration: MilterServerConfiguration(listeners: []),
            registry: registry,
            makeHandler: { _ in ScriptedHandler(Script()) }
        )
    }

    private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private static func session(_ loop: EmbeddedEventLoop) -> MilterSession {
        MilterSession(
            eventLoop: loop,
            executor: EventLoopTaskExecutor(loop),
            listener: MilterListener(.unix(path: "test", mode: 0o600, group: nil)),
            openConnections: 1,
            memory: SessionMemory(limit: 0, logger: logger)
        )
    }

    /// Does what a command says, and returns what is said to it.
    func play(_ command: String) -> [String] {
        let words = command.split(separator: " ", maxSplits: 1).map(String.init)
        var said = [String]()
        do throws(MilterViolation) {
            said += try play(words[0], words.count > 1 ? words[1] : "")
        } catch {
            said.append("\(error)")
        }
        if conversation.hasQuit { said.append("quit") }
        said += packets(conversation.output.octets).map { $0.hasPrefix("O") ? "O" : $0 }
        conversation.output.removeAll()
        if let event = conversation.owed { said.append("owed \(event)") }
        return said
    }

    private func play(_ word: String, _ text: String) throws(MilterViolation) -> [String] {
        switch word {
        case "says":
            return conversation.complete(UInt64(text) ?? 0, with: MilterVerdict(.accept)) ? [] : ["too late"]
        case "more":
            let piece = Array(text.utf8.drop { $0 != 0x20 }.dropFirst())
            let rest = Int(text.prefix { $0 != " " }) ?? 0
            unsafe piece.withUnsafeBytes { unsafe conversation.receivePiece($0, rest: rest) }
        case "refused": try conversation.refuse(text.utf8.first ?? 0, rest: 0)
        case "gone": conversation.end()
        default: return try receive(word, text) ? ["definitions"] : []
        }
        return []
    }

    private func receive(_ word: String, _ text: String) throws(MilterViolation) -> Bool {
        let data = word == "O" ? Array(offer.dropFirst(5)) : text.utf8.map { $0 == UInt8(ascii: "|") ? 0 : $0 }
        let rest = word.split(separator: "+").dropFirst().first.flatMap { Int($0) } ?? 0
        var result = Result<Bool, MilterViolation>.success(false)
        unsafe data.withUnsafeBytes { octets in
            do throws(MilterViolation) {
                let hasDefinitions = try unsafe conversation.receive(word.utf8.first ?? 0, octets, rest: rest) {
                    MilterAnswer(nowhere, number: $0, eventLoop: loop)
                }
                result = .success(hasDefinitions)
            } catch {
                result = .failure(error)
            }
        }
        return try result.get()
    }
}

@Suite("Packets in, answers out")
struct MilterConversationTests {
    static let scripts = [
        ConversationScript(
            name: "a message that is answered at once",
            lines: """
                O -> O
                C x|U -> c
                D Mi|4XyZ1| -> definitions
                M <a>| -> c
                R <b>| -> c
                L A|b| -> c
                N -> c
                B text -> c
                E -> c
                Q -> quit
                gone -> quit
                filter: connect x unknown\(" ")
                filter: mail <a>
                filter: recipient <b>
                filter: header A:b
                filter: endOfHeaders
                filter: body text
                filter: endOfMessage
                filter: close
                """
        ),
        ConversationScript(
            name: "answers that come later, and those that come too late",
            deferred: [.recipient, .endOfMessage],
            lines: """
                O -> O
                M <a>| -> c
                R <b>| -> owed recipient
                says 2 -> too late, owed recipient
                says 1 -> a
                says 1 -> too late
                M <a>| -> c
                R <b>| -> owed recipient
                gone
                says 2 -> too late
                filter: mail <a>
                filter: recipient <b>
                filter: mail <a>
                filter: recipient <b>
                filter: abort
                filter: close
                """
        ),
        ConversationScript(
            name: "a chunk in pieces is answered once",
            lines: """
                O -> O
                M <a>| -> c
                B+6 one
                more 3 two
                more 0 six -> c
                E last -> c
                filter: mail <a>
                filter: body onetwosixlast
                filter: endOfMessage
                """
        ),
        ConversationScript(
            name: "a packet without room has its message come again",
            lines: """
                O -> O
                M <a>| -> c
                refused L -> t
                L A|b| -> t
                E -> t
                M <a>| -> c
                filter: mail <a>
                filter: no room
                filter: mail <a>
                """
        ),
        ConversationScript(
            name: "what the MTA may not send, and what is no command",
            lines: """
                M <a>| -> notMilter
                O -> O
                ! -> unknownCommand(33)
                refused A -> misplaced(MilterProtocol.MilterCommand.abort)
                """
        ),
        ConversationScript(
            name: "another session on the same connection",
            lines: """
                O -> O
                M <a>| -> c
                K
                M <b>| -> c
                filter: mail <a>
                filter: abort
                filter: close
                filter: mail <b>
                """
        ),
    ]

    @Test("a session as it is scripted", arguments: scripts)
    func plays(_ script: ConversationScript) {
        #expect(script.played() == script.lines)
    }
}
