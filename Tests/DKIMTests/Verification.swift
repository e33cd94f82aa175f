import DKIM
import DNSLookup
import FoundationEssentials
import MailSyntax
import TestSupport

/// Ways of feeding messages to the verifier, for all tests.
enum Verification {
    /// Verifies a stored message, its body cut into chunks of `chunk` octets.
    static func outcomes(
        of message: [UInt8],
        zone: DNSZone,
        options: DKIMVerificationOptions = DKIMVerificationOptions(),
        now: UnixTime = 1_600_000_000,
        chunk: Int = 65_535
    ) -> [DKIMOutcome] {
        let stored = StoredMessage(message[...])
        var verifier = DKIMMessageVerifier(options: options, now: now)
        var questions = [DNSQuestion]()
        for index in stored.headers.indices {
            if let question = verifier.headerField(stored.headers[index], at: index) { questions.append(question) }
        }
        verifier.endOfHeaders(stored.headers)
        unsafe stored.body.withUnsafeBytes { body in
            for start in stride(from: 0, to: body.count, by: chunk) where !verifier.isBodyComplete {
                let end = min(start + chunk, body.count)
                unsafe verifier.body(UnsafeRawBufferPointer(rebasing: body[start..<end]))
            }
        }
        verifier.endOfBody()
        return verifier.verify { question in
            questions.contains(question) ? DNSReply(zone.answer(question), source: .zone) : nil
        }
    }

    /// A zone with these TXT records.
    static func zone(_ records: [(String, String)]) throws -> DNSZone {
        var zone = DNSZone()
        for (name, text) in records { zone.add(.txt([UInt8](text.utf8)), at: try DomainName(name)) }
        return zone
    }

    /// The zone of the RFC's examples.
    static func exampleZone(_ file: Data) throws -> DNSZone {
        let file = try JSONDecoder().decode([String: [String: [[String]]]].self, from: file)
        return try zone(file.flatMap { name, types in (types["TXT"] ?? []).map { (name, $0.joined()) } })
    }
}
