import MailSyntax
import SPF
import Testing

@Suite("Records")
struct RecordTests {
    @Test(
        "RFC 7208 § 12: valid",
        arguments: [
            "v=spf1", "v=spf1 ", "V=SpF1 -ALL", "v=spf1  a  mx   ~all  ", "v=spf1 +a -mx ~ptr ?all",
            "v=spf1 a:d.example/24//64", "v=spf1 a/0", "v=spf1 a//0", "v=spf1 mx/32//128", "v=spf1 A:D.example./9",
            "v=spf1 ip4:192.0.2.1", "v=spf1 IP4:192.0.2.0/24", "v=spf1 ip4:0.0.0.0/0", "v=spf1 ip6:::",
            "v=spf1 ip6:::1/128",
            "v=spf1 ip6:2001:db8::192.0.2.1/96", "v=spf1 include:%{d}", "v=spf1 include:_spf.%{d2}",
            "v=spf1 exists:%{ir}.%{v}.x",
            "v=spf1 a:foo%%", "v=spf1 a:foo%_", "v=spf1 a:foo%-", "v=spf1 a:%%%%.example",
            "v=spf1 ptr:x.%{o127r.-+,/_=}",
            "v=spf1 redirect=d.example", "v=spf1 exp=why.%{d} -all", "v=spf1 x=", "v=spf1 a.b-c_d=e:f/g",
            "v=spf1 x=%{d}%%",
            "v=spf1 a:foo:bar/baz.example", "v=spf1 a:x/y.example/24", "v=spf1 a:x.1-2", "v=spf1 a:x.a1",
            "v=spf1 a:x.1a",
            "v=spf1 a:%{L1000r}.x", "v=spf1 a:%{dR}.x", "v=spf1 include:!#$&'()*;<>?@[]^`{|}~.x", "v=spf1 all all",
            "v=spf1 a:x.1--a",
        ]
    )
    func valid(_ text: String) throws {
        _ = try SPFRecord(parsing: Octets(text))
    }

    @Test(
        "RFC 7208 § 12: not valid",
        arguments: [
            ("v=spf10", .noVersion), ("v=spf", .noVersion), ("", .noVersion), ("v=spf1\t-all", .noVersion),
            ("v=spf1 moo", .unknownMechanism), ("v=spf1 -", .unknownMechanism), ("v=spf1 --all", .unknownMechanism),
            ("v=spf1 +-all", .unknownMechanism), ("v=spf1 1x=y", .unknownMechanism), ("v=spf1 =y", .unknownMechanism),
            ("v=spf1 -x=y", .unknownMechanism), ("v=spf1 redirect:d.example", .unknownMechanism),
            ("v=spf1 :", .unknownMechanism),
            ("v=spf1 /24", .unknownMechanism), ("v=spf1 \u{1}", .unknownMechanism), ("v=spf1 a\tmx", .unknownMechanism),
            ("v=spf1 all:", .unexpectedArgument), ("v=spf1 all/8", .unexpectedArgument),
            ("v=spf1 ptr/8", .unexpectedArgument),
            ("v=spf1 all.", .unknownMechanism), ("v=spf1 ptr:", .missingDomain), ("v=spf1 a:", .missingDomain),
            ("v=spf1 a:/24", .missingDomain), ("v=spf1 include", .missingDomain), ("v=spf1 include:", .missingDomain),
            ("v=spf1 exists", .missingDomain), ("v=spf1 exists/24", .missingDomain),
            ("v=spf1 redirect=", .missingDomain),
            ("v=spf1 exp=", .missingDomain), ("v=spf1 ip4", .missingDomain), ("v=spf1 ip4/24", .missingDomain),
            ("v=spf1 ip4:", .invalidAddress), ("v=spf1 ip4:192.0.2", .invalidAddress),
            ("v=spf1 ip4:192.0.2.256", .invalidAddress),
            ("v=spf1 ip4:192.0.2.01", .invalidAddress), ("v=spf1 ip4:::1", .invalidAddress),
            ("v=spf1 ip6:192.0.2.1", .invalidAddress),
            ("v=spf1 ip6:1::2::3", .invalidAddress), ("v=spf1 ip6:[::1]", .invalidAddress),
            ("v=spf1 ip6:fe80::1%eth0", .invalidAddress),
            ("v=spf1 ip4:192.0.2.1/33", .invalidPrefixLength), ("v=spf1 ip4:192.0.2.1/", .invalidPrefixLength),
            ("v=spf1 ip4:192.0.2.1/01", .invalidPrefixLength), ("v=spf1 ip4:192.0.2.1/+1", .invalidPrefixLength),
            ("v=spf1 ip4:192.0.2.1//32", .invalidPrefixLength), ("v=spf1 ip6:::/129", .invalidPrefixLength),
            ("v=spf1 ip6:::/99999999999999999999", .invalidPrefixLength), ("v=spf1 a/33", .invalidPrefixLength),
            ("v=spf1 a//129", .invalidPrefixLength), ("v=spf1 mx/00", .invalidPrefixLength),
            ("v=spf1 mx/099", .invalidPrefixLength),
            ("v=spf1 a/", .unexpectedArgument), ("v=spf1 a//", .unexpectedArgument),
            ("v=spf1 a/24/64", .invalidPrefixLength),
            ("v=spf1 a///64", .unexpectedArgument), ("v=spf1 a:x.example/a", .invalidDomain),
            ("v=spf1 include:x.example/24", .invalidDomain), ("v=spf1 a:museum", .invalidDomain),
            ("v=spf1 a:museum.", .invalidDomain),
            ("v=spf1 a:.", .invalidDomain), ("v=spf1 a:x.", .invalidDomain), ("v=spf1 a:x..", .invalidDomain),
            ("v=spf1 a:x.123", .invalidDomain), ("v=spf1 a:x.-a", .invalidDomain), ("v=spf1 a:x.a-", .invalidDomain),
            ("v=spf1 a:x.a_b", .invalidDomain), ("v=spf1 a:%{d}x", .invalidDomain), ("v=spf1 a:%{d}.", .invalidDomain),
            ("v=spf1 a:%", .invalidMacro), ("v=spf1 a:%a.x", .invalidMacro), ("v=spf1 a:%{", .invalidMacro),
            ("v=spf1 a:%{}", .invalidMacro),
            ("v=spf1 a:%{d", .invalidMacro), ("v=spf1 a:%{x}", .invalidMacro), ("v=spf1 a:%{c}", .invalidMacro),
            ("v=spf1 a:%{R}", .invalidMacro),
            ("v=spf1 a:%{t}", .invalidMacro), ("v=spf1 a:%{d0}", .invalidMacro), ("v=spf1 a:%{d00}", .invalidMacro),
            ("v=spf1 a:%{drr}", .invalidMacro), ("v=spf1 a:%{dr2}", .invalidMacro), ("v=spf1 a:%{d*}", .invalidMacro),
            ("v=spf1 a:%(d).x", .invalidMacro), ("v=spf1 x=%", .invalidMacro), ("v=spf1 x=%{c}", .invalidMacro),
            ("v=spf1 a:\u{7F}.x", .forbiddenOctet), ("v=spf1 a:b\u{FC}.x", .forbiddenOctet),
            ("v=spf1 x=\t", .forbiddenOctet),
            ("v=spf1 redirect=a.b redirect=a.b", .repeatedModifier), ("v=spf1 EXP=a.b exp=c.d", .repeatedModifier),
        ] as [(String, SPFRecord.SyntaxError.Reason)]
    )
    func invalid(_ text: String, _ reason: SPFRecord.SyntaxError.Reason) {
        do {
            let record = try SPFRecord(parsing: Octets(text))
            Issue.record("read as \(record.directives.count) directives")
        } catch {
            #expect(error.reason == reason)
        }
    }

    @Test("RFC 7208 § 5.1: what follows \"all\" is checked and dropped, and so is redirect")
    func all() throws {
        let record = try SPFRecord(parsing: Octets("v=spf1 redirect=a.b a all mx -all"))
        #expect(record.directives.count == 2)
        #expect(record.redirect == nil)
        #expect(throws: SPFRecord.SyntaxError.self) { try SPFRecord(parsing: Octets("v=spf1 all moo")) }
    }
}
