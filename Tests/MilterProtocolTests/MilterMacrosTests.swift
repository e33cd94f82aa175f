import MilterProtocol
import Testing

@Suite("Macros")
struct MilterMacrosTests {
    /// What to do, and what a macro is then.
    enum Act: Sendable {
        case command(String)
        case define(String, [String])
        case expect(StaticString, String?)
    }

    static let scripts: [[Act]] = [
        // Names come with or without braces; a later stage counts first.
        [
            .define("C", ["j", "mx", "{daemon_name}", "smtpd"]), .command("C"), .expect("j", "mx"),
            .expect("daemon_name", "smtpd"), .expect("i", nil), .expect("daemon", nil),
            .define("M", ["j", "other", "{i}", "4X"]), .command("M"), .expect("j", "other"), .expect("i", "4X"),
        ],
        // What belongs to a message ends with it, whoever ends it.
        [
            .command("C"), .define("M", ["{auth_authen}", "carol"]), .command("M"), .define("R", ["i", "1"]),
            .command("R"),
            .define("E", ["i", "2"]), .expect("i", "2"), .command("E"), .expect("auth_authen", nil), .expect("i", nil),
            .command("M"), .expect("auth_authen", nil),
        ],
        [
            .command("C"), .define("M", ["{auth_authen}", "carol"]), .command("M"), .expect("auth_authen", "carol"),
            .command("A"), .expect("auth_authen", nil),
        ],
        // A new MAIL without ABORT, with and without definitions of its own.
        [
            .command("C"), .define("M", ["{auth_authen}", "carol"]), .command("M"), .define("R", ["i", "1"]),
            .command("R"),
            .define("M", ["{auth_authen}", "dave"]), .expect("i", nil), .command("M"), .expect("auth_authen", "dave"),
            .command("M"), .expect("auth_authen", nil),
        ],
        // What is too much is not kept, and no part of it.
        [
            .define(
                "C",
                ["a", "b", "c", String(repeating: "x", count: 30_000), "d", String(repeating: "y", count: 3000)]
            ),
            .expect("a", "b"), .expect("c", String(repeating: "x", count: 30_000)), .expect("d", nil),
            .define("H", ["e", String(repeating: "z", count: 3000), "f", "g"]), .expect("e", nil), .expect("f", nil),
            .define("C", ["f", "g"]), .expect("f", "g"), .expect("a", nil),
        ],
        // The connection's definitions stay, until it is another one.
        [
            .define("C", ["v", "Postfix"]), .command("C"), .define("H", ["{tls_version}", "TLSv1.3"]), .command("H"),
            .command("M"), .command("A"), .command("M"), .expect("v", "Postfix"), .expect("tls_version", "TLSv1.3"),
            .command("K"), .expect("v", nil), .expect("tls_version", nil),
        ],
        // Each recipient has its own.
        [
            .command("C"), .command("M"), .define("R", ["{rcpt_addr}", "a"]), .command("R"), .expect("rcpt_addr", "a"),
            .define("R", ["{rcpt_host}", "b"]), .command("R"), .expect("rcpt_addr", nil),
        ],
        // A stage that does not exist, a name without value, an empty value, an empty packet.
        [
            .define("X", ["a", "b"]), .expect("a", nil), .define("C", ["a", "b", "c"]), .expect("a", "b"),
            .expect("c", nil),
            .define("C", ["a", "", "b", "x"]), .expect("a", ""), .expect("b", "x"), .define("C", []), .expect("a", nil),
            .define("", []), .expect("a", nil),
        ],
    ]

    @Test("scripts", arguments: scripts)
    func script(_ acts: [Act]) throws {
        var machine = negotiated(MilterRequest(events: .all, answered: .all))
        for act in acts {
            switch act {
            case .command(let letter):
                let octet = try #require(letter.utf8.first)
                let command = try #require(MilterCommand(octet: octet))
                if case .deliver(let event, _) = machine.receive(command) { _ = machine.answer(.continue, to: event) }
            case .define(let stage, let strings):
                let data = Array(stage.utf8) + strings.map { Array($0.utf8) }.joined(separator: [0])
                #expect(machine.receive(.macros) == .define)
                unsafe data.withUnsafeBytes { unsafe machine.define($0) }
            case .expect(let name, let value):
                #expect(machine.macros[name].map { String(decoding: $0, as: UTF8.self) } == value, "\(name)")
            }
        }
    }
}
