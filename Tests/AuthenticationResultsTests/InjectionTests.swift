import AuthenticationResults
import FoundationEssentials
import MailSyntax
import TestSupport
import Testing

/// Whatever a sender writes into HELO, MAIL FROM, PTR records, signatures or explanations stays one value on one line.
///
/// With `POSTERN_INJECTION_OUTPUT` in the environment the fields also go to that file, one JSON array a line: the value,
/// and what our reader finds in it. Tests/Judges/authentication_results.py compares that with what another reader finds.
@Suite("Injection")
struct InjectionTests {
    /// How many values are written.
    static let count = 100_000

    private static let pieces: [String] = [
        "\r", "\n", "\r\n", "\r\n ", "\n\t", "\u{0}", "\"", "\\", "(", ")", ";", ",", "=", " ", "\t", "@", "<", ">",
        ".", "%",
        "; dkim=pass header.d=bank.test", "spf=pass", "mx.example.org; spf=pass",
        "\r\nAuthentication-Results: mx.example.org",
        "a", "example.com", "user@example.com", "@example.com", "\u{85}", "\u{2028}", "\u{202E}", "ö", "例え", "\u{7F}",
        "=?utf-8?q?=3B?=", "xn--", "-", "[192.0.2.1]", "2001:db8::1", "AbC+/=", "\u{1B}[2J",
    ]

    private static func text(_ generator: inout SeededGenerator) -> [UInt8] {
        if Int.random(in: 0..<100, using: &generator) == 0 {
            return [UInt8](repeating: .random(in: 0...255, using: &generator), count: 1000)
        }
        return (0..<Int.random(in: 0...6, using: &generator)).flatMap { _ -> [UInt8] in
            let index = Int.random(in: 0...(pieces.count + 5), using: &generator)
            return index < pieces.count
                ? Array(pieces[index].utf8)
                : (0..<Int.random(in: 0...9, using: &generator)).map { _ in .random(in: 0...255, using: &generator) }
        }
    }

    private static func results(_ generator: inout SeededGenerator) -> [MethodResult] {
        let values = (0..<8).map { _ in text(&generator)[...] }
        var results = [
            MethodResult("spf", "fail", reason: values[0], properties: [.init("smtp", "mailfrom", values[1])]),
            MethodResult("spf", "none", properties: [.init("smtp", "helo", values[2])]),
            MethodResult("iprev", "permerror", comment: values[7], properties: [.init("policy", "iprev", values[3])]),
            MethodResult(
                "dkim",
                "fail",
                properties: [
                    .init("header", "d", values[4]), .init("header", "i", values[5]), .init("header", "s", values[6]),
                    .init("header", "b", values[7]),
                ]
            ),
        ]
        for index in results.indices where Bool.random(using: &generator) { results[index].comment = values[index] }
        return results
    }

    @Test("nothing written into a field is read as something else")
    func fields() throws {
        var generator = SeededGenerator(seed: 7)
        let path = ProcessInfo.processInfo.environment["POSTERN_INJECTION_OUTPUT"]
        var output = Data()
        for _ in 0..<(Self.count / 8) {
            let results = Self.results(&generator)
            let field = AuthenticationResultsField(authservID: Octets("mx.example.org"), results: results)
            let value = field.value(comments: true)
            let read = try AuthenticationResultsField(parsing: value[...])
            try #require(read.authservID == field.authservID)
            try #require(read.results.map(\.method) == results.map(\.method))
            try #require(read.results.map(\.result) == results.map(\.result))
            for (read, written) in zip(read.results, results) {
                // What was not left out is what was given; of a signature the beginning.
                for property in read.properties {
                    let source = written.properties.first { $0.name == property.name }
                    let isWhole = property.value == source?.value
                    let isPrefix = property.name == "b" && source?.value.starts(with: property.value) == true
                    try #require(isWhole || isPrefix)
                }
            }
            let lines = value.split(separator: 0x0A, omittingEmptySubsequences: false)
            try #require(lines.count <= 16)
            try #require(lines.allSatisfy { $0.count < 998 && !$0.isEmpty })
            try #require(lines.dropFirst().allSatisfy { $0.first == 0x09 })
            try #require(value.allSatisfy { $0 >= 0x20 || $0 == 0x0A || $0 == 0x09 })
            if path != nil { output += try Self.line(value, read) }
        }
        if let path { try output.write(to: URL(filePath: path)) }
    }

    private static func line(_ value: [UInt8], _ field: AuthenticationResultsField) throws -> Data {
        let results = field.results.map { result in
            [result.method, result.result, result.reason?.text ?? ""]
                + result.properties.flatMap { [$0.type, $0.name, $0.value.text] }
        }
        return try JSONEncoder().encode([[value[...].text]] + results) + [0x0A]
    }

    @Test("nothing written into a reply, a log line or a comment leaves it")
    func lines() throws {
        var generator = SeededGenerator(seed: 8)
        for _ in 0..<Self.count {
            let text = Self.text(&generator)[...]
            let reply = FieldText.replyText(text)
            try #require(reply.count <= 200 && reply.allSatisfy { $0.isVChar || $0 == 0x20 })
            var log = [UInt8]()
            FieldText.appendLogValue(text, to: &log)
            try #require(
                log.allSatisfy { $0 >= 0x20 && $0 != 0x7F } && log.count <= 2 * FieldText.maximumValueLength + 2
            )
            try #require(Self.isOneLogValue(log))
            // A comment is one comment: behind it the reader is at the end.
            var field = AuthenticationResultsField(authservID: Octets("a"), results: [MethodResult("spf", "none")])
            field.results[0].comment = text
            let value = field.value(comments: true)
            let comment = try AuthenticationResultsField(parsing: value[...]).results[0].comment
            try #require((comment == nil) == text.isEmpty)
        }
    }

    /// One word without quotes and equals signs, or one quoted string.
    private static func isOneLogValue(_ log: [UInt8]) -> Bool {
        guard log.first == UInt8(ascii: "\"") else {
            return !log.isEmpty && !log.contains { $0 == 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "=") }
        }
        var isEscaped = false
        for (index, octet) in log.enumerated().dropFirst() {
            if isEscaped {
                isEscaped = false
            } else if octet == UInt8(ascii: "\\") {
                isEscaped = true
            } else if octet == UInt8(ascii: "\"") {
                return index == log.count - 1
            }
        }
        return false
    }
}
