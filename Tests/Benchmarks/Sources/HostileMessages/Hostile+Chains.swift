import DKIM
import DNSLookup
import MailCrypto
import MailSyntax

/// Chains of ARC seals that cost much.
extension Hostile {
    static var chains: [HostileMaker] {
        [
            HostileMaker("chain-rsa-2048") {
                try chain(50, by: PrivateKey(pem: Array(rsaKey.utf8)), algorithm: "rsa-sha256")
            },
            HostileMaker("chain-ed25519") {
                try chain(50, by: PrivateKey.generate(.ed25519, bits: 0), algorithm: "ed25519-sha256")
            },
            HostileMaker("chain-names") { unsealed(names: absentNames, domain: "attack.example") },
            HostileMaker("chain-u-labels") {
                unsealed(names: "from", domain: many("\u{FC}a\u{E9}\u{DF}.", 16) + "example")
            },
        ]
    }

    private static let absentNames = "from:" + (0..<255).map { "absent-field-\($0)" }.joined(separator: ":")

    /// A chain that passes as far as we compute, each seal by a key of its own name.
    private static func chain(_ count: Int, by key: PrivateKey, algorithm: String) throws -> Hostile {
        var hostile = Hostile()
        hostile.isChainChecked = true
        var sets = [[(name: String, value: [UInt8])]]()
        let hash = Base64.encode(SHA256Hasher.digest(hostile.body))[...].text
        let record = try DKIMSigningKey(domain: DomainName("attack.example"), selector: DomainName("s"), key: key)
        for instance in 1...count {
            let results = field("ARC-Authentication-Results", " i=\(instance); attack.example; none")
            let tags = " i=\(instance); a=\(algorithm); d=attack.example; s=s\(instance);"
            let message = try signed(
                "ARC-Message-Signature",
                tags + " c=relaxed/relaxed; h=from; bh=\(hash);",
                [author],
                key
            )
            let status = instance == 1 ? "none" : "pass"
            let covered = sets.flatMap { $0 } + [results, message]
            let seal = try signed("ARC-Seal", tags + " cv=\(status);", covered, key)
            sets.append([results, message, seal])
            try hostile.add([record.recordText()], at: "s\(instance)._domainkey.attack.example")
        }
        hostile.fields = sets.reversed().flatMap { $0.reversed() } + [author]
        return hostile
    }

    /// A field that signs these fields and itself.
    private static func signed(
        _ name: String,
        _ tags: String,
        _ fields: [(name: String, value: [UInt8])],
        _ key: PrivateKey
    ) throws -> (name: String, value: [UInt8]) {
        var form = HeaderCanonicalizer(.relaxed)
        for field in fields { form.append(HeaderField(name: Octets(field.name), value: field.value[...])) }
        form.appendWithoutLineEnd(HeaderField(name: Octets(name), value: Octets(tags + " b=")))
        return field(
            name,
            tags + " b=" + Base64.encode(try key.sign(digest: SHA256Hasher.digest(form.octets)))[...].text
        )
    }

    /// The longest chain, with signatures that nobody made.
    private static func unsealed(names: String, domain: String) -> Hostile {
        var hostile = Hostile()
        hostile.isChainChecked = true
        for instance in (1...50).reversed() {
            let tags = " i=\(instance); a=rsa-sha256; d=\(domain); s=s; b=\(signatureText(bits: 2048));"
            hostile.fields.append(field("ARC-Seal", tags + " cv=\(instance == 1 ? "none" : "pass")"))
            hostile.fields.append(field("ARC-Message-Signature", tags + " h=\(names); bh=\(bodyHash)"))
            hostile.fields.append(field("ARC-Authentication-Results", " i=\(instance); attack.example; none"))
        }
        hostile.fields.append(author)
        return hostile
    }
}
