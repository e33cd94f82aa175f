import ARC
import DKIM
import DNSLookup
import MailCrypto
import MailSyntax
import TestSupport
import Testing

@Suite("Sealing (RFC 8617 § 5.1)")
struct SealingTests {
    /// A sealer of ours, and the zone with its key and those of others.
    private struct Ours {
        let key: DKIMSigningKey
        private(set) var zone: DNSZone

        init(_ kind: PublicKey.Kind = .ed25519, _ others: DNSZone = DNSZone()) throws {
            let pair = try PrivateKey.generate(kind, bits: 2048)
            key = try DKIMSigningKey(domain: DomainName("ours.example"), selector: DomainName("s"), key: pair)
            zone = others
            zone.add(.txt([UInt8](try key.recordText().utf8)), at: key.recordName)
        }

        /// The set that goes on top of a message, and the message with it.
        func seal(_ message: String, chunk: Int = 65_535) async throws -> (set: NewARCSet, message: String) {
            let octets = [UInt8](message.utf8)
            let stored = StoredMessage(octets[...])
            var sealer = ARCMessageSealer(key: key, now: Verification.now)
            unsafe stored.body.withUnsafeBytes { body in
                for start in stride(from: 0, to: body.count, by: chunk) {
                    let end = min(start + chunk, body.count)
                    unsafe sealer.body(UnsafeRawBufferPointer(rebasing: body[start..<end]))
                }
            }
            let chain = await Verification.outcome(of: octets, zone)
            let results = Octets("ours.example; spf=none;\n\tarc=\(chain.result.rawValue)")
            let set = try sealer.seal(stored.headers, chain, results: results)
            let fields = set.fields.map { "\($0.member.rawValue):\(Octets($0.value).text)\r\n" }.joined()
            return (set, fields + message)
        }

        /// What others find in a message.
        func outcome(of message: String) async -> ARCOutcome {
            await Verification.outcome(of: [UInt8](message.utf8), zone)
        }
    }

    private static let message = """
        From: a@author.example\r
        DKIM-Signature: v=1; d=author.example\r
        Authentication-Results: ours.example; none\r
        Subject: tea\r
        \r
        Tea is  at four.\r

        """

    @Test("a message without a chain gets the first set", arguments: [PublicKey.Kind.ed25519, .rsa])
    func first(_ kind: PublicKey.Kind) async throws {
        let ours = try Ours(kind)
        for chunk in [1, 7, 65_535] {
            let (set, sealed) = try await ours.seal(Self.message, chunk: chunk)
            #expect(set.instance == 1 && set.status == .none)
            #expect(set.fields.map(\.member) == [.seal, .message, .results])
            let outcome = await ours.outcome(of: sealed)
            #expect(outcome.result == .pass && outcome.oldestPass == 0)
            #expect(outcome.vouchingSealer?.description == "ours.example")
        }
    }

    @Test("the fields have the tags of § 4.1, in lines of at most 78 octets")
    func form() async throws {
        let (_, sealed) = try await Ours(.rsa).seal(Self.message)
        let stored = StoredMessage(Octets(sealed))
        let (seal, message, results) = (stored.headers[0].value, stored.headers[1].value, stored.headers[2].value)
        #expect(results.text == " i=1; ours.example; spf=none;\r\n\tarc=none")
        #expect(seal.text.hasPrefix(" i=1; a=rsa-sha256; t=1793700000; cv=none; d=ours.example; s=s; b="))
        let tags = try TagList(message)
        #expect(tags["i"]?.text == "1" && tags["v"] == nil && tags["c"]?.text == "relaxed/relaxed")
        // § 4.1.2: neither the sets nor Authentication-Results; DKIM-Signature, and what is there, once more.
        let names = tags["h"].map { $0.filter { !$0.isWSP && $0 != .cr && $0 != .lf } }.map { Octets($0).text }
        #expect(names == "From:From:Subject:Subject:DKIM-Signature")
        for line in sealed.split(separator: "\r\n") { #expect(line.utf8.count <= 78) }
    }

    @Test("what a reader is shown by cannot be added, and nothing that § 4.1.2 excludes is signed")
    func oversigned() async throws {
        let ours = try Ours(.ed25519)
        let head = "Content-Type: text/plain\r\nList-Id: <tea.list.example>\r\n"
        let (_, sealed) = try await ours.seal(head + "ARC-Seal: i=1; none\r\n" + Self.message)
        let names = try TagList(StoredMessage(Octets(sealed)).headers[1].value)["h"] ?? []
        let signed = Octets(names.filter { !$0.isWSP && $0 != .cr && $0 != .lf }).text.lowercased().split(
            separator: ":"
        )
        for name in ["from", "subject", "content-type", "list-id"] {
            #expect(signed.count { $0 == name } == 2, "\(name)")
        }
        #expect(!signed.contains { $0.hasPrefix("arc-") || $0 == "authentication-results" })
        let passing = try await ours.seal(head + Self.message).message
        #expect(await ours.outcome(of: passing).result == .pass)
        for added in ["Content-Type: text/html\r\n", "List-Id: <coffee.list.example>\r\n"] {
            for changed in [added + passing, passing.replacing("Subject:", with: added + "Subject:")] {
                #expect(await ours.outcome(of: changed).result == .fail, "\(added)")
            }
        }
    }

    @Test("a chain that passes gets one set more; it breaks with what we have covered")
    func next() async throws {
        let (list, other) = (try Sealer("list.example"), try Sealer("other.example"))
        let (below, zone) = try AttackTests.sealed(by: [list, other])
        let ours = try Ours(.ed25519, zone)
        let (set, sealed) = try await ours.seal(below)
        #expect(set.instance == 3 && set.status == .pass)
        let outcome = await ours.outcome(of: sealed)
        #expect(outcome.result == .pass)
        #expect(outcome.sealers.map(\.description) == ["list.example", "other.example", "ours.example"])
        // The next sealer finds our set as good as any.
        let (again, twice) = try await ours.seal(sealed)
        #expect(again.instance == 4)
        #expect(await ours.outcome(of: twice).result == .pass)
        for (what, with) in [
            ("i=1; list.example; none", "i=1; list.example; spf=pass"), ("arc=pass", "arc=none"),
            ("Subject: tea", "Subject: tee"), ("From: a@", "From: b@x.example\r\nFrom: a@"), ("four", "five"),
        ] {
            #expect(await ours.outcome(of: sealed.replacing(what, with: with)).result == .fail, "\(what)")
        }
    }

    @Test(
        "§ 5.1.2: a chain that has failed is sealed with cv=fail, over our set alone",
        arguments: [
            ("list.example; none", "list.example; spf=pass", 3), ("Subject: tea", "Subject: tee", 3),
            ("ARC-Seal: i=2", "X-Seal: i=2", 3), ("ARC-Seal: i=2", "ARC-Seal: i=9", 10),
            ("ARC-Seal: i=2", "ARC-Seal: i=1", 3), ("ARC-Seal: i=2", "ARC-Seal: i=77", 3), ("cv=pass", "cv=fail", 3),
        ]
    )
    func failed(_ what: String, _ with: String, _ instance: Int) async throws {
        let (below, zone) = try AttackTests.sealed(by: [try Sealer("list.example"), try Sealer("other.example")])
        let ours = try Ours(.ed25519, zone)
        let (set, sealed) = try await ours.seal(below.replacing(what, with: with))
        #expect(set.instance == instance && set.status == .fail)
        #expect(await ours.outcome(of: sealed).result == .fail)
        let own = StoredMessage(Octets(sealed)).headers.prefix(3)
        let text = own[own.startIndex].value.text
        let end = try #require(text.firstRange(of: "b=")?.upperBound)
        let signature = try #require(Base64.decode(Octets(String(text[end...]))))
        var form = HeaderCanonicalizer(.relaxed)
        for field in own.dropFirst().reversed() { form.append(field) }
        form.appendWithoutLineEnd(HeaderField(name: Octets("ARC-Seal"), value: Octets(String(text[..<end]))))
        #expect(ours.key.key.publicKey.verifies(signature, digest: SHA256Hasher.digest(form.octets)))
    }

    @Test("a message with 50 sets gets none, whether they pass or not")
    func full() async throws {
        let (below, zone) = try AttackTests.sealed(by: Array(repeating: try Sealer("list.example"), count: 50))
        let ours = try Ours(.ed25519, zone)
        for message in [below, below.replacing("four", with: "five")] {
            await #expect(throws: ARCSealingError.full) { try await ours.seal(message) }
        }
        let (last, _) = try AttackTests.sealed(by: Array(repeating: try Sealer("list.example"), count: 49))
        #expect(try await ours.seal(last).set.instance == 50)
    }

    @Test("nothing is sealed on an answer that is missing, nor without one From")
    func unsealed() async throws {
        let ours = try Ours()
        var sealer = ARCMessageSealer(key: ours.key, now: Verification.now)
        let (below, _) = try AttackTests.sealed(by: [try Sealer("list.example")])
        let headers = StoredMessage(Octets(below)).headers
        let chain = await Verification.outcome(of: [UInt8](below.utf8), Silence())
        #expect(chain.result == .temperror)
        #expect(throws: ARCSealingError.unanswered) { try sealer.seal(headers, chain, results: Octets("x; none")) }
        for (fields, count) in [("Subject: a\n", 0), ("From: a@b\nFrom: a@b\n", 2)] {
            await #expect(throws: ARCSealingError.signing(.authorFields(count))) {
                try await ours.seal(fields + "\nHello\n")
            }
        }
    }
}

/// A resolver without answers.
private struct Silence: DNSResolving {
    func lookUp(_ question: DNSQuestion) async -> DNSReply { DNSReply(.failure(.timeout), source: .server) }
}
