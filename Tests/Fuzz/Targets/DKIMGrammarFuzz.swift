internal import DKIM
internal import DNSLookup
internal import MailCrypto
internal import MailSyntax

/// Takes an input as choices by which a message is written and signed as RFC 6376 § 3 says, in any form that it allows,
/// and then changed on its way: the signature passes exactly where it must.
func fuzzDKIMGrammar(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    var choices = Choices(unsafe input(start, count))
    var message = SignedMessage(&choices)
    message.sign(&choices)
    message.travel(&choices)
    let outcomes = message.outcomes(chunk: 1 + choices.number(below: 64))
    expect(outcomes.count == 1)
    let result = outcomes[0].result
    Outcomes.count("\(result) \(message.flaw ?? "sound")")
    expect(
        (result == .pass) == (message.flaw == nil),
        "\(outcomes[0].trace) though \(message.flaw ?? "sound"): \(message.text)"
    )
    return 0
}

/// The keys under `example.com`; every run makes its own.
private enum Keys {
    static let now: UnixTime = 1_700_000_000

    static let all: [(selector: String, key: PrivateKey, algorithm: String)] = {
        do throws(CryptoError) {
            return [
                ("ed", try PrivateKey.generate(.ed25519, bits: 256), "ed25519-sha256"),
                ("rsa", try PrivateKey.generate(.rsa, bits: 1024), "rsa-sha256"),
            ]
        } catch {
            fatalError("\(error)")
        }
    }()

    static let records: [DomainName: [UInt8]] = {
        var records: [DomainName: [UInt8]] = [:]
        for (selector, key, _) in all {
            guard let name = try? DomainName("\(selector)._domainkey.example.com"),
                let octets = try? key.publishedOctets()
            else { fatalError("no record") }
            let kind = key.kind == .rsa ? "rsa" : "ed25519"
            records[name] = Array("v=DKIM1; k=\(kind); p=".utf8) + Base64.encode(octets)
        }
        return records
    }()

    static func reply(to question: DNSQuestion) -> DNSReply {
        let answer =
            records[question.name].map { DNSAnswer(question, records: [.txt($0)], timeToLive: 1) }
            ?? DNSAnswer(question, negative: .noSuchName, timeToLive: 1)
        return DNSReply(.success(answer), source: .zone)
    }
}

private struct SignedMessage {
    private var fields: [(name: String, value: String)] = []
    private var body = ""
    private var signature = ""
    private var names: [String] = []
    private var isHeaderRelaxed = false
    private var isBodyRelaxed = false
    /// Of the canonical body, how much is signed; nil for all.
    private var length: Int?
    /// Why the signature must not pass; nil when it must.
    private(set) var flaw: String?

    /// A message of a few fields and lines.
    init(_ choices: inout Choices) {
        let names = ["From", "Subject", "to", "Subject", "DATE", "X-Other", "Received", "From"]
        fields.append(("From", " a@example.com"))
        for _ in 0..<choices.number(below: 6) {
            let value = choices.one(of: ["a", " b  c ", "\td\r\n e", " f\r\n\t \r\n g", "", " 1:2;3=4", " \r\n x"])
            fields.insert((choices.one(of: names), " " + value), at: choices.number(below: fields.count + 1))
        }
        for _ in 0..<choices.number(below: 6) {
            body += choices.one(of: ["line", "two  words", " ", "\t", "", "end \t", ".", "-- "]) + "\r\n"
        }
        if choices.isRare(5) { body += "no end" }
    }

    /// The message as it arrives.
    var text: String {
        fields.map { "\($0.name):\($0.value)\r\n" }.joined() + "\r\n" + body
    }

    func outcomes(chunk: Int) -> [DKIMOutcome] {
        var headers = HeaderBlock()
        for field in fields { headers.append(name: field.name.utf8, value: field.value.utf8) }
        var verifier = DKIMMessageVerifier(now: Keys.now)
        for index in headers.indices { _ = verifier.headerField(headers[index], at: index) }
        verifier.endOfHeaders(headers)
        var rest = Array(body.utf8)[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(chunk))
            unsafe piece.withUnsafeBytes { unsafe verifier.body($0) }
            rest = rest.dropFirst(chunk)
        }
        return verifier.verify { Keys.reply(to: $0) }
    }
}

// MARK: Canonical forms, in the words of RFC 6376 § 3.4

extension SignedMessage {
    private func form(_ name: String, _ value: String) -> String {
        guard isHeaderRelaxed else { return "\(name):\(value)" }
        let unfolded = value.replacing("\r\n", with: "").map { $0 == "\t" ? " " : $0 }
        let words = String(unfolded).split(separator: " ").joined(separator: " ")
        return name.lowercased() + ":" + words
    }

    private var bodyForm: String {
        var lines = body.components(of: "\r\n")
        if lines.last == "" { lines.removeLast() }
        if isBodyRelaxed {
            lines = lines.map { line in
                var reduced = ""
                for character in line {
                    let isSpace = character == " " || character == "\t"
                    if !isSpace { reduced.append(character) } else if reduced.last != " " { reduced.append(" ") }
                }
                return reduced.last == " " ? String(reduced.dropLast()) : reduced
            }
        }
        while lines.last == "" { lines.removeLast() }
        guard !lines.isEmpty else { return isBodyRelaxed ? "" : "\r\n" }
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    /// RFC 6376 § 5.4.2: of several fields of a name, the lowest comes first; a name without a field is nothing.
    private var signedHeader: String {
        var rest = fields
        var forms = ""
        for name in names {
            guard let index = rest.lastIndex(where: { $0.name.lowercased() == name.lowercased() }) else { continue }
            forms += form(rest[index].name, rest[index].value) + "\r\n"
            rest.remove(at: index)
        }
        return forms
    }
}

extension String {
    /// The parts between a separator, empty ones too.
    fileprivate func components(of separator: String) -> [String] {
        split(separator: separator, omittingEmptySubsequences: false).map { String($0) }
    }
}

// MARK: Signing

extension SignedMessage {
    /// Puts a signature of any form on top.
    mutating func sign(_ choices: inout Choices) {
        let key = choices.one(of: Keys.all)
        isHeaderRelaxed = choices.number(below: 2) == 0
        isBodyRelaxed = choices.number(below: 2) == 0
        names = ["from"]
        for _ in 0..<choices.number(below: 6) {
            let name = choices.one(of: ["Subject", "To", "date", "From", "X-Absent", "Received"])
            names.insert(name, at: choices.number(below: names.count + 1))
        }
        let form = bodyForm
        let size = form.utf8.count
        if choices.isRare(4) { length = choices.isRare(2) ? size : min(size, choices.number(below: 20)) }
        if let length, length < size { flaw = "octets beyond l=" }

        let bodyHash = SHA256Hasher.digest(Array(form.utf8.prefix(length ?? .max)))
        let space = choices.one(of: ["", " ", "\r\n ", "\r\n\t", "  "])
        var tags = self.tags(&choices, key.selector, key.algorithm)
        tags.append(("bh", Base64.encode(bodyHash)[...].text))
        tags.append(("h", names.joined(separator: choices.one(of: [":", " : ", ":" + space]))))
        tags.swapAt(0, choices.number(below: tags.count))
        let before = choices.number(below: tags.count + 1)
        func write(_ tags: some Sequence<(String, String)>) -> String {
            tags.map { space + $0.0 + choices.equals + $0.1 + ";" }.joined()
        }
        let (start, end) = (write(tags[..<before]) + space + "b=", ";" + write(tags[before...]).dropLast())
        let digest = SHA256Hasher.digest(Array((signedHeader + self.form("DKIM-Signature", start + end)).utf8))
        guard let octets = try? key.key.sign(digest: digest) else { fatalError("no signature") }
        var text = Base64.encode(octets)[...].text
        // § 2.8: one fold at a place; two would be a line of white space alone, which FWS has no room for.
        if choices.isRare(2) {
            let place = text.index(text.startIndex, offsetBy: choices.number(below: text.count))
            text.insert(contentsOf: "\r\n ", at: place)
        }
        fields.insert(("DKIM-Signature", start + text + end), at: 0)
    }

    /// The tags but those that are computed; a few of them make the signature worthless.
    private mutating func tags(
        _ choices: inout Choices,
        _ selector: String,
        _ algorithm: String
    ) -> [(String, String)] {
        var tags = [("v", "1"), ("a", algorithm), ("d", "example.com"), ("s", selector)]
        let words = [isHeaderRelaxed, isBodyRelaxed].map { $0 ? "relaxed" : "simple" }
        // § 3.5: the second half is simple when it is absent, and so is the whole.
        if isHeaderRelaxed || isBodyRelaxed || choices.isRare(2) {
            tags.append(("c", isBodyRelaxed || choices.isRare(2) ? words.joined(separator: "/") : words[0]))
        }
        if let length { tags.append(("l", "\(length)")) }
        switch choices.number(below: 16) {
        case 0: tags.append(("i", choices.one(of: ["@example.com", "a@sub.example.com", "=41@Example.COM"])))
        case 1: tags.append(("t", "\(Keys.now)"))
        case 2: tags.append(("x", "\(Keys.now + 1000)"))
        case 3: tags.append(("q", choices.one(of: ["dns/txt", "http/x:dns/txt"])))
        case 4: tags.append(("z", "From:a|Subject:b"))
        case 5: tags.append(("unknown", "1"))
        case 6: spoil(&tags, ("i", "@example.org"), "i= outside d=")
        case 7: spoil(&tags, ("x", "\(Keys.now + -1000)"), "expired")
        case 8: spoil(&tags, ("q", "http/x"), "no known q=")
        case 9: spoil(&tags, ("s", "other"), "two selectors")
        case 10: spoil(&tags, ("l", "1x"), "malformed l=")
        default: break
        }
        return tags
    }

    private mutating func spoil(_ tags: inout [(String, String)], _ tag: (String, String), _ flaw: String) {
        tags.append(tag)
        self.flaw = flaw
    }
}

extension Choices {
    /// § 3.2: white space may surround the equals sign.
    fileprivate var equals: String { isEmpty ? "=" : " = " }
}

// MARK: On the way

extension SignedMessage {
    /// Changes what a relay may change, and sometimes more.
    mutating func travel(_ choices: inout Choices) {
        switch choices.number(below: 8) {
        case 0: fields.insert(("X-Relay", " 1"), at: 0)
        case 1 where isBodyRelaxed: body = body.replacing("\r\n", with: " \t\r\n")
        case 1: body += "\r\n\r\n"
        case 2 where isHeaderRelaxed:
            for index in fields.indices.dropFirst() { fields[index].value = "\r\n\t" + fields[index].value + " " }
        case 3: change("body") { $0.body = "x" + $0.body }
        case 4: change("field") { $0.fields[$0.fields.lastIndex { $0.name == "From" } ?? 0].value += "x" }
        case 5: change("field below") { $0.fields.append(("From", " b@example.org")) }
        case 6: change("tag") { $0.fields[0].value += "; y=1" }
        default: break
        }
    }

    private mutating func change(_ what: String, _ body: (inout SignedMessage) -> Void) {
        body(&self)
        flaw = flaw ?? "changed " + what
    }
}
