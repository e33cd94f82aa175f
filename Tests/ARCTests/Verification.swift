import ARC
import DKIM
import DNSLookup
import FoundationEssentials
import MailSyntax

/// Ways of feeding messages to the verifier, for all tests.
enum Verification {
    /// After the messages of Tests/Vectors were sealed.
    static let now: UnixTime = 1_793_700_000

    /// Verifies a stored message, its body cut into chunks of `chunk` octets.
    static func outcome(
        of message: [UInt8],
        _ resolver: some DNSResolving,
        options: DKIMVerificationOptions = DKIMVerificationOptions(),
        chunk: Int = 65_535
    ) async -> ARCOutcome {
        let stored = StoredMessage(message[...])
        var verifier = ARCMessageVerifier(options: options, now: now)
        let inquiry = verifier.endOfHeaders(stored.headers)
        unsafe stored.body.withUnsafeBytes { body in
            for start in stride(from: 0, to: body.count, by: chunk) where !verifier.isBodyComplete {
                let end = min(start + chunk, body.count)
                unsafe verifier.body(UnsafeRawBufferPointer(rebasing: body[start..<end]))
            }
        }
        guard let inquiry else { return verifier.outcome(nil) }
        return verifier.outcome(await resolver.outcome(of: inquiry))
    }

    /// A zone with these TXT records.
    static func zone(_ records: [(String, String)]) throws -> DNSZone {
        var zone = DNSZone()
        for (name, text) in records { zone.add(.txt([UInt8](text.utf8)), at: try DomainName(name)) }
        return zone
    }

    /// The zone in a file of names, types and texts.
    static func zone(_ file: Data) throws -> DNSZone {
        let file = try JSONDecoder().decode([String: [String: [[String]]]].self, from: file)
        return try zone(file.flatMap { name, types in (types["TXT"] ?? []).map { (name, $0.joined()) } })
    }
}
