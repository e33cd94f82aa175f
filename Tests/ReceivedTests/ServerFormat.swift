/// How a server writes a Received field, with places for what strangers choose; the fuzz target has this file too.
struct ServerFormat {
    /// The client's address in all formats.
    static let client = "203.0.113.5"
    /// The host that writes all of them.
    static let host = "relay.example.org"

    /// The server.
    let server: String
    /// The field's value, with `{helo}`, `{name}` (of the client's address), `{user}` (by ident or login), `{subject}` (of a
    /// certificate), `{sender}` and `{recipient}`.
    let template: String

    /// What stands at the places where no stranger has said anything.
    static let plain = [
        "helo": "mail.example.net", "name": "host.example.net", "user": "ann", "subject": "mail.example.net",
        "sender": "a@example.net", "recipient": "bob@example.org",
    ]

    /// The places that it has.
    var places: [String] { Self.plain.keys.filter { template.contains("{\($0)}") }.sorted() }

    /// The value with these words, and plain ones at the other places.
    func value(_ words: [String: [UInt8]] = [:]) -> [UInt8] {
        var value: [UInt8] = []
        for (index, part) in template.split(separator: "{", omittingEmptySubsequences: false).enumerated() {
            guard index > 0, let end = part.firstIndex(of: "}") else {
                value += part.utf8
                continue
            }
            let place = String(part[..<end])
            value += words[place] ?? Array(Self.plain[place, default: ""].utf8)
            value += part[part.index(after: end)...].utf8
        }
        return value
    }

    private init(_ server: String, _ template: String, by rest: String) {
        self.server = server
        self.template =
            template.replacing("ADDRESS", with: Self.client) + "by \(Self.host)" + rest
            + "; Sat, 28 Nov 2026 10:00:00 +0000 (UTC)"
    }

    /// All formats that are read, as each server writes them for a client from outside.
    static let all = [
        Self(
            "Postfix",
            " from {helo} ({name} [ADDRESS])\r\n\t",
            by: " (Postfix) with ESMTP id 4XyZ1\r\n\tfor <{recipient}>"
        ),
        Self(
            "Postfix, TLS",
            " from {helo} ({name} [ADDRESS])\r\n\t"
                + "(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)\r\n\t key-exchange X25519 server-signature ECDSA (P-256))\r\n\t(Client CN \"{subject}\", Issuer \"{subject}\" "
                + "(not verified))\r\n\t(Authenticated sender: {user})\r\n\t",
            by: " (Postfix) with ESMTPSA id 4XyZ1"
        ),
        Self("Sendmail", " from {helo} ({user}@{name} [ADDRESS])\r\n\t", by: " (8.17.1/8.17.1) with SMTP id 1"),
        Self(
            "Sendmail, may be forged",
            " from {helo} ({user}@{name} [ADDRESS] (may be forged))\r\n\t",
            by: " (8.17.1/8.17.1) with SMTP id 1"
        ),
        Self("Sendmail, no name", " from {helo} ({user}@[ADDRESS])\r\n\t", by: " (8.17.1/8.17.1) with SMTP id 1"),
        Self("Sendmail, no HELO", " (from {user}@{name} [ADDRESS])\r\n\t", by: " (8.17.1/8.17.1) with SMTP id 1"),
        Self("Sendmail, no HELO, no name", " (from {user}@[ADDRESS])\r\n\t", by: " (8.17.1/8.17.1) with SMTP id 1"),
        Self(
            "Exim",
            " from {name} ([ADDRESS]:40000 helo={helo} ident={user})\r\n\t",
            by:
                " with esmtps  (TLS1.3) tls TLS_AES_256_GCM_SHA384\r\n\t(Exim 4.96)\r\n\t(envelope-from <{sender}>)\r\n\t"
                + "id 1abcde-000000-00\r\n\tfor {recipient}"
        ),
        Self(
            "Exim, no name",
            " from [ADDRESS] (port=40000 helo={helo} ident={user})\r\n\t",
            by: " with esmtp (Exim 4.96)\r\n\t(envelope-from <{sender}>)\r\n\tid 1abcde-000000-00"
        ),
        Self("Exim, the address for HELO", " from [ADDRESS] ", by: " with esmtp (Exim 4.96) id 1 for {recipient}"),
        Self("Exchange", " from {helo} (ADDRESS) ", by: "\r\n (10.0.0.2) with Microsoft SMTP Server id 15.2.1258.12"),
        Self("qmail", " from {name} (HELO {helo}) ({user}@ADDRESS)\n  ", by: " with SMTP"),
        Self("qmail, the HELO is the name", " from {helo} (ADDRESS)\n  ", by: " with SMTP"),
        Self("qmail-ldap", " from {name} (HELO {helo}) ([ADDRESS]) (envelope-sender <{sender}>) ", by: " with SMTP"),
        Self(
            "Courier",
            " from {helo} ({name} [::ffff:ADDRESS])\n  (TLS: TLSv1.3,256bits)\n  ",
            by: " with ESMTPS id 1"
        ),
        Self(
            "Haraka",
            " from {helo} ({name} [ADDRESS])\r\n\t",
            by: " (Haraka/3.0.3) with ESMTPS id 0A1B\r\n\tenvelope-from <{sender}>"
        ),
        Self("Cisco Secure Email", " from {name} (HELO {helo}) ([ADDRESS])\r\n  ", by: " with ESMTP/TLS"),
        Self(
            "Apache James",
            " from {name} (EHLO {helo})  ([ADDRESS]) ",
            by: " (JAMES SMTP Server) with ESMTP ID 4XyZ1 for <{recipient}>"
        ),
        Self("Symantec", " from {helo} ( [ADDRESS])\r\n\t(using TLS (256/256 bits))\r\n\t", by: " id 0"),
        Self("MailMarshal", " from {helo} (Not Verified[ADDRESS]) ", by: " with MailMarshal (v10)\r\n\tid <B0>"),
        Self(
            "CommuniGate Pro",
            " from [ADDRESS] (HELO {helo})\r\n  ",
            by: " (CommuniGate Pro SMTP 6.3.0)\r\n  with ESMTP id 1"
        ),
        Self(
            "CommuniGate Pro, a login",
            " from [ADDRESS] (account {user} HELO {helo})\r\n  ",
            by: " (CommuniGate Pro SMTP 6.3.0)\r\n  with ESMTPSA id 1"
        ),
    ]
}
