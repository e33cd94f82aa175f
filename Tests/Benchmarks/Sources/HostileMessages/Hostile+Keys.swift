import DNSLookup
import MailCrypto
import MailSyntax

/// Keys and signatures of somebody who wants us to compute.
extension Hostile {
    /// An element in DER.
    private static func element(_ tag: UInt8, _ content: [UInt8]) -> [UInt8] {
        let (high, low) = content.count.quotientAndRemainder(dividingBy: 256)
        return [tag, 0x82, UInt8(high), UInt8(low)] + content
    }

    /// The record of an RSA key with a modulus of so many bits; nobody has its factors, and verifying takes as long.
    static func keyRecord(bits: Int, exponent: [UInt8] = [0x01, 0x00, 0x01]) -> String {
        let modulus: [UInt8] = [0x00] + [UInt8](repeating: 0xC5, count: bits / 8)
        let numbers = element(0x02, modulus) + element(0x02, exponent)
        return "v=DKIM1; k=rsa; p=" + Base64.encode(element(0x30, numbers))[...].text
    }

    /// Text that is the `b=` of an RSA signature by such a key.
    static func signatureText(bits: Int) -> String {
        Base64.encode([0x01] + [UInt8](repeating: 0x5A, count: bits / 8 - 1))[...].text
    }

    /// A `bh=` that no body has.
    static let bodyHash = Base64.encode([UInt8](repeating: 7, count: 32))[...].text

    /// A DKIM-Signature field that can be read.
    static func signature(
        _ algorithm: String = "rsa-sha256",
        canonicalization: String = "relaxed/relaxed",
        selector: String = "s",
        names: String = "from:to:subject",
        more: String = "",
        text: String
    ) -> (name: String, value: [UInt8]) {
        let value =
            " v=1; a=\(algorithm); c=\(canonicalization); d=attack.example; s=\(selector); h=\(names); "
            + "bh=\(bodyHash);\(more) b=\(text)"
        return ("DKIM-Signature", Array(value.utf8))
    }

    /// A field.
    static func field(_ name: String, _ value: String) -> (name: String, value: [UInt8]) { (name, Array(value.utf8)) }

    /// The text this often.
    static func many(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

    static let author = field("From", " Somebody <somebody@attack.example>")

    /// Adds TXT records at a name.
    mutating func add(_ texts: [String], at name: String) throws {
        for text in texts { zone.add(.txt(Array(text.utf8)), at: try DomainName(name)) }
    }
}
