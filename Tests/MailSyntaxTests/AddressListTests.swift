import MailSyntax
import TestSupport
import Testing

@Suite("Address lists")
struct AddressListTests {
    struct Case: CustomTestStringConvertible, Sendable {
        var section: String
        var value: String
        /// `name|local part|domain` of each mailbox, or the error.
        var expected: Result<[String], AddressList.SyntaxError>

        var testDescription: String { "\(section): \(value.prefix(60).debugDescription)" }

        init(_ section: String, _ value: String, _ expected: String...) {
            self.section = section
            self.value = value
            self.expected = .success(expected)
        }

        init(_ section: String, _ value: String, _ error: AddressList.SyntaxError) {
            self.section = section
            self.value = value
            self.expected = .failure(error)
        }
    }

    static let accepted = [
        Case("RFC 5322 § 3.4.1", "jdoe@example.org", "-|jdoe|example.org"),
        Case("RFC 5322 § 3.4", "<jdoe@example.org>", "-|jdoe|example.org"),
        Case("RFC 5322 A.1.1", " John Doe <jdoe@machine.example>", "John Doe|jdoe|machine.example"),
        Case(
            "RFC 5322 A.1.2",
            "\"Joe Q. Public\" <john.q.public@example.com>",
            "Joe Q. Public|john.q.public|example.com"
        ),
        Case(
            "RFC 5322 A.1.2",
            "\"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
            "Giant; \"Big\" Box|sysservices|example.net"
        ),
        Case(
            "RFC 5322 A.1.2",
            "Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
            "Mary Smith|mary|x.test",
            "-|jdoe|example.org",
            "Who?|one|y.test"
        ),
        Case(
            "RFC 5322 A.1.3",
            "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
            "Ed Jones|c|a.test",
            "-|joe|where.test",
            "John|jdoe|one.test"
        ),
        Case("RFC 5322 A.1.3", "Undisclosed recipients:;"),
        Case(
            "RFC 5322 A.5",
            "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",
            "Pete|pete|silly.test"
        ),
        Case(
            "RFC 5322 A.5",
            "A Group(Some people)\r\n     :Chris Jones <c@(Chris's host.)public.example>,\r\n"
                + "         joe@example.org,\r\n  John <jdoe@one.test> (my dear friend); (the end of the group)",
            "Chris Jones|c|public.example",
            "-|joe|example.org",
            "John|jdoe|one.test"
        ),
        Case("RFC 5322 A.5", "(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;"),
        Case("RFC 5322 A.6.1", "Joe Q. Public <john.q.public@example.com>", "Joe Q. Public|john.q.public|example.com"),
        Case(
            "RFC 5322 A.6.1",
            "Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
            "Mary Smith|mary|example.net",
            "-|jdoe|test.example"
        ),
        Case("RFC 5322 § 4.4", "<@a.test,,@b.test (c), : x@c.test>", "-|x|c.test"),
        Case("RFC 5322 § 4.4", ",,jdoe@example.org,,", "-|jdoe|example.org"),
        Case("RFC 5322 § 4.4", "john . q . \"pub lic\" @ example . com", "-|john.q.pub lic|example.com"),
        Case("RFC 5322 § 3.4.1", "jdoe@[192.0.2.1]", "-|jdoe|[192.0.2.1]"),
        Case("RFC 5322 § 3.4.1", "jdoe@[ IPv6:2001:db8::1 ]", "-|jdoe|[IPv6:2001:db8::1]"),
        Case("RFC 5322 § 3.2.4", "\"a@b <c@d>\"@example.org", "-|a@b <c@d>|example.org"),
        Case("RFC 5322 § 3.2.4", "\"\"@example.org", "-||example.org"),
        Case("RFC 5322 § 3.2.2", "((a)(b(c)))jdoe(d)@(e)example.org(f)", "-|jdoe|example.org"),
        Case("RFC 5322 § 3.2.2", "a\n\t<jdoe@example.org>", "a|jdoe|example.org"),
        Case("RFC 2047 § 5", "=?utf-8?q?a=40b.test?= <jdoe@example.org>", "=?utf-8?q?a=40b.test?=|jdoe|example.org"),
        Case("RFC 6532 § 3.2", "Jöran <jö@exämple.org>", "Jöran|jö|exämple.org"),
        Case("dots anywhere", "a..b@example.org", "-|a..b|example.org"),
        Case("dots anywhere", ".a@example.org", "-|.a|example.org"),
        Case("dots anywhere", "<a.@example.org>", "-|a.|example.org"),
        Case("dots anywhere", "x <. \"a b\" . . c .@example.org>", "x|.a b..c.|example.org"),
        Case("dots anywhere", "<.@example.org>", "-|.|example.org"),
        Case("RFC 5322 § 3.2.3", "a+b/c=d!e#{f}@example.org", "-|a+b/c=d!e#{f}|example.org"),
    ]

    static let refused = [
        Case("RFC 5322 § 3.4", "", .empty),
        Case("RFC 5322 § 3.4", " , (nobody) ,", .empty),
        Case("RFC 5322 § 3.4.1", "jdoe", .noDomain),
        Case("RFC 5322 § 3.4.1", "John Doe", .noDomain),
        Case("RFC 5322 § 3.4.1", "<jdoe>", .noDomain),
        Case("RFC 5322 § 3.4.1", "jdoe@", .noDomain),
        Case("RFC 5322 § 3.4.1", "<>", .unexpected),
        Case("RFC 5322 § 3.4.1", "@example.org", .unexpected),
        Case("RFC 5322 § 3.4.1", "a@b@example.org", .unexpected),
        Case("RFC 5322 § 3.4", "a@x.test <b@y.test>", .unexpected),
        Case("RFC 5322 § 3.4", "<a@x.test> <b@y.test>", .unexpected),
        Case("RFC 5322 § 3.4", "a@x.test b@y.test", .unexpected),
        Case("RFC 5322 § 3.4", "a@x.test; b@y.test", .unexpected),
        Case("RFC 5322 § 3.2.3", "a@example..org", .unexpected),
        Case("RFC 5322 § 3.2.3", "a@.example.org", .unexpected),
        Case("RFC 5322 § 3.2.3", "a@example.org.", .unexpected),
        Case("RFC 5322 § 3.2.3", "a b@example.org", .unexpected),
        Case("RFC 5322 § 3.2.5", ". a <a@example.org>", .unexpected),
        Case("RFC 5322 § 3.2.2", "a@example.org (", .unterminated),
        Case("RFC 5322 § 3.2.2", "<any@attacker.test(.victim.test>", .unterminated),
        Case("RFC 5322 § 3.2.2", "a@example.org )", .unexpected),
        Case("RFC 5322 § 3.2.2", String(repeating: "(", count: 65) + String(repeating: ")", count: 65), .tooDeep),
        Case("RFC 5322 § 3.2.4", "\"a@example.org", .unterminated),
        Case("RFC 5322 § 3.2.1", "\"a\\", .unterminated),
        Case("RFC 5322 § 3.4", "<a@example.org", .unterminated),
        Case("RFC 5322 § 3.4", "g: a@example.org", .unterminated),
        Case("RFC 5322 § 3.4", "g: h: a@example.org;;", .unexpected),
        Case("RFC 5322 § 3.4.1", "a@[192.0.2.1", .unterminated),
        Case("RFC 5322 § 3.4.1", "a@[[192.0.2.1]", .unexpected),
        Case("RFC 5322 § 4.4", "a@[192.0.2.1\\]]", .unexpected),
        Case("RFC 5322 § 3.4.1", "a@[192.0.2.1\u{0}]", .forbiddenOctet),
        Case("RFC 5322 § 4.4", "<@a.test a@b.test>", .unexpected),
        Case("RFC 5322 § 4.4", "<,: a@b.test>", .unexpected),
        Case("RFC 5322 § 2.2", "\"a\u{0}b\" <a@example.org>", .forbiddenOctet),
        Case("RFC 5322 § 2.2", "(a\u{0}b) a@example.org", .forbiddenOctet),
        Case("RFC 5322 § 2.2", "a\u{0}@example.org", .unexpected),
        Case("RFC 5322 § 2.2.3", "a@example.org\r\nBcc: b@example.org", .forbiddenOctet),
        Case("RFC 5322 § 2.2.3", "\"a\rb\" <a@example.org>", .forbiddenOctet),
        Case("RFC 5322 § 3.2.1", "\"a\\\nb\" <a@example.org>", .forbiddenOctet),
        Case("RFC 5322 § 3.2.3", "..a b@example.org", .unexpected),
        Case("bound", String(repeating: "a@b.test,", count: 101), .tooMany),
        Case("bound", "a@b.test" + String(repeating: " ", count: 16_384), .tooLong),
    ]

    @Test("reads or refuses", arguments: accepted + refused)
    func reads(_ vector: Case) {
        let result = Result { () throws(AddressList.SyntaxError) in
            try AddressList(parsing: Octets(vector.value)).mailboxes.map {
                "\($0.displayName?.text ?? "-")|\($0.localPart.text)|\($0.domain.text)"
            }
        }
        #expect(result == vector.expected)
    }

    @Test("RFC 5322 § 3.4: groups keep their name")
    func groups() throws {
        let list = try AddressList(parsing: Octets("x@a.test, Us two . :y@b.test; , z@c.test"))
        let expected: [AddressList.Element] = [
            .mailbox(Mailbox(localPart: Octets("x"), domain: Octets("a.test"))),
            .group(name: Octets("Us two ."), [Mailbox(localPart: Octets("y"), domain: Octets("b.test"))]),
            .mailbox(Mailbox(localPart: Octets("z"), domain: Octets("c.test"))),
        ]
        #expect(list.elements == expected)
    }

    @Test(
        "RFC 5322 § 3.4.1: an addr-spec reads back",
        arguments: ["a", "a.b", "a b", "a..b", "", "a\"b\\", "ö", "a@b"]
    )
    func writes(localPart: String) throws {
        let mailbox = Mailbox(localPart: Octets(localPart), domain: Octets("example.org"))
        #expect(try AddressList(parsing: mailbox.addrSpec[...]).mailboxes == [mailbox])
    }

}
