import MailSyntax
import Testing

@Suite("Tag-lists")
struct TagListTests {
    @Test(
        "RFC 6376 § 3.2: what is read",
        arguments: [
            ("a=b", [("a", "b")]),
            ("a=b;", [("a", "b")]),
            ("a=b; ", [("a", "b")]),
            (" v = DKIM1 ;\r\n\tp=\tAB\r\n CD ", [("v", "DKIM1"), ("p", "AB\r\n CD")]),
            ("p=", [("p", "")]),
            ("a=x=y==; B_1=:", [("a", "x=y=="), ("B_1", ":")]),
            ("a=1; A=2", [("a", "1"), ("A", "2")]),
            ("d=\u{E4}.example", [("d", "\u{E4}.example")]),
        ]
    )
    func reads(_ text: String, _ expected: [(String, String)]) throws {
        let tags = try TagList(Octets(text)).tags
        #expect(tags.map(\.name.text) == expected.map(\.0))
        #expect(tags.map(\.value.text) == expected.map(\.1))
    }

    @Test(
        "RFC 6376 § 3.2: what is refused",
        arguments: [
            ("", .missingEqualsSign),
            (";", .missingEqualsSign),
            ("a=b;;", .missingEqualsSign),
            ("a=b;c", .missingEqualsSign),
            ("=b", .invalidName),
            ("1=b", .invalidName),
            ("a-b=c", .invalidName),
            ("a b=c", .invalidName),
            ("a=\u{0}", .invalidValue),
            ("a=b\nc", .invalidValue),
            ("a=b\r\nc", .invalidValue),
            ("a=b\rc", .invalidValue),
            ("a=\u{7F}", .invalidValue),
            ("a=b;c=d; a =e", .duplicate("a")),
            (String(repeating: "a=b;", count: 100), .duplicate("a")),
            ((0..<65).map { "a\($0)=" }.joined(separator: ";"), .tooManyTags),
        ] as [(String, TagList.SyntaxError)]
    )
    func refuses(_ text: String, _ expected: TagList.SyntaxError) {
        #expect(throws: expected) { try TagList(Octets(text)) }
    }

    @Test("Tags are found by name, with regard to case")
    func finds() throws {
        let list = try TagList(Octets("v=1; b= a b\r\n c"))
        #expect(list["v"]?.text == "1")
        #expect(list["V"] == nil)
        #expect(list["b"]?.withoutWhiteSpace.text == "abc")
    }
}
