import MailSyntax
import Testing

@Suite("Domain names")
struct DomainNameTests {
    @Test(
        "UTS 46: a symbol and its A-label are one name, and what is invisible is none",
        arguments: [
            ("☃.example", "xn--n3h.example"), ("a.☃.example", "a.xn--n3h.example"), ("💩.example", "xn--ls8h.example"),
            // The sharp s has an A-label of its own, which the transitional form takes away.
            ("faß.example", "xn--fa-hia.example"), ("☃faß.example", nil), ("\u{202E}a.example", nil),
            ("bank\u{E0001}.example", nil),
        ] as [(String, String?)]
    )
    func symbols(_ text: String, _ name: String?) {
        #expect((try? DomainName(mailHost: Octets(text)))?.description == name)
    }

    @Test(
        "an address in US-ASCII",
        arguments: [
            ("a@example.com", "a@example.com"), ("a@bücher.example", "a@xn--bcher-kva.example"),
            ("jörg@bücher.example", nil), ("@bücher.example", "@xn--bcher-kva.example"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("bü cher.example", nil), ("", ""),
        ] as [(String, String?)]
    )
    func ascii(_ text: String, _ expected: String?) {
        #expect(FieldText.ascii(Octets(text))?.text == expected)
    }

    @Test(
        "RFC 1035 § 2.3.4 and § 5.1: what is read, and how it is written",
        arguments: [
            ("example.com", "example.com"), ("Example.COM.", "example.com"), ("a", "a"), ("_dmarc.x", "_dmarc.x"),
            ("a b.c", "a\\032b.c"), ("a\\b", "a\\092b"), ("ä", "\\195\\164"),
            (String(repeating: "a", count: 63) + ".b", String(repeating: "a", count: 63) + ".b"),
        ]
    )
    func reads(text: String, expected: String) throws {
        let name = try DomainName(text)
        #expect(name.description == expected)
        #expect(try DomainName(labels: name.labels) == name)
    }

    @Test(
        "RFC 1035 § 2.3.4: what is none",
        arguments: [
            ("", DomainName.SyntaxError.emptyLabel), (".", .emptyLabel), (".a", .emptyLabel), ("a..b", .emptyLabel),
            ("a.b..", .emptyLabel), (String(repeating: "a", count: 64), .labelTooLong),
            (Array(repeating: "a", count: 128).joined(separator: "."), .nameTooLong),
        ]
    )
    func refuses(text: String, error: DomainName.SyntaxError) {
        #expect(throws: error) { try DomainName(text) }
        #expect(throws: error) { try DomainName(unicode: Octets(text)) }
    }

    @Test("RFC 1035 § 5.1: a name with any octet reads again from its text")
    func readsEscaped() throws {
        for octet in UInt8.min...UInt8.max {
            let name = try DomainName(labels: [[octet, octet], [0x61, octet], [octet, 0x62]])
            #expect(try DomainName(escaped: Octets(name.description)) == name)
        }
        #expect(try DomainName(escaped: Octets(".")) == .root)
        #expect(try DomainName(escaped: Octets("Example.COM")) == DomainName("example.com"))
        let longest = try DomainName(labels: [63, 63, 63, 61].map { Octets(repeating: 0, count: $0) })
        #expect(try DomainName(escaped: Octets(longest.description)) == longest)
    }

    @Test(
        "RFC 1035 § 5.1: what is no escaped name",
        arguments: [
            ("", DomainName.SyntaxError.emptyLabel), ("a\\x32.b", .notEscaped), ("a\\256", .notEscaped),
            ("a\\03", .notEscaped), ("a\\", .notEscaped), ("\\046..b", .emptyLabel),
            ("a\\-12", .notEscaped),
        ]
    )
    func refusesEscaped(text: String, error: DomainName.SyntaxError) {
        #expect(throws: error) { try DomainName(escaped: Octets(text)) }
    }

    @Test("RFC 1035 § 2.3.4: 253 characters are the most")
    func longest() throws {
        let text = Array(repeating: "a", count: 127).joined(separator: ".")
        #expect(text.utf8.count == 253)
        #expect(try DomainName(text).labelCount == 127)
    }

    @Test("ancestors and suffixes")
    func hierarchy() throws {
        let name = try DomainName("a.b.example.com")
        #expect(name.labelCount == 4 && DomainName.root.labelCount == 0)
        #expect(name.parent?.description == "b.example.com")
        #expect(DomainName.root.parent == nil && DomainName.root.description == ".")
        #expect(
            (-1...5).map { name.suffix($0).description } == [
                ".", ".", "com", "example.com", "b.example.com", "\(name)", "\(name)",
            ]
        )
        for (other, isEqualOrBelow, isBelow) in [
            ("a.b.example.com", true, false), ("example.com", true, true), ("xample.com", false, false),
            ("x.a.b.example.com", false, false), ("b.example.org", false, false),
        ] {
            #expect(name.isEqualOrSubdomain(of: try DomainName(other)) == isEqualOrBelow, "\(other)")
            #expect(name.isSubdomain(of: try DomainName(other)) == isBelow, "\(other)")
        }
        #expect(name.isSubdomain(of: .root))
        #expect(try name.child(Octets("_X")).description == "_x.a.b.example.com")
        #expect(throws: DomainName.SyntaxError.emptyLabel) { try name.child([]) }
        let long = try DomainName(labels: (0..<126).map { _ in Octets("a") })
        #expect(try long.child(Octets("a")).labelCount == 127)
        #expect(throws: DomainName.SyntaxError.nameTooLong) { try long.child(Octets("ab")).child(Octets("a")) }
        // A label that ends like the wire form of another name is not above it.
        #expect(try !DomainName(labels: [Octets("x\u{3}com")]).isSubdomain(of: DomainName("com")))
    }

    @Test(
        "host names",
        arguments: [
            ("example.com", true), ("a-b.c_d", true), ("-a.b", false), ("a-.b", false), ("a!b", false), ("ä.b", false),
            ("1.2", true),
        ]
    )
    func hostNames(text: String, isHostName: Bool) throws {
        #expect(try DomainName(text).isHostName == isHostName)
        #expect(!DomainName.root.isHostName)
    }

    @Test(
        "RFC 5891: U-labels become A-labels",
        arguments: [
            ("bücher.example", "xn--bcher-kva.example"), ("BÜCHER.Example", "xn--bcher-kva.example"),
            ("例え.テスト", "xn--r8jz45g.xn--zckzah"), ("faß.de", "xn--fa-hia.de"), ("a。ü", "a.xn--tda"),
            ("plain.test", "plain.test"),
        ]
    )
    func internationalized(text: String, expected: String) throws {
        #expect(try DomainName(unicode: Octets(text)).description == expected)
    }

    @Test(
        "RFC 5321 § 2.3.5: the name of a host, after IDNA with STD3 rules",
        arguments: [
            ("bank.example", "bank.example"), ("Bücher.example", "xn--bcher-kva.example"),
            ("a_b.example", "a_b.example"),
            ("bank.example\u{A0}", nil), ("bank.example\u{2003}", nil), ("bank.example\u{3000}", nil),
            ("bank.example\u{1680}", nil), ("bank.example\u{2028}", nil), ("bank.example\u{180E}", nil),
            ("ba\u{A0}nk.example", nil), ("bank.example'", nil), ("bank.ex`ample", nil), ("-bank.example", nil),
            ("ü'.example", nil), ("ü\u{2260}.example", nil), ("bank.example\u{7F}", nil), ("bank.example ", nil),
            ("bank\u{2024}example", nil), ("\u{202E}bank.example", nil), ("bank.example\u{E0020}", nil),
            // UTS 46 leaves these out, or takes them for what they look like.
            ("ba\u{200B}nk.example", "bank.example"), ("ba\u{AD}nk.example", "bank.example"),
            ("bank\u{FF0E}example", "bank.example"), ("\u{FF42}ank.example", "bank.example"),
        ] as [(String, String?)]
    )
    func mailHosts(text: String, expected: String?) {
        #expect((try? DomainName(mailHost: Octets(text)))?.description == expected)
    }

    @Test(
        "RFC 5892: what IDNA does not allow",
        arguments: [[0xC3], [0xFF, 0x2E, 0x61], [0xC3, 0xBC, 0x00], Array("\u{378}".utf8)]
    )
    func notInternationalized(octets: [UInt8]) {
        #expect(throws: DomainName.SyntaxError.notIDNA) { try DomainName(unicode: octets[...]) }
    }
}
