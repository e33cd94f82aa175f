import DKIM
import DNSLookup
import MailCrypto
import MailSyntax
import Testing

@Suite("Signing")
struct SigningTests {
    static let message = [UInt8](
        "From: A <a@example.org>\r\nTo: b@example.net\r\nSubject: one\r\n two  three \r\n\r\nHello  there \r\n\r\n\r\n"
            .utf8
    )

    static func key(_ kind: PublicKey.Kind) throws -> DKIMSigningKey {
        try DKIMSigningKey(
            domain: DomainName("example.org"),
            selector: DomainName(kind == .rsa ? "r" : "e"),
            key: PrivateKey.generate(kind, bits: 1024)
        )
    }

    static func sign(
        _ message: [UInt8],
        _ keys: [DKIMSigningKey],
        _ options: DKIMSigningOptions = DKIMSigningOptions()
    ) throws -> [[UInt8]] {
        var signer = DKIMMessageSigner(keys: keys, options: options, now: 1_600_000_000)
        let stored = StoredMessage(message[...])
        signer.endOfHeaders(stored.headers)
        unsafe stored.body.withUnsafeBytes { unsafe signer.body($0) }
        return try signer.finish()
    }

    static func zone(_ keys: [DKIMSigningKey]) throws -> DNSZone {
        var zone = DNSZone()
        for key in keys { zone.add(.txt([UInt8](try key.recordText().utf8)), at: key.recordName) }
        return zone
    }

    static let name = [UInt8]("DKIM-Signature:".utf8)

    @Test("What is signed verifies", arguments: Canonicalization.allCases, Canonicalization.allCases)
    func roundTrip(header: Canonicalization, body: Canonicalization) throws {
        let keys = [try Self.key(.rsa), try Self.key(.ed25519)]
        var options = DKIMSigningOptions()
        options.canonicalization = CanonicalizationPair(header: header, body: body)
        options.lifetime = 86_400
        options.identity = "a b=c;@news.Example.org"
        let values = try Self.sign(Self.message, keys, options)
        let signed = values.flatMap { Self.name + $0 + [0x0D, 0x0A] } + Self.message
        let outcomes = Verification.outcomes(of: signed, zone: try Self.zone(keys))
        #expect(outcomes.map(\.result) == [.pass, .pass], "\(outcomes.flatMap(\.trace))")
        #expect(outcomes.map(\.identity) == Array(repeating: "a b=c;@news.example.org", count: 2))
        #expect(outcomes.map(\.signature?.expiration) == [1_600_086_400, 1_600_086_400])
    }

    @Test(
        "RFC 5322 § 4.5.8: white space before the colon is no part of the name, and counts in the simple form alone",
        arguments: [(Canonicalization.simple, DKIMResult.fail), (.relaxed, .pass)]
    )
    func whiteSpaceBeforeColon(_ form: Canonicalization, _ withoutIt: DKIMResult) throws {
        let keys = [try Self.key(.ed25519)]
        var options = DKIMSigningOptions()
        options.canonicalization.header = form
        let message = "From : A <a@example.org>\r\nSubject \t: one\r\n\r\nHello\r\n"
        let values = try Self.sign([UInt8](message.utf8), keys, options)
        let field = String(decoding: try #require(values.first), as: UTF8.self)
        func result(_ text: String) throws -> [DKIMResult] {
            Verification.outcomes(of: [UInt8](text.utf8), zone: try Self.zone(keys)).map(\.result)
        }
        #expect(try result("DKIM-Signature:\(field)\r\n\(message)") == [.pass])
        // The signature's own field is signed as well.
        #expect(try result("DKIM-Signature :\(field)\r\n\(message)") == [withoutIt])
        #expect(try result("DKIM-Signature:\(field)\r\n\(message.replacing(" \t:", with: ":"))") == [withoutIt])
    }

    @Test(
        "RFC 6376 § 8.15: a field named once more than it is there can not be added, and others can where there is none",
        arguments: [
            ("Subject: two", DKIMResult.fail), ("From: c@example.com", .fail), ("To: c@example.com", .fail),
            // RFC 6409 § 8: what servers add where it is missing.
            ("Date: Fri, 27 Nov 2026 10:00:00 +0000", .pass), ("Message-ID: <1@example.org>", .pass),
            ("Cc: d@example.com", .pass), ("Reply-To: e@example.com", .pass),
        ]
    )
    func oversigning(_ field: String, _ result: DKIMResult) throws {
        let keys = [try Self.key(.ed25519)]
        let values = try Self.sign(Self.message, keys)
        let signed = values.flatMap { Self.name + $0 + [0x0D, 0x0A] } + [UInt8]((field + "\r\n").utf8) + Self.message
        #expect(Verification.outcomes(of: signed, zone: try Self.zone(keys)).map(\.result) == [result])
    }

    @Test("what is there is guarded, and what is always there where it is not", arguments: ["Cc", "Date", "Reply-To"])
    func guarded(_ name: String) throws {
        let keys = [try Self.key(.ed25519)]
        let field = [UInt8]("\(name): x\r\n".utf8)
        let message = field + [UInt8]("From: a@example.org\r\n\r\nHello\r\n".utf8)
        let values = try Self.sign(message, keys)
        for added in [field, [UInt8]("Subject: x\r\n".utf8)] {
            let signed = values.flatMap { Self.name + $0 + [0x0D, 0x0A] } + added + message
            #expect(Verification.outcomes(of: signed, zone: try Self.zone(keys)).map(\.result) == [.fail])
        }
    }

    @Test("RFC 5322 § 3.6: one From field", arguments: [0, 2, 3])
    func authors(_ count: Int) throws {
        let fields = String(repeating: "From: a@example.org\r\n", count: count)
        #expect(throws: DKIMSigningError.authorFields(count)) {
            try Self.sign([UInt8]((fields + "To: b@example.org\r\n\r\nx\r\n").utf8), [Self.key(.ed25519)])
        }
    }

    @Test(
        "RFC 6376 § 3.5: i= lies at or below d=",
        arguments: ["a@example.com", "@org", "example.org", "a@xexample.org"]
    )
    func identities(_ identity: String) throws {
        var options = DKIMSigningOptions()
        options.identity = identity
        #expect(throws: DKIMSigningError.identityOutsideDomain) {
            try Self.sign(Self.message, [Self.key(.ed25519)], options)
        }
    }

    @Test(
        "RFC 6376 § 3.5: an internationalized domain in i= becomes A-labels",
        arguments: [
            ("@bücher.example.org", "@xn--bcher-kva.example.org"),
            ("a@BÜCHER.example.org", "a@xn--bcher-kva.example.org"),
            ("@xn--bcher-kva.example.org", "@xn--bcher-kva.example.org"), ("jörg@example.org", "j=C3=B6rg@example.org"),
        ]
    )
    func internationalizedIdentity(_ identity: String, _ written: String) throws {
        let keys = [try Self.key(.ed25519)]
        var options = DKIMSigningOptions()
        options.identity = identity
        let value = try #require(try Self.sign(Self.message, keys, options).first)
        #expect(String(decoding: value, as: UTF8.self).contains(" i=\(written);"))
        #expect(value.isASCII)
        let signed = Self.name + value + [0x0D, 0x0A] + Self.message
        #expect(Verification.outcomes(of: signed, zone: try Self.zone(keys)).map(\.result) == [.pass])
    }

    @Test("RFC 5322 § 2.1.1: lines are short, and folds are as asked for", arguments: [false, true])
    func folds(withLF: Bool) throws {
        var options = DKIMSigningOptions()
        options.foldsWithLF = withLF
        let value = try #require(try Self.sign(Self.message, [Self.key(.rsa)], options).first)
        #expect(value.contains(0x0D) == !withLF)
        let lines = (Self.name + value).split(separator: 0x0A).map { $0.filter { $0 != 0x0D } }
        #expect(lines.allSatisfy { $0.count <= 78 })
        #expect(lines.count > 3)
    }

    @Test("RFC 6376 § 5.3: what an MTA may rewrite is warned of")
    func warnings() throws {
        let texts: [(String, [DKIMSigningWarning])] = [
            ("x\r\n", []),
            (String(repeating: "x", count: 998) + "\r\n", []),
            (String(repeating: "x", count: 999) + "\r\n", [.longLine]),
            ("a\nb\r\n", [.bareLineEnd]),
            ("a\rb\r\n", [.bareLineEnd]),
            ("\u{E4}\u{0}\r\n", [.eightBit, .nul]),
        ]
        for (text, expected) in texts {
            var signer = DKIMMessageSigner(keys: [try Self.key(.ed25519)], now: 0)
            let sent = "Date: x\r\nMessage-ID: x\r\n".utf8
            signer.endOfHeaders(StoredMessage((sent + Self.message)[...]).headers)
            unsafe [UInt8](text.utf8).withUnsafeBytes { octets in
                for index in octets.indices {
                    unsafe signer.body(UnsafeRawBufferPointer(rebasing: octets[index...index]))
                }
            }
            #expect(signer.warnings == expected)
        }
    }

    @Test(
        "what the next server adds or rewrites in a header is warned of",
        arguments: [
            ("Date: x\r\nMessage-ID: x\r\n", []), ("Message-ID: x\r\n", [.noDate]), ("Date : x\r\n", [.noMessageID]),
            ("", [.noDate, .noMessageID]),
            ("Date: x\r\nMessage-ID: x\r\nTo: <a@b.test>,<c@d.test>\r\n", [.tightList]),
            ("Date: x\r\nMessage-ID: x\r\nCc: a@b.test,c@d.test\r\n", [.tightList]),
            ("Date: x\r\nMessage-ID: x\r\nTo: a@b.test, c@d.test,\r\n e@f.test\r\nSubject: a,b\r\n", []),
            ("Date: x\r\nMessage-ID: x\r\nTo: \"a,b\" <c@d.test>, (e,\\)f) g@h.test, \"\\\",\" <i@j.test>,\r\n", []),
        ] as [(String, [DKIMSigningWarning])]
    )
    func headerWarnings(_ fields: String, _ expected: [DKIMSigningWarning]) throws {
        var signer = DKIMMessageSigner(keys: [try Self.key(.ed25519)], now: 0)
        signer.endOfHeaders(StoredMessage(Octets(fields + "From: a@example.org\r\n\r\n")).headers)
        #expect(signer.warnings == expected)
    }

    @Test("RFC 8301 § 3.2: an RSA key has 1024 bits at least")
    func shortKey() throws {
        let key = try PrivateKey.generate(.rsa, bits: 768)
        #expect(throws: DKIMSigningError.keySize(768)) {
            try DKIMSigningKey(domain: DomainName("example.org"), selector: DomainName("s"), key: key)
        }
    }

    @Test("The published record is compared with the key")
    func publishedKey() throws {
        let key = try Self.key(.rsa)
        let other = try Self.key(.rsa)
        let question = DKIMPublishedKeyCheck.question(for: key)
        func problem(_ texts: [String]) -> String? {
            let records = texts.map { DNSRecord.txt([UInt8]($0.utf8)) }
            let answer = DNSAnswer(question, records: records, timeToLive: 300)
            return DKIMPublishedKeyCheck.problem(with: key, reply: DNSReply(.success(answer), source: .server))
        }
        let text = try key.recordText()
        #expect(problem([text]) == nil)
        #expect(problem([]) != nil)
        #expect(problem([text, text]) != nil)
        #expect(problem([try other.recordText()]) == "r._domainkey.example.org publishes another key")
        #expect(problem(["v=DKIM1; p="]) != nil)
        #expect(problem([text + "; s=other"]) != nil)
        #expect(problem([text + "; h=sha1"]) != nil)
        #expect(problem(["v=spf1 -all"]) != nil)
        let failure = DNSReply(.failure(.timeout), source: .server)
        let unknown = DKIMPublishedKeyCheck.problem(with: key, reply: failure)
        #expect(unknown == "r._domainkey.example.org could not be looked up: timed out")
    }

    @Test("RFC 1035 § 3.3.14: the record of a long key is split")
    func zoneRecord() throws {
        let record = try Self.key(.rsa).zoneRecord()
        #expect(record.hasPrefix("r._domainkey.example.org. IN TXT \"v=DKIM1; k=rsa; p="))
        let long = try DKIMSigningKey(
            domain: DomainName("example.org"),
            selector: DomainName("r"),
            key: PrivateKey.generate(.rsa, bits: 2048)
        )
        let strings = try long.zoneRecord().split(separator: "\"").filter { $0.utf8.count > 10 }.dropFirst()
        #expect(strings.map(\.utf8.count) == [255, try long.recordText().utf8.count - 255])
    }
}
