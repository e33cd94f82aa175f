import DKIM
import DNSLookup
import MailCrypto
import MailSyntax

extension Hostile {
    /// A message of 3 kB with one signature, as it arrives every day: what the others are compared with.
    static func ordinary() throws -> Hostile {
        var hostile = Hostile(isWarm: true)
        let key = try DKIMSigningKey(
            domain: DomainName("example.com"),
            selector: DomainName("s"),
            key: PrivateKey(pem: Array(rsaKey.utf8))
        )
        var headers = HeaderBlock()
        for (name, value) in [
            (
                "Received",
                " from mail.example.com ([192.0.2.25])\r\n\tby mx.example.org; Thu, 9 Oct 2025 08:53:20 +0000"
            ),
            ("Date", " Thu, 9 Oct 2025 08:53:19 +0000"), ("From", " \"Example Shop\" <orders@example.com>"),
            ("To", " \"A User\" <user@example.org>"), ("Subject", " Your order 2025-1009-4711 has been shipped"),
            ("Message-ID", " <20251009085319.4711.shop@app7.internal.example.com>"), ("MIME-Version", " 1.0"),
            ("Content-Type", " text/plain; charset=utf-8"), ("X-Mailer", " Example Mailer 7.4.2"),
        ] {
            headers.append(name: name.utf8, value: value.utf8)
        }
        hostile.body = Array(many("A line of text with some words in it.\r\n", 70).utf8)
        var options = DKIMSigningOptions()
        options.canonicalization = CanonicalizationPair(header: .relaxed, body: .relaxed)
        var signer = DKIMMessageSigner(keys: [key], options: options, now: now)
        signer.endOfHeaders(headers)
        unsafe hostile.body.withUnsafeBytes { unsafe signer.body($0) }
        hostile.fields = try signer.finish().map { ("DKIM-Signature", $0) }
        for field in headers { hostile.fields.append((field.name.text, Array(field.value))) }
        try hostile.add(["v=spf1 ip4:198.51.100.0/24 include:_spf.example.net mx -all"], at: "example.com")
        try hostile.add(["v=spf1 ip4:192.0.2.0/25 ~all"], at: "_spf.example.net")
        try hostile.add(["v=spf1 a -all"], at: "mail.example.com")
        try hostile.add(["v=DMARC1; p=reject; rua=mailto:dmarc@example.com"], at: "_dmarc.example.com")
        try hostile.add([key.recordText()], at: "s._domainkey.example.com")
        hostile.zone.add(.a(IPv4Address(0xC000_0219)), at: try DomainName("mail.example.com"))
        hostile.zone.add(.ptr(try DomainName("mail.example.com")), at: try DomainName("25.2.0.192.in-addr.arpa"))
        return hostile
    }
}
