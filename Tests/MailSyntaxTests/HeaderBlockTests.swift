import MailSyntax
import Testing

@Suite("Header blocks and octets")
struct HeaderBlockTests {
    @Test("RFC 5322 § 2.2: fields in their order, found without regard to case")
    func fields() {
        var block = HeaderBlock()
        for (name, value) in [("To", " b@c.test"), ("FROM", " a@b.test"), ("to", ""), ("", ":x")] {
            block.append(name: name.utf8, value: value.utf8)
        }
        #expect(block.count == 4 && block.octetCount == 28)
        #expect(block.map(\.name.text) == ["To", "FROM", "to", ""])
        #expect(block.fields(named: "TO").map(\.value.text) == [" b@c.test", ""])
        #expect(block.fields(named: "From").count == 1 && block.fields(named: "Fro").isEmpty)
        #expect(block.hasName(Octets("tO"), at: 2) && !block.hasName(Octets("tO"), at: 1))
        #expect(block[1].isNamed("from") && !block[1].isNamed("froma"))
    }

    @Test("RFC 5322 § 4.5.8: white space may stand before the colon")
    func trimmedNames() {
        var block = HeaderBlock()
        block.append(name: "To \t".utf8, value: " b@c.test".utf8)
        #expect(block.hasName(Octets("to"), at: 0) && block.hasName("to", at: 0) && block[0].isNamed("To"))
        #expect(block.fields(named: "to").count == 1 && block.nameLength(at: 0) == 2)
        #expect(block.name(at: 0).text == "To" && block[0].name.text == "To")
        // What DKIM's simple form is made of.
        #expect(block[0].label.text == "To \t")
        block.append(name: " \t".utf8, value: "".utf8)
        #expect(block.name(at: 1).isEmpty && block.initial(at: 1) == 0 && !block.hasName("to", at: 1))
    }

    @Test(
        "RFC 6532 § 3.2: internationalized is what has UTF-8 beyond US-ASCII, and no other 8-bit text",
        arguments: [
            (Array("Grüße".utf8), true), (Array("Gruss".utf8), false), ([0x47, 0x72, 0xFC, 0xDF, 0x65], false),
            (Array("Gr\r\n\tüße".utf8), true), ([], false),
        ] as [([UInt8], Bool)]
    )
    func utf8(_ value: [UInt8], _ hasUTF8: Bool) {
        var block = HeaderBlock()
        block.append(name: "To".utf8, value: " a@b.test".utf8)
        block.append(name: "Subject".utf8, value: value)
        #expect(block.hasUTF8 == hasUTF8)
    }

    @Test(
        "RFC 5322 § 2.2.3: line ends become CRLF, and a lone CR is none",
        arguments: [
            ("a", "a"), ("a\n b", "a\r\n b"), ("a\r\n b", "a\r\n b"), ("a\r b", "a\r b"),
            ("a\n\r\n\r\r\n", "a\r\n\r\n\r\r\n"), ("", ""),
            ("\n", "\r\n"), ("\r", "\r"), ("\r\n\n", "\r\n\r\n"),
        ]
    )
    func lineEnds(value: String, expected: String) {
        var block = HeaderBlock()
        block.append(name: "A".utf8, value: "before".utf8)
        block.append(name: "B".utf8, value: value.utf8)
        #expect(block[1].value.text == expected)
        #expect(block[0].value.text == "before")
    }

    @Test("RFC 5234 appendix B.1: classes of octets")
    func classes() {
        for octet in UInt8.min...UInt8.max {
            let scalar = Unicode.Scalar(octet)
            let isAlpha = ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
            #expect(octet.isAlpha == isAlpha)
            #expect(octet.isDigit == ("0"..."9").contains(scalar))
            #expect(octet.isVChar == (0x21...0x7E).contains(octet))
            #expect(octet.isWSP == (octet == 0x20 || octet == 0x09))
            #expect(octet.lowercased == (("A"..."Z").contains(scalar) ? octet + 32 : octet))
            #expect(octet.hexValue.map(Int.init) == (octet < 0x80 ? Character(scalar).hexDigitValue : nil))
            // RFC 5322 § 3.2.3: specials are no atext. RFC 2045 § 5.1: tspecials are in no token.
            #expect(octet.isAtext == (octet >= 0x80 || octet.isVChar && !"()<>[]:;@\\,.\"".utf8.contains(octet)))
            #expect(octet.isToken == (octet.isVChar && !"()<>@,;:\\\"/[]?=".utf8.contains(octet)))
        }
    }

    @Test("comparisons without regard to case, and trimming, anywhere in an array")
    func octets() {
        let octets = Octets("xx \tAbC\r\nyy").dropFirst(2).dropLast(2)
        #expect(octets.trimmed.text == "AbC")
        #expect(octets.trimmed.equalsIgnoringCase("aBc") && !octets.trimmed.equalsIgnoringCase("aBcd"))
        #expect(octets.trimmed.equalsIgnoringCase(Octets("ABC")) && !octets.trimmed.equalsIgnoringCase(Octets("AB@")))
        #expect(Octets(" \r\n").trimmed.isEmpty && Octets("").trimmed.isEmpty)
        #expect(Octets([0x61, 0xFF][...]).text == "a\u{FFFD}")
    }
}
