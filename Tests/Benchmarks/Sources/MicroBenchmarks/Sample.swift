import DKIM
import DNSLookup
import MailCrypto
import MailSyntax

/// A message such as arrives every day, and the records that its judgement needs.
enum Sample {
    static let now: UnixTime = 1_760_000_000
    static let client = "192.0.2.25"

    static let fields: [(name: String, value: String)] = [
        (
            "Received",
            " from mail.example.com (mail.example.com [192.0.2.25])\r\n\tby mx.example.org (Postfix)"
                + " with ESMTPS id 4Xyz1234\r\n\tfor <user@example.org>; Thu,  9 Oct 2025 08:53:20 +0000 (UTC)"
        ),
        (
            "Received",
            " from app7.internal.example.com (app7.internal.example.com [10.20.30.40])\r\n"
                + "\tby mail.example.com (Postfix) with ESMTP id 9ABCD1234\r\n\tfor <user@example.org>;"
                + " Thu,  9 Oct 2025 08:53:19 +0000 (UTC)"
        ),
        ("Date", " Thu, 9 Oct 2025 08:53:19 +0000"),
        ("From", " \"Example Shop\" <orders@example.com>"),
        ("Reply-To", " Example Shop Support <support@example.com>"),
        ("To", " \"A User\" <user@example.org>"),
        ("Subject", " Your order 2025-1009-4711 has been shipped: three items are on their way\r\n to you"),
        ("Message-ID", " <20251009085319.4711.shop@app7.internal.example.com>"),
        ("MIME-Version", " 1.0"),
        ("Content-Type", " multipart/alternative;\r\n\tboundary=\"=_0123456789abcdef0123456789abcdef\""),
        ("List-Unsubscribe", " <https://www.example.com/unsubscribe?id=0123456789abcdef>"),
        ("List-Unsubscribe-Post", " List-Unsubscribe=One-Click"),
        ("X-Mailer", " Example Mailer 7.4.2"),
        ("X-Campaign", " shipping-notice-2025-10"),
        ("Feedback-ID", " 4711:shipping:example"),
        ("Auto-Submitted", " auto-generated"),
    ]

    /// Text lines of 20 to 76 octets; every tenth has white space that relaxed canonicalization takes away.
    static func body(_ count: Int) -> [UInt8] {
        var body = [UInt8]()
        body.reserveCapacity(count + 80)
        var line = 0
        while body.count < count {
            for column in 0..<(20 + line * 7 % 57) {
                body.append(column % 8 == 7 ? 0x20 : UInt8(0x61 + (line &* 31 &+ column &* 17) % 26))
            }
            body += line % 10 == 9 ? [0x09, 0x20, 0x0D, 0x0A] : [0x0D, 0x0A]
            line += 1
        }
        return Array(body.prefix(count - 2)) + [0x0D, 0x0A]
    }

    static func headers() -> HeaderBlock {
        var block = HeaderBlock()
        for field in fields { block.append(name: field.name.utf8, value: field.value.utf8) }
        return block
    }

    static let selector = "s2025"
    static let domain = "example.com"

    /// A key for measuring, of no other use.
    static func signingKey(_ kind: PublicKey.Kind) throws -> DKIMSigningKey {
        try DKIMSigningKey(
            domain: DomainName(domain),
            selector: DomainName(kind == .rsa ? selector : selector + "e"),
            key: PrivateKey(pem: [UInt8]((kind == .rsa ? rsaKey : ed25519Key).utf8))
        )
    }

    /// The message's header with a signature on top.
    static func signedHeaders(_ key: DKIMSigningKey, body: [UInt8], body form: Canonicalization) throws -> HeaderBlock {
        var options = DKIMSigningOptions()
        options.canonicalization = CanonicalizationPair(header: .relaxed, body: form)
        var signer = DKIMMessageSigner(keys: [key], options: options, now: now)
        signer.endOfHeaders(headers())
        unsafe body.withUnsafeBytes { unsafe signer.body($0) }
        var signed = HeaderBlock()
        for value in try signer.finish() { signed.append(name: DKIMPreparedSignature.fieldName.utf8, value: value) }
        for field in headers() { signed.append(name: field.name, value: field.value) }
        return signed
    }

    /// The records of the sender's domain.
    static func zone() throws -> AnsweringZone {
        var zone = DNSZone()
        func text(_ name: String, _ text: String) throws {
            zone.add(.txt(Array(text.utf8)), at: try DomainName(name))
        }
        try text("example.com", "v=spf1 ip4:198.51.100.0/24 a:relay.example.com include:_spf.example.net mx -all")
        try text("_spf.example.net", "v=spf1 ip4:203.0.113.0/24 ip6:2001:db8:1::/48 include:_spf2.example.net ~all")
        try text("_spf2.example.net", "v=spf1 ip4:192.0.2.0/25 ip4:198.18.0.0/15 ~all")
        try text("_dmarc.example.com", "v=DMARC1; p=reject; rua=mailto:dmarc@example.com; adkim=r; aspf=r; pct=100")
        try text("mail.example.com", "v=spf1 a -all")
        try zone.add(.a(address("192.0.2.25")), at: DomainName("mail.example.com"))
        try zone.add(.a(address("192.0.2.99")), at: DomainName("relay.example.com"))
        try zone.add(.mx(preference: 10, exchange: DomainName("mx.example.com")), at: DomainName("example.com"))
        try zone.add(.a(address("192.0.2.98")), at: DomainName("mx.example.com"))
        for kind in [PublicKey.Kind.rsa, .ed25519] {
            let key = try signingKey(kind)
            zone.add(.txt(Array(try key.recordText().utf8)), at: key.recordName)
        }
        return AnsweringZone(zone)
    }

    private static func address(_ text: String) throws -> IPv4Address {
        guard case .v4(let address)? = IPAddress(text) else { throw UnexpectedResult(text) }
        return address
    }

    private static let rsaKey = """
        -----BEGIN PRIVATE KEY-----
        MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDjybDuj56QYclk
        wV46wK4UwDQE4WrheR5XnTktiOKiZD7U8xEHwlMMzUDYK+HZcrufY1rRa25UPLHF
        j5VMYXQK++Jel74f1uE0uCvdFRNJ3PWzC+ZyGHJaKu67RBm9jRgbL2bWj6yksKF/
        FGp48IJp+E04M6LxF9m4AQpj4IrPcl07uo/wyZSwaf+YrDh27Im6J2QZX1DBvs3t
        WvIHqUU0AO29S3sJKEugEEW9DdXYJ/5IAXe3ncC+eekfybWS/gCsJnXSPGAgE1df
        wiZSsui+uINnuT3q/+1G5N60zDPCHS2OAGTXMQo4wOueH4gqWuOJjR+kSMrxH//H
        +Dd3JCh9AgMBAAECggEADHvzh6z1Dp+1Ycwb8Hy6mGY3qPl7xJ4WlMxdTmAStRNp
        GChhi2XR7GvcEnJGlLGDk/GQ5X+4Um3oe6s/Y6ocVIpyi9GljhQrpUU0w49R+SSJ
        jhsTBwzM86EnvWQMRHBqXPm6Q/x9hKHY8As7503zL9X30XfkWxyosOYps3NNLZ+n
        VdI4srpgH3CbgVmRi8M7IT7da6DcN6VuwjyYq7xz0Hn35nXZzagezoc7kz9/0XKC
        tzkMZFfsAPOFPYj35dRAjNXsHTrd230v+1stfxzHxxrTIEHaKTJ3fLC+7RU1unUV
        +uptIRDa5uL2swiXDdiWlvIqci61nKHQEo9q3hcKJwKBgQD097HUQyrVWF0KQfOK
        LOqxJbfy11WHyYWtajdmRfZ3C11GvIqyiJIL1ljflHPwO94E2oJvCMIWBP+CirVs
        5Cw/eE4wEvyaZsqSZRc5t9/LnyGC0oML8jJpFf0kcVQyMXZm5RYKpxXRmiIHjD4z
        ICoCit3WzgdKtosjhXzogqzJdwKBgQDuC+0vT15T1Ikw1LDZJeA8ls+7ZN7gwCH1
        TxKQ2kppK5a8rMmmVpzYMblvUYrFPpzysAvTPHRqVq4wxHX0yRWmkGHziPDLvqZ4
        s8mR9fNxnRUCDMwQYAhHj/Rh0HjpFTJMBeK2BgJNP2vyz8cfDiLtBpDe4IIQoH69
        Rua7ybiaqwKBgQDEh1uxsVlR5BxwuEyMlFCNYndbagqCb9jBMa/Ua1i6VPG2aFjV
        tt+Eg6i1ZsJE/6K1PiDat6oORGBA+Mto2v3sxbXkt7bUoJbwMA4cDjqLf9VAwWbF
        VL/AsxVuAUXNJwWYsz2lujq09/VJHOhh1/IcLBCh3pTXCfBCxTtaxkudLQKBgChI
        GGDTG3EwG+8JbsuwHxvhoVFiplx95sEuGkQszD6zw5Q14QGm0m+7KlfuAn+SMtjW
        dYnPRxvfgyZ5eERt6p3+/LRLTgQMRPtT4R4z8ngdTrrEE5wJxBzn/UC4GF3I2nQG
        4vBOYAFWZBv4kQduSva1D7rHXvsVTZ0V7GGGpxh1AoGAMrriwR+wdGhSTp/oezwZ
        oHjCtD0JVUcYkFDeBLnXDnJWjoUK1cklZgIaXE350I5/UnwL1FYohu08C+0TRTJv
        hUwEG59fPh0SA8Ym2RGwW8REunpFBs6vGu27QbkdmaensA9zoJumZoC/ddA50fom
        YLKpvzCdoUWZMoRaGzyItR8=
        -----END PRIVATE KEY-----

        """

    private static let ed25519Key = """
        -----BEGIN PRIVATE KEY-----
        MC4CAQAwBQYDK2VwBCIEIOE/F+dj7B88jW8IoUrqSa7HZJ95vkrs8iHxRovw7J5o
        -----END PRIVATE KEY-----

        """
}
