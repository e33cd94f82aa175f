import MailSyntax
import Testing

@Suite("Who the author is")
struct AuthorIdentityTests {
    private func identity(_ fields: [(String, String)]) -> AuthorIdentity {
        var block = HeaderBlock()
        for (name, value) in fields { block.append(name: name.utf8, value: value.utf8) }
        return AuthorIdentity(of: block)
    }

    private func kind(_ identity: AuthorIdentity) -> String {
        switch identity {
        case .domain: "domain"
        case .repaired: "repaired"
        case .severalDomains: "several domains"
        case .noDomain: "no domain"
        case .severalFields(let count, _, _): "\(count) fields"
        case .missing: "missing"
        case .unreadable: "unreadable"
        }
    }

    @Test("RFC 9989 § 5.3.1: every From has its case, its domains and its count")
    func cases() {
        for (fields, expected, domains, count) in [
            ([], "missing", [], 0),
            ([("To", "a@b.test")], "missing", [], 0),
            ([("From", " a@b.test")], "domain", ["b.test"], 1),
            ([("fRoM", "A <a@B.Test>\r\n ")], "domain", ["b.test"], 1),
            ([("From", "a@b.test, c@b.test")], "domain", ["b.test"], 2),
            ([("From", "a@bücher.test")], "domain", ["xn--bcher-kva.test"], 1),
            ([("From", "a@b.test, c@d.test, e@b.test")], "several domains", ["b.test", "d.test"], 3),
            ([("From", "g:;")], "no domain", [], 0),
            ([("From", "a@[192.0.2.1], b@c.test")], "no domain", ["c.test"], 2),
            ([("From", "x, y <a@b.test>")], "repaired", ["b.test"], 1),
            ([("From", "a@b.test, x <c@d.test>")], "unreadable", ["b.test", "d.test"], 0),
            ([("From", "a@b\u{FFFF}.test")], "unreadable", ["b"], 0),
            ([("From", "a@b.test\u{A0}")], "unreadable", ["b.test"], 0),
            ([("From", "a@b.test'")], "unreadable", ["b.test"], 0),
            ([("From", "a@(c)b.test x")], "unreadable", ["b.test"], 0),
            ([("From", "a@b . test x")], "unreadable", ["b", "b.test"], 0),
            ([("From", "a@b.test. x <c@d.test>")], "unreadable", ["b.test", "b.test.x", "d.test"], 0),
            ([("From", "a @ b.test x")], "unreadable", ["b.test"], 0),
            ([("From", "a@" + String(repeating: "x", count: 64) + ".test")], "unreadable", [], 0),
            ([("From", "")], "unreadable", [], 0),
            ([("From", "a@b.test <c@d.test>")], "unreadable", ["b.test", "d.test"], 0),
            ([("From", "a@b.test("), ("From", "c@d.test")], "2 fields", ["d.test", "b.test"], 2),
            ([("From", "a@b.test"), ("From ", "c@d.test")], "2 fields", ["b.test", "d.test"], 2),
            ([("From\r\n ", "a@b.test")], "domain", ["b.test"], 1),
        ] as [([(String, String)], String, [String], Int)] {
            let identity = identity(fields)
            #expect(kind(identity) == expected, "\(fields)")
            #expect(identity.domains.map(\.description) == domains, "\(fields)")
            #expect(identity.fromCount == count, "\(fields)")
            #expect((identity.authorDomain != nil) == ["domain", "repaired"].contains(expected))
            #expect(identity.policyDomains.isEmpty || expected != "unreadable")
        }
    }

    @Test("bounds: of many fields and many addresses only some are read")
    func bounds() {
        let identity = identity((0..<100).map { ("From", "a@b\($0).test") })
        #expect(identity.fromCount == 100)
        #expect(identity.domains.count == AuthorIdentity.maximumFields)
        let broken = AuthorIdentity(from: Octets((0..<100).map { "a@b\($0).test " }.joined()))
        #expect(broken.domains.count == AuthorIdentity.maximumFields)
        let many = AuthorIdentity(from: Octets((0..<17).map { "a@bü\($0).test" }.joined(separator: ",")))
        #expect(many.reading == .unreadable && many.domains.count == AuthorIdentity.maximumFields)
        let few = AuthorIdentity(from: Octets((0..<16).map { "a@bü\($0).test" }.joined(separator: ",")))
        #expect(few.reading == .readable && few.domains.count == 16)
        let named = Octets((0..<17).map { "a@bü\($0).test " }.joined())
        #expect(AuthorIdentity(from: named).domains.count == AuthorIdentity.maximumFields)
        for long in ["a.", "a@", "\\a", "(", "=?", "=?a?q?", "\"", "x, ", "a@ü "] {
            let text = String(repeating: long, count: 500_000 / long.utf8.count) + " <a@b.test>"
            let identity = AuthorIdentity(from: Octets(text))
            #expect(identity.reading == .unreadable && identity.domains.count <= 1)
        }
    }

    @Test("bounds: several From fields are read as far as one would be")
    func severalFields() {
        let half = String(repeating: " ", count: AddressList.maximumValueLength / 2 - 20)
        let long = identity((0..<4).map { ("From", half + "a@b\($0).test") })
        #expect(long.fromCount == 4 && long.domains.map(\.description) == ["b0.test", "b1.test"])
        // One that is too long leaves room for those behind it.
        let whole = String(repeating: " ", count: AddressList.maximumValueLength) + "a@b.test"
        #expect(identity([("From", whole), ("From", "a@c.test")]).domains.map(\.description) == ["c.test"])
    }

    @Test("bounds: domains with U-labels are read up to a number of octets in all")
    func internationalDomains() throws {
        let (most, label) = (AuthorIdentity.maximumInternationalOctets, String(repeating: "ü", count: 20))
        let domains = (0..<16).map { "\(label)\($0).test" }
        let fits = most / 47
        let few = AuthorIdentity(from: Octets(domains.prefix(fits).map { "a@" + $0 }.joined(separator: ",")))
        #expect(few.reading == .readable && few.domains.count == fits)
        let many = AuthorIdentity(from: Octets(domains.map { "a@" + $0 }.joined(separator: ",")))
        #expect(many.reading == .unreadable && many.domains.isEmpty)
        let fields = identity(domains.prefix(8).map { ("From", "<a@\($0)> x") } + [("From", "a@b.test")])
        #expect(fields.domains.count == 8)
        // RFC 5321 § 4.5.3.1.2: "255 octets".
        let chinese = String(repeating: "\u{4E2D}", count: 50) + "."
        #expect(try DomainName(unicode: Octets(chinese + "test")).labelCount == 2)
        #expect(throws: DomainName.SyntaxError.notIDNA) { try DomainName(unicode: Octets(chinese + chinese + "test")) }
    }
}
