import MilterProtocol
import Testing

/// The same sessions, played to our engine and to a filter on libmilter: same events, same macros, same replies.
@Suite("As libmilter does", .serialized)
struct ReferenceTests {
    struct Mode: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let request: MilterRequest
        var offer = ReferenceTests.postfix

        /// Whether the MTA hears the filter's answer to an event.
        func hears(_ event: MilterEvent) -> Bool {
            event == .endOfMessage || offer == ReferenceTests.old || request.answered.contains(event)
        }

        /// The packets without those of events that the filter does not want, or that the MTA does not know.
        func sent(_ stream: [[UInt8]]) -> [UInt8] {
            var rest = Array(stream.joined())[...]
            var sent: [UInt8] = []
            while rest.count >= 5 {
                let packet = rest.prefix(4 + rest.prefix(4).reduce(0) { $0 << 8 | Int($1) })
                rest = rest.dropFirst(packet.count)
                let command = packet.dropFirst(4).first.flatMap { MilterCommand(octet: $0) }
                if command == .event(.endOfMessage), !sends(.event(.body)) {
                    sent += MilterServerTests.packet("E")
                } else if sends(command) {
                    sent += packet
                }
            }
            return sent
        }

        private func sends(_ command: MilterCommand?) -> Bool {
            guard case .event(let event) = command else { return true }
            if offer == ReferenceTests.old { return event != .data && event != .unknown }
            return event == .endOfMessage || request.events.contains(event)
        }
    }

    private static let actions = MilterActions(rawValue: 0x1FF)
    static let postfix = packet("O", [0, 0, 0, 6, 0, 0, 1, 0xFF, 0, 0x1F, 0xFF, 0xFF])
    static let old = packet("O", [0, 0, 0, 2, 0, 0, 0, 0x3F, 0, 0, 0, 0x7F])
    private static let talkative = MilterRequest(actions: actions, events: .all, answered: .all)

    static let modes: [Mode] = [
        Mode(testDescription: "every event answered", request: talkative),
        Mode(
            testDescription: "without leading space",
            request: MilterRequest(actions: actions, events: .all, answered: .all, leadingSpace: false)
        ),
        Mode(
            testDescription: "nothing answered but the end",
            request: MilterRequest(actions: actions, events: .all, answered: MilterEvents())
        ),
        Mode(testDescription: "recipients and the end answered", request: MilterRequest()),
        Mode(
            testDescription: "few events",
            request: MilterRequest(
                events: MilterEvents(.connect, .mail, .recipient, .header, .endOfMessage),
                answered: MilterEvents(.mail)
            )
        ),
        Mode(testDescription: "an old MTA", request: talkative, offer: old),
    ]

    /// A connection: packets after negotiation and before QUIT.
    struct Script: Sendable, CustomTestStringConvertible {
        let testDescription: String
        var plan = ""
        let packets: [[UInt8]]
        var sessions = 1
        /// Why the engines differ here, if they do.
        var difference: String?
        /// Whether they differ for an MTA of version 2 only.
        var differsForOldMTA = false
        /// The event that the plan is about.
        var event: MilterEvent?
    }

    private static let connect = packet("C", "mail.example.com\u{0}4\u{1}\u{2}192.0.2.1\u{0}")
    private static let helo = packet("H", "mail.example.com\0")
    private static let start = [connect, helo]

    /// The packets of a message up to and with the command of this letter.
    private static func message(to last: Character = "E", data: Bool = true) -> [[UInt8]] {
        let all: [(Character, [UInt8])] = [
            ("M", packet("D", "M{auth_authen}\0carol\0") + packet("M", "<a@example.com>\0SIZE=9\0")),
            ("R", packet("D", "Ri\u{0}4X\u{0}") + packet("R", "<b@example.net>\0") + packet("R", "<c@example.net>\0")),
            ("T", packet("T")),
            ("L", packet("L", "From\0 a@example.com\0") + packet("L", "Subject\0 a\n\tb\0") + packet("L", "X\0\0")),
            ("N", packet("D", "Ni\u{0}5X\u{0}") + packet("N")),
            ("B", packet("B", "one\r") + packet("B", "\ntwo\r\n")),
            ("E", packet("E")),
        ]
        let end = all.firstIndex { $0.0 == last } ?? all.count - 1
        return all.prefix(end + 1).map { $0.1 }
    }

    private static let letters: [Character] = ["M", "R", "T", "L", "N", "B"]

    static let scripts: [Script] = states + answers + addresses + odd + misplaced

    private static let states: [Script] =
        [
            Script(testDescription: "one message", packets: start + message()),
            Script(testDescription: "three messages", packets: start + message() + message() + message()),
            Script(
                testDescription: "ABORT twice between messages",
                packets: start + message() + [packet("A"), packet("A")] + message()
            ),
            Script(testDescription: "nothing but a greeting", packets: start),
            Script(testDescription: "two HELO", packets: start + [helo] + message()),
            Script(testDescription: "no HELO", packets: [connect] + message()),
            Script(
                testDescription: "QUIT_NC after a message",
                packets: start + message() + [packet("K")] + start + message(),
                sessions: 2
            ),
        ]
        + letters.flatMap { letter in
            [
                Script(
                    testDescription: "ABORT after \(letter), then a message",
                    packets: start + message(to: letter) + [packet("A")] + message()
                ),
                Script(
                    testDescription: "ABORT twice after \(letter)",
                    packets: start + message(to: letter) + [packet("A"), packet("A")] + message()
                ),
                Script(testDescription: "QUIT after \(letter)", packets: start + message(to: letter)),
                Script(
                    testDescription: "a new MAIL after \(letter)",
                    packets: start + message(to: letter) + message()
                ),
                Script(
                    testDescription: "HELO after \(letter)",
                    packets: start + message(to: letter) + [helo] + message()
                ),
            ]
        }

    /// Every answer at every event, and what an MTA does then.
    private static let answers: [Script] = (["C", "H"] + letters + ["E", "U"]).flatMap {
        (event: Character) -> [Script] in
        "artdsyYm".compactMap { answer -> Script? in
            switch (answer, event) {
            // These do not exist at these events. libmilter sends what it is given; here it becomes `continue`.
            case ("d", "C"), ("d", "H"), ("d", "U"), ("a", "U"): return nil
            case ("s", _) where event != "B": return nil
            case ("m", _) where event != "E": return nil
            default: break
            }
            let packets: [[UInt8]] =
                switch event {
                case "C": [connect]
                case "H": start
                case "U": start + [packet("U", "FOO BAR\0")]
                case "B" where answer == "s": start + message(to: "N") + [packet("B", "one\r"), packet("E")]
                case "B": start + message(to: "N") + [packet("B", "one\r"), packet("A")]
                case "L": start + message(to: "T") + [packet("L", "A\0 b\0"), packet("A")]
                case "R": start + message(to: "M") + [packet("R", "<b>\0"), packet("A")]
                case "E": start + message() + [packet("A")] + message()
                default: start + message(to: event) + [packet("A")]
                }
            return Script(
                testDescription: "\(answer) at \(event)",
                plan: "\(event):\(answer)",
                packets: packets,
                difference: difference(of: answer, at: event),
                differsForOldMTA: answer == "s",
                event: eventOfLetter(event)
            )
        }
    }

    private static func difference(of answer: Character, at event: Character) -> String? {
        switch (answer, event) {
        case ("d", "R"): "libmilter tells of an ABORT after the filter's last word, if that was said at RCPT"
        case ("s", _): "libmilter says skip to an MTA that does not know it"
        default: nil
        }
    }

    private static func eventOfLetter(_ letter: Character) -> MilterEvent? {
        guard let octet = letter.asciiValue, case .event(let event) = MilterCommand(octet: octet) else { return nil }
        return event
    }

    private static let addresses: [Script] =
        [
            ("IPv6", "[2001:db8::25]\u{0}6\u{0}\u{19}2001:db8::25\u{0}"),
            ("tagged IPv6", "x\u{0}6\u{0}\u{19}IPv6:2001:db8::25\u{0}"),
            ("unix", "localhost\u{0}L\u{0}\u{0}/run/s\u{0}"),
            ("unknown", "unknown\u{0}U"),
        ].map { Script(testDescription: "a client by \($0.0)", packets: [packet("C", $0.1), helo] + message()) } + [
            Script(
                testDescription: "an IPv4 client whose address is not told",
                packets: [packet("C", "unknown\u{0}4\u{0}\u{0}unknown\u{0}"), helo] + message(),
                difference:
                    "libmilter closes the connection, and XCLIENT with ADDR=[UNAVAILABLE] loses the mail on Postfix"
            )
        ]

    private static let odd: [Script] = [
        Script(
            testDescription: "macros by stage",
            packets: [packet("D", "Cj\0mx\0"), connect, packet("D", "Hj\0my\0"), helo] + message() + message(to: "R")
                + [packet("D", "Ri\u{0}6X\u{0}"), packet("R", "<d>\0"), packet("D", "E{i}\u{0}7X\u{0}"), packet("E")]
        ),
        Script(
            testDescription: "a message by an authenticated client, then one without definitions for MAIL",
            packets: start + message() + [packet("M", "<x@example.com>\0"), packet("R", "<y>\0"), packet("E")],
            difference:
                "libmilter keeps {auth_authen} and i of the message before; what belongs to a message ends with it"
        ),
        Script(testDescription: "an empty body", packets: start + message(to: "N") + [packet("E")]),
        Script(
            testDescription: "the body's end with the final dot",
            packets: start + message(to: "B") + [packet("E", "three\r\n")]
        ),
        Script(
            testDescription: "a refusal in the last body part",
            plan: "B:r",
            packets: start + message(to: "N") + [packet("E", "three\r\n")],
            difference: "libmilter answers twice, and the second answer is taken for the next command's",
            event: .body
        ),
        Script(
            testDescription: "a large header field and chunk",
            packets: start + message(to: "T") + [
                packet("L", octets("X\0 ") + [UInt8](repeating: 0x61, count: 60_000) + [0]), packet("N"),
                packet("B", [UInt8](repeating: 0x62, count: 65_535)), packet("E"),
            ]
        ),
        Script(
            testDescription: "unknown commands",
            packets: [connect, packet("U", "FOO\0"), helo, packet("U", "FOO\0")] + message(to: "R") + [
                packet("U", "FOO\0"), packet("T"), packet("N"), packet("E"), packet("U", "FOO\0"),
            ]
        ),
        Script(
            testDescription: "the null sender",
            packets: start + [packet("M", "<>\0"), packet("R", "<a>\0"), packet("N"), packet("E")]
        ),
        Script(
            testDescription: "empty arguments",
            packets: start + [packet("M", "\0"), packet("R", "\0\0"), packet("N"), packet("E")]
        ),
    ]

    private static let ignored = "libmilter ignores it without an answer, and the MTA waits until it gives up"

    private static let misplaced: [Script] = [
        Script(
            testDescription: "RCPT without MAIL",
            packets: start + [packet("R", "<a>\0")] + message(),
            difference: ignored
        ),
        Script(
            testDescription: "a header field without MAIL",
            packets: start + [packet("L", "A\0b\0")] + message(),
            difference: ignored
        ),
        Script(testDescription: "a second CONNECT", packets: start + [connect] + message(), difference: ignored),
        Script(
            testDescription: "a second end",
            packets: start + message() + [packet("E")] + message(),
            difference: ignored
        ),
    ]

    @Test("sessions", arguments: modes)
    func sessions(_ mode: Mode) async throws {
        let name = String(mode.testDescription.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF })
        let reference = try ReferenceFilter(request: mode.request, name: name)
        let ours = try await OurFilter(request: mode.request, name: name)
        for script in Self.scripts {
            // What a filter answers after promising silence is not libmilter's contract.
            if let event = script.event, !mode.hears(event) { continue }
            let plan = packet("D", "C{plan}\0\(script.plan)\0" + "j\0mx.example.org\0")
            let stream = mode.offer + plan + mode.sent(script.packets) + packet("Q")
            let expected = try reference.perform(stream, sessions: script.sessions)
            let performance = try ours.perform(stream)
            if let difference = script.difference, !script.differsForOldMTA || mode.offer == Self.old {
                #expect(performance != expected, "\(script.testDescription): \(difference)")
            } else {
                #expect(joiningChunks(performance.log) == joiningChunks(expected.log), "\(script.testDescription)")
                #expect(performance.replies == expected.replies, "\(script.testDescription)")
            }
        }
        try await ours.stop()
    }
}

/// A log in which the chunks of a body are one: our filter is given a large one in pieces.
private func joiningChunks(_ log: [String]) -> [String] {
    log.reduce(into: []) { joined, entry in
        guard entry.hasPrefix("body "), let last = joined.last, last.hasPrefix("body ") else {
            return joined.append(entry)
        }
        let texts = [last.dropFirst(5), entry.dropFirst(5)]
        let isCounted = texts.contains { $0.hasSuffix(" octets") }
        let text = isCounted ? "\(texts.map(octetCount).reduce(0, +)) octets" : texts.joined()
        joined[joined.count - 1] = "body \(text)"
    }
}

/// How many octets a text of the log stands for, in which some are written as a backslash and two digits.
private func octetCount(_ text: Substring) -> Int {
    if text.hasSuffix(" octets"), let count = Int(text.dropLast(7)) { return count }
    return text.count - 2 * text.count { $0 == "\\" }
}
