import ARC
import DKIM
import MailCrypto
import MailSyntax

/// Seals messages as a sealer that breaks every rule would.
struct Sealer {
    let domain: String
    let key: PrivateKey
    private let algorithm: String

    init(_ domain: String, _ kind: PublicKey.Kind = .ed25519) throws {
        self.domain = domain
        key = try PrivateKey.generate(kind, bits: 1024)
        algorithm = kind == .rsa ? "rsa-sha256" : "ed25519-sha256"
    }

    /// The key record, and its name.
    func record(_ flags: String = "") throws -> (String, String) {
        let key = try DKIMSigningKey(domain: DomainName(domain), selector: DomainName("s"), key: key)
        return ("s._domainkey.\(domain)", try key.recordText() + flags)
    }

    /// Adds a set on top of a message with LF line ends.
    ///
    /// - Parameters:
    ///   - message: the message, whose body is in the relaxed form but for its line ends.
    ///   - instance: the instance of the set.
    ///   - fields: `h=`.
    ///   - more: further tags of the message signature.
    func seal(_ message: String, _ instance: Int, h fields: String = "from:subject", more: String = "") throws -> String
    {
        let stored = StoredMessage(Octets(message))
        let results = "ARC-Authentication-Results: i=\(instance); \(domain); none\n"
        let body = stored.body.text.replacing("\n", with: "\r\n")
        let hash = Base64.encode(SHA256Hasher.digest([UInt8](body.utf8)))[...].text
        let unsigned =
            "ARC-Message-Signature: i=\(instance); a=\(algorithm); c=relaxed/relaxed; d=\(domain); s=s; "
            + "h=\(fields);\(more) bh=\(hash); b="
        let covered = fields.split(separator: ":").compactMap { name in
            stored.headers.last { $0.name.equalsIgnoringCase(Octets(String(name))) }
        }
        let signature = unsigned + (try sign(covered, unsigned)) + "\n"
        let status = instance == 1 ? "none" : "pass"
        let seal = "ARC-Seal: i=\(instance); a=\(algorithm); cv=\(status); d=\(domain); s=s; b="
        let sets = StoredMessage(Octets(results + signature)).headers + Self.sets(stored.headers)
        return seal + (try sign(Self.ordered(sets), seal)) + "\n" + signature + results + message
    }

    private static func sets(_ headers: HeaderBlock) -> [HeaderField] {
        headers.filter { $0.name.text.hasPrefix("ARC-") }
    }

    /// By instance, then results, message signature, seal.
    private static func ordered(_ fields: [HeaderField]) -> [HeaderField] {
        func rank(_ field: HeaderField) -> Int {
            let instance = Int(field.value.text.split(separator: ";").first?.drop { !$0.isNumber } ?? "") ?? 0
            let kinds = ["ARC-Authentication-Results", "ARC-Message-Signature", "ARC-Seal"]
            return instance * 3 + (kinds.firstIndex(of: field.name.text) ?? 0)
        }
        return fields.sorted { rank($0) < rank($1) }
    }

    private func sign(_ fields: [HeaderField], _ own: String) throws -> String {
        var form = HeaderCanonicalizer(.relaxed)
        for field in fields { form.append(field) }
        if let own = StoredMessage(Octets(own)).headers.first { form.appendWithoutLineEnd(own) }
        return Base64.encode(try key.sign(digest: SHA256Hasher.digest(form.octets)))[...].text
    }
}
