import DNSLookup
import MailSyntax

/// Messages whose sender publishes records that take long to follow, and others.
extension Hostile {
    static var records: [HostileMaker] {
        [
            HostileMaker("spf-exchanges-1") { try exchanges(addresses: 1) },
            HostileMaker("spf-exchanges-200") { try exchanges(addresses: 200) },
            HostileMaker("spf-includes") { try includes("ip4:198.51.") { "\($0 / 256).\($0 % 256)" } },
            HostileMaker("spf-includes-6") { try includes("ip6:1:2:3:4:5::") { "\($0)" } },
            HostileMaker("spf-includes-a") { try includes("a:a") { "\($0).example/9//9" } },
            HostileMaker("spf-names", names),
            HostileMaker("spf-macros", macros),
            HostileMaker("dmarc-labels", policies), HostileMaker("recipients", manyRecipients),
        ]
    }

    /// Ten records of 60,000 octets.
    private static func includes(_ start: String, _ end: (Int) -> String) throws -> Hostile {
        try record((0..<10).map { "include:i\($0).attack.example" }.joined(separator: " ")) { hostile in
            let terms = (0..<3500).map { start + end($0) }.joined(separator: " ").prefix(60_000)
            for index in 0..<10 { try hostile.add(["v=spf1 \(terms)"], at: "i\(index).attack.example") }
        }
    }

    /// A client with a thousand names.
    private static func names() throws -> Hostile {
        try record(many("ptr ", 10)) { hostile in
            for index in 0..<1000 {
                let name = try DomainName("n\(index).attack.example")
                hostile.zone.add(.ptr(name), at: try DomainName("25.2.0.192.in-addr.arpa"))
                for host: UInt32 in 0..<10 { hostile.zone.add(.a(IPv4Address(0xC633_6400 + host)), at: name) }
            }
        }
    }

    /// Ten "mx" of ten hosts each, for all three identities.
    private static func exchanges(addresses: UInt32) throws -> Hostile {
        var hostile = Hostile()
        for domain in ["attack.example", "helo.example", "pra.example"] {
            let terms = (0..<10).map { "mx:m\($0).\(domain)" }.joined(separator: " ")
            try hostile.add(["v=spf1 \(terms) -all"], at: domain)
            for term in 0..<10 {
                for host in 0..<10 {
                    let name = try DomainName("h\(host).m\(term).\(domain)")
                    hostile.zone.add(.mx(preference: 10, exchange: name), at: try DomainName("m\(term).\(domain)"))
                    for address in 0..<addresses {
                        hostile.zone.add(.a(IPv4Address(0xC633_6400 + address)), at: name)
                    }
                }
            }
        }
        hostile.areAnswersAtHand = false
        hostile.sender = "a@attack.example"
        hostile.helo = "helo.example"
        hostile.fields = [field("From", " a@pra.example")]
        return hostile
    }

    /// A domain whose record has these terms.
    private static func record(_ terms: String, _ publish: (inout Hostile) throws -> Void) throws -> Hostile {
        var hostile = Hostile()
        hostile.sender = "a@attack.example"
        hostile.helo = "attack.example"
        hostile.fields = [author]
        hostile.areAnswersAtHand = false
        try hostile.add(["v=spf1 \(terms) -all"], at: "attack.example")
        try publish(&hostile)
        return hostile
    }

    /// A local-part of 60 kB, and macros that show it.
    private static func macros() throws -> Hostile {
        let term = "exists:" + many("%{L1r-}%{l}%{s}.%{h}", 400) + ".attack.example"
        var hostile = try record(many(term + " ", 8)) { hostile in
            try hostile.add([many("%{S}%{H}%{L9r+-}", 4000)], at: "why.attack.example")
        }
        hostile.sender = many("a-", 30_000) + "@attack.example"
        hostile.helo = many("b.", 30_000) + "example"
        return hostile
    }

    /// An author and signers of a hundred labels, and long records at each.
    private static func policies() throws -> Hostile {
        var hostile = Hostile()
        let labels = many("a.", 110) + "attack.example"
        let record = "v=DMARC1; p=reject; " + (0..<5000).map { "x\($0)=y; " }.joined()
        hostile.fields = [field("From", " a@" + labels)]
        for index in 0..<10 {
            let domain = "b\(index)." + labels
            let text =
                " v=1; a=rsa-sha256; d=\(domain); s=s; h=from; bh=\(bodyHash); b=\(signatureText(bits: 2048))"
            hostile.fields.append(field("DKIM-Signature", text))
        }
        var name = labels[...]
        while let dot = name.firstIndex(of: ".") {
            try hostile.add([record], at: "_dmarc." + name)
            name = name[name.index(after: dot)...]
        }
        hostile.areAnswersAtHand = false
        return hostile
    }

    private static func manyRecipients() -> Hostile {
        var hostile = Hostile()
        hostile.recipients = 1000
        hostile.fields = [author]
        return hostile
    }
}
