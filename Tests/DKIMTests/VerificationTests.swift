import DNSLookup
import MailCrypto
import MailSyntax
import Testing

@testable import DKIM

@Suite("Verification")
struct VerificationTests {
    static let key: DKIMSigningKey? = try? SigningTests.key(.ed25519)
    static let rsaKey: DKIMSigningKey? = try? SigningTests.key(.rsa)
    static let now: UnixTime = 1_600_000_000

    /// A signature over `message` whose tags are given, as a signer that breaks every rule would make it.
    static func signed(_ tags: String, header: String, body: String, by key: DKIMSigningKey) throws -> [UInt8] {
        let bodyHash = Base64.encode(SHA256Hasher.digest(CanonicalizationTests.reference(.relaxed, [UInt8](body.utf8))))
        let value = " " + tags.replacing("BH", with: bodyHash[...].text) + "; b="
        var form = HeaderCanonicalizer(.relaxed)
        for field in StoredMessage(Octets(header)).headers { form.append(field) }
        form.appendWithoutLineEnd(HeaderField(name: Octets("dkim-signature"), value: Octets(value)))
        let signature = Base64.encode(try key.key.sign(digest: SHA256Hasher.digest(form.octets)))
        return [UInt8]("DKIM-Signature:\(value)\(signature[...].text)\r\n\(header)\r\n\(body)".utf8)
    }

    static let header = "From: a@example.org\r\n"
    static let body = "Hello\r\n"
    static let tags = "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.org; s=e; h=from; bh=BH"

    static func outcome(
        _ tags: String,
        record: String? = nil,
        body: String = body,
        options: DKIMVerificationOptions = DKIMVerificationOptions(),
        now: UnixTime = now
    ) throws -> DKIMOutcome {
        let key = try #require(Self.key)
        let text = try record ?? key.recordText()
        let message = try signed(tags, header: header, body: body, by: key)
        let zone = try Verification.zone([("e._domainkey.example.org", text)])
        return try #require(Verification.outcomes(of: message, zone: zone, options: options, now: now).first)
    }

    @Test(
        "RFC 6376 § 3.5, § 6.1.1: the signature's tags",
        arguments: [
            ("", .pass, nil),
            ("; q=dns/txt; t=1599999999; x=1600000001; i=@mail.example.org; z=From:x; unknown=1", .pass, nil),
            ("; c=relaxed", .neutral, "signature has more than one c= tag"),
            ("; x=1599999701", .pass, nil),
            ("; x=1599999699", .fail, "signature expired"),
            ("; t=1600000300", .pass, nil),
            ("; t=1600000301", .temperror, "signature is dated 301 seconds ahead of our clock"),
            ("; t=1600086400", .temperror, "signature is dated 86400 seconds ahead of our clock"),
            ("; t=1600086401", .neutral, "signature is dated in the future"),
            ("; t=1600000301; bh=AAAA", .neutral, "signature has more than one bh= tag"),
            ("; t=1599999999; x=1599999999", .neutral, "signature expires before it was made"),
            ("; t=1234567890123", .neutral, "signature is dated in the future"),
            ("; t=0001599999999", .pass, nil),
            ("; x=1234567890123", .pass, nil),
            ("; x=99999999999999999999999999999999", .pass, nil),
            ("; x=0", .fail, "signature expired"),
            ("; t=-1", .neutral, "signature has a malformed t= tag"),
            ("; i=@example.com", .neutral, "domain mismatch: i= is not at or below d="),
            ("; i=@xexample.org", .neutral, "domain mismatch: i= is not at or below d="),
            ("; i=\"a@b\"@sub.example.org", .pass, nil),
            ("; i=example.org", .neutral, "signature has a malformed i= tag"),
            ("; i=a=ZZ@example.org", .neutral, "signature has a malformed i= tag"),
            ("; q=http/x", .neutral, "signature has no known query method"),
            ("; q=http/x:dns/txt", .pass, nil),
            ("; l=7", .pass, nil),
            ("; l=8", .permerror, "l= is larger than the body"),
            ("; l=" + String(repeating: "9", count: 76), .permerror, "l= is larger than the body"),
            ("; l=" + String(repeating: "9", count: 77), .neutral, "signature has a malformed l= tag"),
            ("; l=-1", .neutral, "signature has a malformed l= tag"),
            (";;", .neutral, "signature is not a tag-list"),
        ] as [(String, DKIMResult, String?)]
    )
    func tagsAdded(_ added: String, _ result: DKIMResult, _ problem: String?) throws {
        let outcome = try Self.outcome(Self.tags + added)
        #expect(outcome.result == result, "\(outcome.trace)")
        #expect(outcome.problem == problem)
    }

    @Test(
        "RFC 6376 § 3.5: t= and x= at the ends of time",
        arguments: [
            ("; t=1600000000", UnixTime(.min), .neutral, "signature is dated in the future"),
            ("; x=1600000000", UnixTime(.max), .fail, "signature expired"),
        ] as [(String, UnixTime, DKIMResult, String)]
    )
    func endsOfTime(_ added: String, _ now: UnixTime, _ result: DKIMResult, _ problem: String) throws {
        let outcome = try Self.outcome(Self.tags + added, now: now)
        #expect(outcome.result == result, "\(outcome.trace)")
        #expect(outcome.problem == problem)
    }

    @Test("RFC 6376 § 3.5: a signature that is wrong fails, whenever it is dated")
    func datedAndWrong() throws {
        for time in ["1600000301", "1600086401", "1234567890123"] {
            let outcome = try Self.outcome(Self.tags.replacing("bh=BH", with: "bh=AAAA") + "; t=" + time)
            #expect(outcome.result == .fail)
            #expect(outcome.problem == "body hash differs")
        }
    }

    @Test(
        "RFC 6376 § 3.5, § 6.1.1: tags missing or wrong",
        arguments: [
            ("v=1; ", "", .neutral, "signature missing required tag v="),
            ("v=1", "v=2", .neutral, "signature has an incompatible version"),
            ("v=1", "v=", .neutral, "signature has an incompatible version"),
            ("a=ed25519-sha256; ", "", .neutral, "signature missing required tag a="),
            ("a=ed25519-sha256", "a=ed25519-sha512", .neutral, "signature algorithm is unknown"),
            ("a=ed25519-sha256", "a=rsa-sha1", .permerror, "rsa-sha1 is historic"),
            ("a=ed25519-sha256", "a=rsa-sha256", .permerror, "inappropriate key algorithm"),
            ("d=example.org; ", "", .neutral, "signature missing required tag d="),
            ("d=example.org", "d=org", .neutral, "signature has a malformed d= tag"),
            ("d=example.org", "d=example..org", .neutral, "signature has a malformed d= tag"),
            ("d=example.org", "d=EXAMPLE.ORG", .pass, nil),
            ("s=e; ", "", .neutral, "signature missing required tag s="),
            ("s=e", "s=none", .permerror, "no key for signature"),
            ("h=from; ", "", .neutral, "signature missing required tag h="),
            ("h=from", "h=", .neutral, "signature has a malformed h= tag"),
            ("h=from", "h=from:", .pass, nil),
            ("h=from", "h=:from", .pass, nil),
            ("h=from", "h=from: :\t", .pass, nil),
            ("h=from", "h=:", .neutral, "signature has a malformed h= tag"),
            ("h=from", "h=to:subject", .permerror, "From field not signed"),
            ("h=from", "h=FROM : to:\tsubject", .pass, nil),
            ("h=from", "h=" + String(repeating: "from:", count: 255) + "from", .pass, nil),
            (
                "h=from", "h=" + String(repeating: "from:", count: 256) + "from", .neutral,
                "signature has too many names in h="
            ),
            ("; bh=BH", "", .neutral, "signature missing required tag bh="),
            ("bh=BH", "bh=%", .neutral, "signature has a malformed bh= tag"),
            ("bh=BH", "bh=AAAA", .fail, "body hash differs"),
            ("relaxed/relaxed", "Relaxed/RELAXED", .pass, nil),
            ("relaxed/relaxed", "relaxed/other", .neutral, "signature has a malformed c= tag"),
            ("relaxed/relaxed", "relaxed/relaxed/", .neutral, "signature has a malformed c= tag"),
        ] as [(String, String, DKIMResult, String?)]
    )
    func tagsChanged(_ old: String, _ new: String, _ result: DKIMResult, _ problem: String?) throws {
        let outcome = try Self.outcome(Self.tags.replacing(old, with: new))
        #expect(outcome.result == result, "\(outcome.trace)")
        #expect(outcome.problem == problem)
    }

    @Test(
        "RFC 6376 § 3.5: white space in b= is ignored, and the whole has a bound",
        arguments: [(8192, .pass, nil), (8193, .neutral, "signature has a malformed b= tag")]
            as [(Int, DKIMResult, String?)]
    )
    func spacedSignature(_ length: Int, _ result: DKIMResult, _ problem: String?) throws {
        let key = try #require(Self.key)
        var message = try Self.signed(Self.tags, header: Self.header, body: Self.body, by: key)
        let end = try #require(message.firstIndex(of: 0x0D))
        // The base64 of 64 octets has 88.
        message.insert(contentsOf: [UInt8](repeating: 0x20, count: length - 88), at: end - 44)
        let zone = try Verification.zone([("e._domainkey.example.org", key.recordText())])
        let outcome = try #require(Verification.outcomes(of: message, zone: zone, now: Self.now).first)
        #expect(outcome.result == result, "\(outcome.trace)")
        #expect(outcome.problem == problem)
    }

    @Test(
        "RFC 6376 § 3.6.1, § 6.1.2: the key record",
        arguments: [
            ("v=DKIM1; k=ed25519; p=KEY", .pass, nil),
            ("k=ed25519; p=KEY", .pass, nil),
            ("k=ed25519; p=KEY; ", .pass, nil),
            ("k=ed25519; n=a note; g=*; x=unknown; h=sha1:sha256; s=email; t=y; p=KEY", .pass, nil),
            ("k=ed25519; g=; p=KEY", .pass, nil),
            ("k=ed25519; s=*; p=KEY", .pass, nil),
            ("k=ed25519; s=tlsrpt : email; p=KEY", .pass, nil),
            ("k=ed25519; p=K EY", .permerror, "key is not readable: an Ed25519 key has 32 octets"),
            ("k=ed25519; v=DKIM1; p=KEY", .pass, nil),
            ("k=ed25519; p=KEY; v=DKIM1", .pass, nil),
            ("k=ed25519; p=KEY; v=DKIM2", .permerror, "key record has an unknown version"),
            ("v=DKIM1;; k=ed25519; p=KEY", .pass, nil),
            ("v=DKIM1; ; k=ed25519; p=KEY;;", .pass, nil),
            (";v=DKIM1; k=ed25519; p=KEY", .pass, nil),
            (";;", .permerror, "key record has no p="),
            ("v=DKIM1; junk; k=ed25519; p=KEY", .permerror, "key record is not a tag-list"),
            ("v=DKIM2; k=ed25519; p=KEY", .permerror, "key record has an unknown version"),
            ("v=dkim1; k=ed25519; p=KEY", .permerror, "key record has an unknown version"),
            ("v=DKIM1; p=KEY", .permerror, "inappropriate key algorithm"),
            ("v=DKIM1; k=dsa; p=KEY", .permerror, "key type is unknown"),
            ("v=DKIM1; k=ed25519", .permerror, "key record has no p="),
            ("v=DKIM1; k=ed25519; p=", .permerror, "key revoked"),
            ("v=DKIM1; k=ed25519; p=%%", .permerror, "key is not base64"),
            ("k=ed25519; h=sha1; p=KEY", .permerror, "inappropriate hash algorithm"),
            ("k=ed25519; s=tlsrpt; p=KEY", .permerror, "key is not for email"),
            ("k=ed25519; p=KEY; p=KEY", .permerror, "key record is not a tag-list"),
            ("not a record", .permerror, "key record is not a tag-list"),
        ] as [(String, DKIMResult, String?)]
    )
    func records(_ record: String, _ result: DKIMResult, _ problem: String?) throws {
        let octets = Base64.encode(try #require(Self.key).key.publishedOctets())[...].text
        let text = record.replacing("KEY", with: octets).replacing("K EY", with: octets.dropLast(8))
        let outcome = try Self.outcome(Self.tags, record: text)
        #expect(outcome.result == result, "\(outcome.trace)")
        #expect(outcome.problem == problem)
        #expect(outcome.testing == record.contains("t=y"))
    }

    @Test("RFC 6376 § 3.6.1: t=s wants i= to have the domain of d=")
    func exactDomain() throws {
        let record = try #require(Self.key).recordText() + "; t=s"
        #expect(try Self.outcome(Self.tags + "; i=a@example.org", record: record).result == .pass)
        #expect(try Self.outcome(Self.tags + "; i=a@mail.example.org", record: record).result == .permerror)
    }

    /// What becomes of a message whose signature is by the first key of these records that is `mine`.
    enum KeyText: String { case mine, other, note, revoked, rsa }

    @Test(
        "RFC 6376 § 6.1.2: of several key records any one may fit; sixteen texts are read and two keys tried",
        arguments: [
            ([.other, .mine], .pass), ([.mine, .other], .pass), ([.note, .mine], .pass), ([.other, .other], .fail),
            ([.other, .other, .mine], .fail), ([.revoked, .rsa, .rsa, .other, .mine], .pass),
            (Array(repeating: .note, count: 15) + [.mine], .pass),
            (Array(repeating: .note, count: 16) + [.mine], .permerror),
        ] as [([KeyText], DKIMResult)]
    )
    func severalRecords(_ records: [KeyText], _ expected: DKIMResult) throws {
        let key = try #require(Self.key)
        let message = try Self.signed(Self.tags, header: Self.header, body: Self.body, by: key)
        let zone = try Verification.zone(
            try records.map { record in
                switch record {
                case .mine: ("e._domainkey.example.org", try key.recordText())
                case .other: ("e._domainkey.example.org", try SigningTests.key(.ed25519).recordText())
                case .note: ("e._domainkey.example.org", "v=spf1 -all")
                case .revoked: ("e._domainkey.example.org", "k=ed25519; p=")
                case .rsa: ("e._domainkey.example.org", try #require(try Self.rsaKey?.recordText()))
                }
            }
        )
        #expect(Verification.outcomes(of: message, zone: zone, now: Self.now).map(\.result) == [expected])
    }

    /// A message with the same signature `count` times.
    static func signed(times count: Int, by key: DKIMSigningKey) throws -> [UInt8] {
        let message = try signed(tags, header: header, body: body, by: key)
        let signature = try #require(StoredMessage(message[...]).headers.first)
        let field = [UInt8]("DKIM-Signature:".utf8) + Array(signature.value) + [0x0D, 0x0A]
        return (1..<count).flatMap { _ in field } + message
    }

    @Test("The first key of each signature is tried, and six more for a message")
    func spareKeys() throws {
        let key = try #require(Self.key)
        let texts = [try SigningTests.key(.ed25519).recordText(), try key.recordText()]
        let zone = try Verification.zone(texts.map { ("e._domainkey.example.org", $0) })
        let outcomes = Verification.outcomes(of: try Self.signed(times: 9, by: key), zone: zone, now: Self.now)
        #expect(outcomes.map(\.result) == Array(repeating: .pass, count: 6) + Array(repeating: .fail, count: 3))
    }

    @Test(
        "Keys are tried as long as all together take no longer than six of 4,096 bits with the usual exponent",
        arguments: [
            (2048, [0x01, 0x00, 0x01], 10), (4096, [0x01, 0x00, 0x01], 6), (2048, [0x00, 0xFF, 0xFF, 0xFF, 0xFF], 8),
            (4096, [0x00, 0xFF, 0xFF, 0xFF, 0xFF], 2),
        ] as [(Int, [UInt8], Int)]
    )
    func costlyKeys(_ bits: Int, _ exponent: [UInt8], _ tried: Int) throws {
        func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
            [tag, 0x82, UInt8(content.count / 256), UInt8(content.count % 256)] + content
        }
        let modulus = [0x00] + [UInt8](repeating: 0xC5, count: bits / 8)
        let key = Base64.encode(element(0x30, element(0x02, modulus) + element(0x02, exponent)))[...].text
        let zone = try Verification.zone([("e._domainkey.example.org", "v=DKIM1; p=" + key)])
        let hash = Base64.encode(SHA256Hasher.digest([]))[...].text
        let field = "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=e; h=from; bh=\(hash); b=QUFB\r\n"
        let message = String(repeating: field, count: 10) + "From: a@example.org\r\n\r\n"
        let outcomes = Verification.outcomes(of: Array(message.utf8), zone: zone, now: Self.now)
        #expect(outcomes.map(\.result) == (0..<10).map { $0 < tried ? .fail : .policy })
        #expect(outcomes.allSatisfy { $0.keyBits == bits })
    }

    @Test("The header is hashed once in any case, and again as far as the bound goes")
    func headerOctets() throws {
        let key = try #require(Self.key)
        let message = try Self.signed(times: 4, by: key)
        let zone = try SigningTests.zone([key])
        var options = DKIMVerificationOptions()
        // From and a signature without its b= have about 170 octets.
        for (octets, expected) in [(0, 1), (200, 2), (400, 3), (1000, 4)] {
            options.maximumHeaderOctets = octets
            let outcomes = Verification.outcomes(of: message, zone: zone, options: options, now: Self.now)
            #expect(outcomes.count { $0.result == .pass } == expected)
            #expect(outcomes.dropFirst(expected).allSatisfy { $0.result == .policy && $0.isHeaderIntact == nil })
        }
    }

    @Test(
        "RFC 6376 § 6.1.2: a key that could not be looked up",
        arguments: [DNSLookupError.timeout, .serverFailure, .aliasLoop]
    )
    func lookupFailure(_ error: DNSLookupError) throws {
        let message = try Self.signed(Self.tags, header: Self.header, body: Self.body, by: #require(Self.key))
        var zone = DNSZone()
        zone.add(failure: error, at: try DomainName("e._domainkey.example.org"))
        #expect(Verification.outcomes(of: message, zone: zone, now: Self.now).map(\.result) == [.temperror])
        var verifier = DKIMMessageVerifier(now: Self.now)
        let stored = StoredMessage(message[...])
        for index in stored.headers.indices { _ = verifier.headerField(stored.headers[index], at: index) }
        verifier.endOfHeaders(stored.headers)
        #expect(verifier.verify { _ in nil }.map(\.result) == [.temperror])
    }

    @Test("a key known before the body makes no difference; without the end of the header a signature fails")
    func order() throws {
        let key = try #require(Self.key)
        let zone = try SigningTests.zone([key])
        let stored = StoredMessage(try Self.signed(Self.tags, header: Self.header, body: Self.body, by: key)[...])
        let reply = { (question: DNSQuestion) in DNSReply(zone.answer(question), source: .zone) }
        func outcomes(isEnded: Bool, isEarly: Bool) -> [DKIMOutcome] {
            var verifier = DKIMMessageVerifier(now: Self.now)
            for index in stored.headers.indices { _ = verifier.headerField(stored.headers[index], at: index) }
            if isEnded { verifier.endOfHeaders(stored.headers) }
            if isEarly { verifier.checkHeaders(keys: reply) }
            unsafe stored.body.withUnsafeBytes { unsafe verifier.body($0) }
            return verifier.verify(keys: reply)
        }
        for isEarly in [false, true] {
            #expect(outcomes(isEnded: true, isEarly: isEarly).map(\.result) == [.pass])
            let outcome = try #require(outcomes(isEnded: false, isEarly: isEarly).first)
            #expect(outcome.result == .fail && outcome.isBodyIntact == true && outcome.isHeaderIntact == false)
        }
    }

    @Test("RFC 8301 § 3.2: the length of RSA keys")
    func keyLength() throws {
        let short = try PrivateKey.generate(.rsa, bits: 768)
        let text = "v=DKIM1; k=rsa; p=" + Base64.encode(try short.publishedOctets())[...].text
        let tags = Self.tags.replacing("ed25519", with: "rsa")
        let outcome = try Self.outcome(tags, record: text)
        #expect(outcome.result == .permerror)
        #expect(outcome.problem == "key has an RSA modulus of 768 bits")
        var options = DKIMVerificationOptions()
        options.minimumBits = 2048
        let key = try #require(Self.rsaKey)
        let message = try Self.signed(tags.replacing("s=e", with: "s=r"), header: Self.header, body: Self.body, by: key)
        let zone = try SigningTests.zone([key])
        #expect(Verification.outcomes(of: message, zone: zone, now: Self.now).map(\.result) == [.pass])
        #expect(
            Verification.outcomes(of: message, zone: zone, options: options, now: Self.now).map(\.result) == [.policy]
        )
    }

    @Test(
        "RFC 8301 § 3.2: keys above 4096 bits may be left alone, and are",
        arguments: [(4096, 4096, .fail), (4104, 4096, .policy), (8192, 8192, .fail), (16_384, 8192, .policy)]
            as [(Int, Int, DKIMResult)]
    )
    func longKeys(_ bits: Int, _ maximum: Int, _ result: DKIMResult) throws {
        // A modulus that nobody has the factors of: whatever is tried with it fails.
        let modulus: [UInt8] = [0x00] + [UInt8](repeating: 0xC5, count: bits / 8)
        let numbers = Self.element(0x02, modulus) + Self.element(0x02, [0x01, 0x00, 0x01])
        let text = "p=" + Base64.encode(Self.element(0x30, numbers))[...].text
        var options = DKIMVerificationOptions()
        options.maximumBits = maximum
        let outcome = try Self.outcome(Self.tags.replacing("ed25519", with: "rsa"), record: text, options: options)
        #expect(outcome.result == result)
        #expect(outcome.keyBits == bits)
        #expect(outcome.isHeaderIntact == (result == .fail ? false : nil))
        if result == .policy { #expect(outcome.problem == "RSA key of \(bits) bits is too long") }
    }

    /// An element in DER.
    static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let (high, low) = content.count.quotientAndRemainder(dividingBy: 256)
        return [tag, 0x82, UInt8(high), UInt8(low)] + content
    }

    @Test("RFC 6376 § 3.5: bodies are hashed once, whatever lengths signatures name")
    func lengths() throws {
        let body = [UInt8]((0..<300).map { "Line \($0)  of many \r\n" }.joined().utf8)
        let canonical = CanonicalizationTests.reference(.relaxed, body)
        var hasher = BodyHasher(.relaxed)
        let lengths: [UInt64?] = [0, 1, 8, 17, 100, 17, UInt64(canonical.count), UInt64(canonical.count) + 1, .max]
        for length in lengths.shuffled() { hasher.add(length) }
        for start in stride(from: 0, to: body.count, by: 7) {
            unsafe body[start..<min(start + 7, body.count)].withUnsafeBytes { unsafe hasher.update($0) }
        }
        hasher.finish()
        #expect(hasher.octetCount >= UInt64(canonical.count))
        for length in lengths {
            let count = Int(clamping: min(length ?? .max, UInt64(canonical.count)))
            #expect(hasher.digest(length) == SHA256Hasher.digest(Array(canonical.prefix(count))))
        }
    }

    @Test("RFC 6376 § 8.2: a body that goes on beyond l=")
    func beyondLength() throws {
        let key = try #require(Self.key)
        let message = try Self.signed(Self.tags + "; l=7", header: Self.header, body: Self.body, by: key)
        let zone = try SigningTests.zone([key])
        var options = DKIMVerificationOptions()
        for (added, policy, pass) in [
            ("", DKIMResult.pass, DKIMResult.pass), ("\r\n\r\n", .pass, .pass), ("x", .policy, .pass),
        ] {
            let longer = message + [UInt8](added.utf8)
            options.unsignedBody = .policy
            #expect(
                Verification.outcomes(of: longer, zone: zone, options: options, now: Self.now).map(\.result) == [policy]
            )
            options.unsignedBody = .pass
            #expect(
                Verification.outcomes(of: longer, zone: zone, options: options, now: Self.now).map(\.result) == [pass]
            )
        }
    }

    @Test("The rest of a body beyond l= need not be sent")
    func completeness() throws {
        let key = try #require(Self.key)
        let message = try Self.signed(Self.tags + "; l=7", header: Self.header, body: Self.body, by: key)
        let stored = StoredMessage(message[...])
        var verifier = DKIMMessageVerifier(now: Self.now)
        #expect(verifier.isBodyComplete)
        let questions = stored.headers.indices.map { verifier.headerField(stored.headers[$0], at: $0) }
        #expect(questions.map { $0 != nil } == [true, false])
        verifier.endOfHeaders(stored.headers)
        #expect(!verifier.isBodyComplete)
        unsafe stored.body.withUnsafeBytes { unsafe verifier.body($0) }
        #expect(!verifier.isBodyComplete)
        unsafe [UInt8]("x".utf8).withUnsafeBytes { unsafe verifier.body($0) }
        #expect(verifier.isBodyComplete)
    }

    @Test("RFC 6376 § 6.1: signatures beyond the limit are counted, not examined")
    func limit() throws {
        let key = try #require(Self.key)
        let many = try Self.signed(times: 501, by: key)
        let outcomes = Verification.outcomes(of: many, zone: try SigningTests.zone([key]), now: Self.now)
        #expect(outcomes.map(\.result) == Array(repeating: .pass, count: 10) + [.policy])
        #expect(outcomes.last?.problem == "491 more than the 10 signatures examined")
    }

    @Test("RFC 8616 § 4: names in U-labels are looked up as A-labels")
    func internationalized() throws {
        let tags = Self.tags.replacing("d=example.org", with: "d=b\u{FC}cher.example")
        let message = try Self.signed(tags, header: Self.header, body: Self.body, by: #require(Self.key))
        var verifier = DKIMMessageVerifier(now: Self.now)
        let headers = StoredMessage(message[...]).headers
        let questions = headers.indices.compactMap { verifier.headerField(headers[$0], at: $0) }
        #expect(questions.map(\.description) == ["e._domainkey.xn--bcher-kva.example TXT"])
    }

    @Test("What is reported of a signature")
    func report() throws {
        let outcome = try Self.outcome(Self.tags + "; i=a=20b@mail.example.org")
        #expect(outcome.domain == "example.org")
        #expect(outcome.selector == "e")
        #expect(outcome.identity == "a b@mail.example.org")
        #expect(outcome.algorithm == "ed25519-sha256")
        #expect(outcome.keyBits == 256)
        #expect(outcome.signatureOctets?.count == 88)
        #expect(outcome.trace.last == "dkim=pass")
    }
}
