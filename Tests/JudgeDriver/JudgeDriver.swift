internal import ARC
internal import DKIM
internal import DNSLookup
internal import FoundationEssentials
internal import Glibc
internal import MailCrypto
internal import MailSyntax

/// Signs and verifies many messages in one process, for the programs that compare us with other implementations.
///
/// Each line of standard input is a job, its fields apart by tabs, and gets one line of standard output:
///
///     zone NAME TEXT                                            adds a TXT record
///     sign IN OUT HEADER/BODY NOW CHUNK DOMAIN SELECTOR KEYFILE [SELECTOR KEYFILE]…
///     verify FILE NOW CHUNK                                     the results, from the top, as result:problem
///     arc FILE NOW CHUNK                                        the result of the chain, as result:oldest pass:problem
///     seal IN OUT NOW CHUNK DOMAIN SELECTOR KEYFILE             the instance of the new set, and cv=, as instance:cv
///     stream OCTETS                                             by how many KiB the peak of resident memory grows
///
/// With the argument `authors`, each line is the value of a From field in hexadecimal, and the answer how it is read and
/// the domains. With `reports FOLDER`, see `ReportDriver`.
@main
struct JudgeDriver {
    private var zone = DNSZone()
    private var keys: [String: PrivateKey] = [:]

    static func main() throws {
        switch CommandLine.arguments.dropFirst().first {
        case "authors": return readAuthors()
        case "reports": return try ReportDriver.run(folder: CommandLine.arguments.last ?? ".")
        default: break
        }
        var driver = JudgeDriver()
        while let line = readLine() {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            do {
                print(try driver.run(fields[...]))
            } catch {
                print("error: \(error)")
            }
            // The other side waits for each answer.
            fflush(nil)
        }
    }

    private static func readAuthors() {
        while let line = readLine() {
            let digits = line.utf8.compactMap(\.hexValue)
            let octets = stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
            let author = AuthorIdentity(from: octets[...])
            print(author.reading.rawValue, author.domains.map(\.description).joined(separator: " "))
        }
    }

    private struct UnknownJob: Error {}

    private mutating func run(_ fields: ArraySlice<String>) throws -> String {
        var fields = fields
        func next() throws -> String {
            guard let field = fields.popFirst() else { throw UnknownJob() }
            return field
        }
        switch try next() {
        case "zone":
            zone.add(try .txt([UInt8](next().utf8)), at: try DomainName(next()))
            return "ok"
        case "sign":
            let (input, output, forms) = (try next(), try next(), try next().split(separator: "/").map(String.init))
            let (now, chunk, domain) = (try next(), try next(), try next())
            var signingKeys = [DKIMSigningKey]()
            while !fields.isEmpty { signingKeys.append(try signingKey(domain, try next(), file: try next())) }
            var options = DKIMSigningOptions()
            options.canonicalization = CanonicalizationPair(
                header: Canonicalization(rawValue: forms.first ?? "") ?? .relaxed,
                body: Canonicalization(rawValue: forms.last ?? "") ?? .relaxed
            )
            var signer = DKIMMessageSigner(keys: signingKeys, options: options, now: UnixTime(Int64(now) ?? 0))
            let message = [UInt8](try Data(contentsOf: URL(filePath: input)))
            let stored = StoredMessage(message[...])
            signer.endOfHeaders(stored.headers)
            unsafe Self.feed(stored.body, Int(chunk) ?? 65_535) { unsafe signer.body($0) }
            let name = [UInt8]("DKIM-Signature:".utf8)
            var signatures = [UInt8]()
            for value in try signer.finish() { signatures += name + value + [0x0D, 0x0A] }
            try Data(signatures + message).write(to: URL(filePath: output))
            return "ok"
        case "verify":
            let message = [UInt8](try Data(contentsOf: URL(filePath: try next())))
            var verifier = DKIMMessageVerifier(now: UnixTime(Int64(try next()) ?? 0))
            let stored = StoredMessage(message[...])
            for index in stored.headers.indices { _ = verifier.headerField(stored.headers[index], at: index) }
            verifier.endOfHeaders(stored.headers)
            unsafe Self.feed(stored.body, Int(try next()) ?? 65_535) { unsafe verifier.body($0) }
            let outcomes = verifier.verify { DNSReply(zone.answer($0), source: .zone) }
            return outcomes.map { "\($0.result.rawValue):\($0.problem ?? "")" }.joined(separator: "\t")
        case "arc":
            let message = [UInt8](try Data(contentsOf: URL(filePath: try next())))
            var verifier = ARCMessageVerifier(now: UnixTime(Int64(try next()) ?? 0))
            let stored = StoredMessage(message[...])
            let inquiry = verifier.endOfHeaders(stored.headers)
            unsafe Self.feed(stored.body, Int(try next()) ?? 65_535) { unsafe verifier.body($0) }
            let outcome = verifier.outcome(inquiry.flatMap { zone.outcomeAtHand(of: $0) })
            let oldest = outcome.oldestPass.map { String($0) } ?? ""
            return "\(outcome.result.rawValue):\(oldest):\(outcome.problem?.description ?? "")"
        case "seal":
            let (input, output, now, chunk) = (try next(), try next(), try next(), try next())
            let key = try signingKey(next(), next(), file: next())
            return try seal(input, output, UnixTime(Int64(now) ?? 0), Int(chunk) ?? 65_535, key)
        case "stream":
            let octets = Int(try next()) ?? 0
            _ = Self.stream(1 << 20)
            let before = try Self.peakOfResidentMemory()
            let outcomes = Self.stream(octets)
            return "\(try Self.peakOfResidentMemory() - before) KiB, \(outcomes) signatures"
        default: throw UnknownJob()
        }
    }

    /// Seals a message on top of the chain that it has.
    private func seal(_ input: String, _ output: String, _ now: UnixTime, _ chunk: Int, _ key: DKIMSigningKey) throws
        -> String
    {
        let message = [UInt8](try Data(contentsOf: URL(filePath: input)))
        let stored = StoredMessage(message[...])
        var (verifier, sealer) = (ARCMessageVerifier(now: now), ARCMessageSealer(key: key, now: now))
        let inquiry = verifier.endOfHeaders(stored.headers)
        unsafe Self.feed(stored.body, chunk) { part in
            unsafe verifier.body(part)
            unsafe sealer.body(part)
        }
        let chain = verifier.outcome(inquiry.flatMap { zone.outcomeAtHand(of: $0) })
        let results = Octets("mx.example.org; spf=none;\n\tarc=\(chain.result.rawValue)")
        let set = try sealer.seal(stored.headers, chain, results: results)
        var sealed = [UInt8]()
        for (member, value) in set.fields { sealed += Array("\(member.rawValue):".utf8) + value + [0x0D, 0x0A] }
        try Data(sealed + message).write(to: URL(filePath: output))
        return "\(set.instance):\(set.status.rawValue)"
    }

    /// Verifies a message with a body of so many octets, under both canonicalizations at once.
    private static func stream(_ octets: Int) -> Int {
        let line = [UInt8]("All work  and no play makes Jack a dull boy. \r\n".utf8)
        let chunk = (0..<65_535).map { line[$0 % line.count] }
        var headers = HeaderBlock()
        for forms in ["simple/simple", "relaxed/relaxed"] {
            let value = " v=1; a=ed25519-sha256; c=\(forms); d=example.org; s=e1; h=from; bh=AA==; b=AA=="
            headers.append(name: "DKIM-Signature".utf8, value: value.utf8)
        }
        headers.append(name: "From".utf8, value: " a@example.org".utf8)
        var verifier = DKIMMessageVerifier(now: 0)
        for index in headers.indices { _ = verifier.headerField(headers[index], at: index) }
        verifier.endOfHeaders(headers)
        for _ in 0..<(octets / chunk.count) { unsafe chunk.withUnsafeBytes { unsafe verifier.body($0) } }
        return verifier.verify { _ in nil }.count
    }

    /// `VmHWM` of proc(5), in KiB.
    private static func peakOfResidentMemory() throws -> Int {
        let status = String(decoding: try Data(contentsOf: URL(filePath: "/proc/self/status")), as: UTF8.self)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
        return line.flatMap { Int($0.filter(\.isNumber)) } ?? 0
    }

    private mutating func signingKey(_ domain: String, _ selector: String, file: String) throws -> DKIMSigningKey {
        let key = try keys[file] ?? PrivateKey(pem: [UInt8](Data(contentsOf: URL(filePath: file))))
        keys[file] = key
        return try DKIMSigningKey(domain: DomainName(domain), selector: DomainName(selector), key: key)
    }

    private static func feed(_ body: Octets, _ chunk: Int, _ take: (UnsafeRawBufferPointer) -> Void) {
        unsafe body.withUnsafeBytes { octets in
            for start in stride(from: 0, to: octets.count, by: max(1, chunk)) {
                let end = min(start + max(1, chunk), octets.count)
                unsafe take(UnsafeRawBufferPointer(rebasing: octets[start..<end]))
            }
        }
    }
}
