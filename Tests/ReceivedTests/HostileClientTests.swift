import MailSyntax
import Received
import Testing

@Suite("What a client says to our own relay")
struct HostileClientTests {
    /// What a client may be after: another address, another host, or no address.
    private static let pieces: [String] =
        [
            "a", "mail.example.net", " ", " ", "\t", "(", ")", "(", ")", "[", "]", "\"", "\\", ";", ",", "<", ">", "@",
            "%",
            "\r\n ", "\n\t", "by", " by ", " by relay.example.org ", ") by relay.example.org (", "from", "(from ",
            "[192.0.2.10]",
            "192.0.2.10", "([192.0.2.10])", " (x [192.0.2.10])", "x@[192.0.2.10]", "(192.0.2.10)", "IPv6:2001:db8::9",
            "[127.0.0.1]",
            "HELO", "EHLO ", "HELO x) (", "(HELO x)", "helo=", " helo=", "ident=", "port=1", "helo=[192.0.2.10]",
            " (may be forged)",
            "Not Verified[192.0.2.10]", "(Exim 4.96)", "(CommuniGate Pro SMTP)", " id ", " for ", "é", "\u{7F}", "\0",
        ] + [200, 560, 900, 930, 960, 970, 980].map { String(repeating: "a", count: $0) }

    private static func words(_ generator: inout some RandomNumberGenerator) -> [UInt8] {
        (0..<Int.random(in: 1...7, using: &generator)).flatMap { _ in
            Array((pieces.randomElement(using: &generator) ?? "").utf8)
        }
    }

    /// The value as Postfix sends it on: in lines of 998 octets.
    static func cut(_ value: [UInt8]) -> [UInt8] {
        var sent: [UInt8] = []
        var length = "Received:".utf8.count
        for octet in value {
            if length == 998, octet != .cr, octet != .lf {
                sent += [.cr, .lf, .space]
                length = 1
            }
            sent.append(octet)
            length = octet == .lf ? 0 : length + 1
        }
        return sent
    }

    @Test("each format is read", arguments: ServerFormat.all)
    func plain(_ format: ServerFormat) throws {
        let field = try ReceivedField(parsing: format.value()[...])
        #expect(field.client.description == ServerFormat.client)
        #expect(field.host.description == ServerFormat.host)
    }

    @Test("it never names another client or another host, and whoever hides is known to", arguments: ServerFormat.all)
    func hostile(_ format: ServerFormat) {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<500 where !format.places.isEmpty {
            var words: [String: [UInt8]] = [:]
            for place in format.places where Bool.random(using: &generator) { words[place] = Self.words(&generator) }
            var value = format.value(words)
            if Bool.random(using: &generator) { value = Self.cut(value) }
            do throws(ReceivedProblem) {
                let field = try ReceivedField(parsing: value[...])
                let names = "\(field.client) by \(field.host)"
                #expect(
                    names == "\(ServerFormat.client) by \(ServerFormat.host)",
                    "\(value[...].text.debugDescription)"
                )
            } catch {
                // Names of addresses that are no host names do not get through a resolver.
                #expect(error.isOfClient || words["name"] != nil, "\(error): \(value[...].text.debugDescription)")
            }
        }
    }
}

extension ServerFormat: CustomTestStringConvertible {
    var testDescription: String { server }
}
