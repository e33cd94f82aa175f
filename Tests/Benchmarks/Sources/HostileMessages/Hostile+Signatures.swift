import DKIM
import DNSLookup
import MailCrypto
import MailSyntax

/// Messages whose signatures cost much.
extension Hostile {
    static var signatures: [HostileMaker] {
        [
            HostileMaker("searched-relaxed") { try searched(canonicalization: "relaxed/relaxed", signatures: 2) },
            HostileMaker("searched-simple") { try searched(canonicalization: "simple/simple", signatures: 10) },
            HostileMaker("keys-rsa-8192") {
                try keys(keyRecord(bits: 8192, exponent: [UInt8](repeating: 0x7F, count: 8)), bits: 8192)
            },
            HostileMaker("keys-rsa-4096") {
                try keys(keyRecord(bits: 4096, exponent: [0] + [UInt8](repeating: 0xFF, count: 4)), bits: 4096)
            },
            HostileMaker("keys-rsa-2048") { try keys(keyRecord(bits: 2048), bits: 2048) },
            HostileMaker("keys-rsa-4096-usual") { try keys(keyRecord(bits: 4096), bits: 4096) },
            HostileMaker("keys-ed25519", ed25519),
            HostileMaker("signatures") {
                try signed(fields: [author] + Array(repeating: signature(text: signatureText(bits: 2048)), count: 600))
            },
            HostileMaker("signature-spaced") { try signed(text: many(" A", 12_000), fields: [author]) },
            HostileMaker("signature-tags") {
                try signed(more: (0..<2500).map { " x\($0)=y;" }.joined(), text: "QUJD", fields: [author])
            },
            HostileMaker("signed-long-field") {
                try signed(names: "from:subject", fields: [author, field("Subject", many(" a  ", 60_000))])
            },
            HostileMaker("signed-names") { try signed(names: many("from:", 199) + "from", fields: many5000From) },
            HostileMaker("signed-names-absent") { try signed(names: absentNames, fields: [author]) },
            HostileMaker("signature-u-labels", internationalSigners),
            HostileMaker("signature-text") { try signed(text: many("QUFB", 6000), fields: [author]) },
            HostileMaker("copied-fields") { try signed(more: " z=" + many("From:a|", 3500) + ";", fields: [author]) },
            HostileMaker("body-lengths", lengths), HostileMaker("body-searched", shortBody),
        ]
    }

    private static let many5000From = (0..<5000).map { _ in field("From", " a@b.example") }

    private static let absentNames = "from:" + (0..<255).map { "absent-field-\($0)" }.joined(separator: ":")

    /// A signature that its key did make, of something else, over a header with much to try.
    private static func searched(canonicalization: String, signatures: Int) throws -> Hostile {
        var hostile = Hostile()
        let names = (0..<40).map { "x-\($0)" }.joined(separator: ":") + ":from"
        let key = try PrivateKey(pem: Array(rsaKey.utf8))
        let text = Base64.encode(try key.sign(digest: [UInt8](repeating: 1, count: 32)))[...].text
        let published = Base64.encode(try key.publishedOctets())[...].text
        let copies = (0..<40).map { "x-\($0):" + many("y", 20) }.joined(separator: "|")
        let signature = signature(
            canonicalization: canonicalization,
            names: names,
            more: " z=\(copies);",
            text: text
        )
        hostile.fields = Array(repeating: signature, count: signatures)
        for index in 0..<40 { hostile.fields.append(field("X-\(index)", many(" a  b\r\n\t", 700))) }
        hostile.fields.append(author)
        hostile.body = Array(many("A line of text. \r\n", 3300).utf8)
        try hostile.add(Array(repeating: "v=DKIM1; p=" + published, count: 16), at: "s._domainkey.attack.example")
        return hostile
    }

    private static func keys(_ record: String, bits: Int) throws -> Hostile {
        var hostile = Hostile()
        for index in 0..<10 {
            hostile.fields.append(signature(selector: "s\(index)", text: signatureText(bits: bits)))
            try hostile.add(Array(repeating: record, count: 16), at: "s\(index)._domainkey.attack.example")
        }
        hostile.fields.append(author)
        return hostile
    }

    /// Signers whose names take long to turn into A-labels.
    private static func internationalSigners() -> Hostile {
        var hostile = Hostile()
        for index in 0..<10 {
            let domain = many("\u{FC}\(index)a\u{E9}\u{DF}.", 16) + "example"
            let text = " v=1; a=rsa-sha256; d=\(domain); i=@\(domain); s=s; h=from; bh=\(bodyHash); b=QUJD"
            hostile.fields.append(field("DKIM-Signature", text))
        }
        hostile.fields.append(author)
        return hostile
    }

    private static func ed25519() throws -> Hostile {
        var hostile = Hostile()
        let text = Base64.encode([UInt8](repeating: 1, count: 64))[...].text
        for index in 0..<10 {
            hostile.fields.append(signature("ed25519-sha256", selector: "s\(index)", text: text))
            // The key of RFC 8463 appendix A.2.
            let record = "k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
            try hostile.add(Array(repeating: record, count: 16), at: "s\(index)._domainkey.attack.example")
        }
        hostile.fields.append(author)
        return hostile
    }

    /// Ten signatures of which none is right.
    private static func signed(
        names: String = "from:to:subject",
        more: String = "",
        text: String = signatureText(bits: 2048),
        fields: [(name: String, value: [UInt8])]
    ) throws -> Hostile {
        var hostile = Hostile()
        hostile.fields = Array(repeating: signature(names: names, more: more, text: text), count: 10) + fields
        try hostile.add([keyRecord(bits: 2048)], at: "s._domainkey.attack.example")
        return hostile
    }

    /// Lines that relaxed canonicalization takes apart one by one, under ten lengths.
    private static func lengths() throws -> Hostile {
        var hostile = Hostile()
        for index in 0..<10 {
            let more = " l=\(250_000 + index);"
            hostile.fields.append(signature(more: more, text: signatureText(bits: 2048)))
        }
        hostile.fields.append(author)
        hostile.body = Array(many(" \r\n", 100_000).utf8)
        try hostile.add([keyRecord(bits: 2048)], at: "s._domainkey.attack.example")
        return hostile
    }

    /// A body that is just short enough to be searched for what changed in it, with all that may have.
    private static func shortBody() throws -> Hostile {
        var hostile = try signed(fields: [author])
        hostile.body = Array(many("\r\n-- \r\n--\r\n..a \r\r\n" + many("x", 990) + "\r\n b", 59).utf8)
        return hostile
    }
}
