import DKIM
import FoundationEssentials
import MailSyntax
import TestSupport
import Testing

@Suite("Canonicalization")
struct CanonicalizationTests {
    /// The canonical form of a body that comes in these chunks.
    static func canonical(_ canonicalization: Canonicalization, _ chunks: [some Collection<UInt8>]) -> [UInt8] {
        var canonicalizer = BodyCanonicalizer(canonicalization)
        var output = [UInt8]()
        for chunk in chunks {
            unsafe Array(chunk).withUnsafeBytes {
                unsafe canonicalizer.update($0) { unsafe output.append(contentsOf: $0) }
            }
        }
        unsafe canonicalizer.finish { unsafe output.append(contentsOf: $0) }
        return output
    }

    /// The canonical form as the RFC's words have it, a line at a time and with no thought for speed.
    static func reference(_ canonicalization: Canonicalization, _ body: [UInt8]) -> [UInt8] {
        var lines: [[UInt8]] = [[]]
        for (index, octet) in body.enumerated() {
            if octet == 0x0A {
                if index > 0, body[index - 1] == 0x0D { lines[lines.count - 1].removeLast() }
                lines.append([])
            } else {
                lines[lines.count - 1].append(octet)
            }
        }
        if canonicalization == .relaxed {
            lines = lines.map { line in
                line.split(omittingEmptySubsequences: false) { $0 == 0x20 || $0 == 0x09 }
                    .enumerated().filter { $0.offset == 0 || !$0.element.isEmpty }.map(\.element)
                    .joined(separator: [0x20]).map { $0 }
            }
        }
        while lines.last?.isEmpty == true { lines.removeLast() }
        if lines.isEmpty { return canonicalization == .simple ? [0x0D, 0x0A] : [] }
        return lines.flatMap { $0 + [0x0D, 0x0A] }
    }

    @Test(
        "RFC 6376 § 3.4.3, § 3.4.4: bodies, whole and octet by octet",
        arguments: [
            ("", "\r\n", ""),
            ("\r\n", "\r\n", ""),
            ("\r\n\r\n\r\n", "\r\n", ""),
            ("a", "a\r\n", "a\r\n"),
            ("a\r\n", "a\r\n", "a\r\n"),
            ("a\r\n\r\n\r\n", "a\r\n", "a\r\n"),
            ("\r\n\r\na\r\n", "\r\n\r\na\r\n", "\r\n\r\na\r\n"),
            (" \r\n", " \r\n", ""),
            (" \t \r\n\t\r\n", " \t \r\n\t\r\n", ""),
            (" ", " \r\n", ""),
            (" a", " a\r\n", " a\r\n"),
            ("\ta", "\ta\r\n", " a\r\n"),
            ("a \r\n \r\n", "a \r\n \r\n", "a\r\n"),
            ("a  b\t \tc\r\n", "a  b\t \tc\r\n", "a b c\r\n"),
            ("a \r\n\r\n b\r\n", "a \r\n\r\n b\r\n", "a\r\n\r\n b\r\n"),
            (" C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n", " C\r\nD E\r\n"),
            // An LF alone ends a line as CRLF does.
            ("a\nb\n\n", "a\r\nb\r\n", "a\r\nb\r\n"),
            ("a \nb", "a \r\nb\r\n", "a\r\nb\r\n"),
            ("\n\n", "\r\n", ""),
            // A CR alone is data.
            ("a\rb\r\n", "a\rb\r\n", "a\rb\r\n"),
            ("a \r b\r\n", "a \r b\r\n", "a \r b\r\n"),
            ("a\r", "a\r\r\n", "a\r\r\n"),
            ("a \r", "a \r\r\n", "a \r\r\n"),
            ("\r\r\n", "\r\r\n", "\r\r\n"),
            ("a \r\r\n\r\n", "a \r\r\n", "a \r\r\n"),
            // Other control characters, and octets beyond US-ASCII, are data.
            ("a \u{B} b\u{0}\r\n", "a \u{B} b\u{0}\r\n", "a \u{B} b\u{0}\r\n"),
            ("\u{A0}  \u{A0} \r\n", "\u{A0}  \u{A0} \r\n", "\u{A0} \u{A0}\r\n"),
        ]
    )
    func bodies(_ body: String, _ simple: String, _ relaxed: String) {
        let octets = [UInt8](body.utf8)
        for (canonicalization, expected) in [(Canonicalization.simple, simple), (.relaxed, relaxed)] {
            let expected = [UInt8](expected.utf8)
            #expect(Self.canonical(canonicalization, [octets]) == expected)
            #expect(Self.canonical(canonicalization, octets.map { [$0] }) == expected)
            #expect(Self.reference(canonicalization, octets) == expected)
        }
    }

    @Test("Any body in any chunks has the form that the RFC's words give it", arguments: Canonicalization.allCases)
    func chunks(_ canonicalization: Canonicalization) {
        var generator = SystemRandomNumberGenerator()
        let alphabets: [[UInt8]] = [
            [0x20, 0x09, 0x0D, 0x0A, 0x61],
            [0x20, 0x0D, 0x0A],
            [0x0D, 0x0A, 0x61],
            [0x20, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x0A],
            [0x00, 0x1F, 0x20, 0x21, 0x80, 0xA0, 0xFF, 0x0D, 0x0A, 0x09],
            // Long stretches in which nothing changes, which are passed over in blocks.
            [UInt8](repeating: 0x61, count: 60) + [0x0A, 0x20, 0x20, 0x09, 0x0D, 0x8A, 0xFF, 0x00],
        ]
        for round in 0..<4800 {
            let alphabet = alphabets[round % alphabets.count]
            let body = (0..<Int.random(in: 0...(round % 6 == 5 ? 160 : 60), using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            let expected = Self.reference(canonicalization, body)
            var chunks = [ArraySlice<UInt8>]()
            var rest = body[...]
            while !rest.isEmpty {
                let length = Int.random(in: 0...min(24, rest.count), using: &generator)
                chunks.append(rest.prefix(length))
                rest = rest.dropFirst(length)
            }
            #expect(Self.canonical(canonicalization, [body]) == expected, "\(body)")
            #expect(Self.canonical(canonicalization, chunks) == expected, "\(chunks)")
        }
    }

    @Test("the RFCs' messages, cut in two anywhere near their line ends")
    func messages() throws {
        for name in ["rfc6376-A.2.eml", "rfc8463-A.3.eml"] {
            Self.expectSameHoweverCut([UInt8](try Vectors.read("dkim/" + name)))
        }
    }

    @Test("RFC 6376 § 3.4.5: the example") func example() throws {
        struct Forms: Decodable {
            var header: String
            var body: String
        }
        struct File: Decodable {
            var headerIn: String
            var bodyIn: String
            var relaxed: Forms
            var simple: Forms
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let file = try decoder.decode(File.self, from: Vectors.read("dkim/canonicalization.json"))
        let headers = StoredMessage(Octets(file.headerIn)).headers
        for (canonicalization, forms) in [(Canonicalization.simple, file.simple), (.relaxed, file.relaxed)] {
            var canonicalizer = HeaderCanonicalizer(canonicalization)
            for field in headers { canonicalizer.append(field) }
            #expect(canonicalizer.octets[...].text == forms.header)
            #expect(Self.canonical(canonicalization, [[UInt8](file.bodyIn.utf8)])[...].text == forms.body)
        }
    }

    @Test(
        "RFC 6376 § 3.4.2: header fields",
        arguments: [
            ("Subject", " a", "subject:a"),
            ("SUBJECT", "a", "subject:a"),
            ("Subject \t", " \t a \t ", "subject:a"),
            ("A", " b\r\n\tc", "a:b c"),
            ("A", " b \r\n \r\n c", "a:b c"),
            ("A", "\r\n b", "a:b"),
            ("A", " b\r\n ", "a:b"),
            ("A", "", "a:"),
            ("A", " \r\n ", "a:"),
            ("A", " b\rc", "a:b\rc"),
            ("A", " \u{E4}  \u{B} ", "a:\u{E4} \u{B}"),
            ("A", " b:c : d", "a:b:c : d"),
        ]
    )
    func fields(_ name: String, _ value: String, _ expected: String) {
        var canonicalizer = HeaderCanonicalizer(.relaxed)
        canonicalizer.appendWithoutLineEnd(HeaderField(name: Octets(name), value: Octets(value)))
        #expect(canonicalizer.octets[...].text == expected)
        canonicalizer = HeaderCanonicalizer(.simple)
        canonicalizer.append(HeaderField(name: Octets(name), value: Octets(value)))
        #expect(canonicalizer.octets[...].text == "\(name):\(value)\r\n")
    }

    /// Whether a body gives the same canonical forms cut in two anywhere near its line ends.
    static func expectSameHoweverCut(_ body: [UInt8]) {
        for canonicalization in Canonicalization.allCases {
            let expected = reference(canonicalization, body)
            for cut in body.indices where body[cut] <= 0x20 {
                #expect(canonical(canonicalization, [body[..<cut], body[cut...]]) == expected)
            }
        }
    }
}

@Suite("Canonicalization of messages in use", .published("mail-messages/cpython"))
struct PublishedCanonicalizationTests {
    @Test("each message, cut in two anywhere near its line ends")
    func messages() throws {
        let paths = try Corpora.files(in: "mail-messages/cpython").filter { $0.contains("/msg_") }
        #expect(paths.count == 47)
        for path in paths {
            CanonicalizationTests.expectSameHoweverCut(Array([UInt8](try Corpora.read(path)).prefix(4000)))
        }
    }
}
