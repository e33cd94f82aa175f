import DKIM
import DNSLookup
import MailAuthentication
import MailCrypto
import MailSyntax
import Policy
import PosternConfiguration

/// A domain that does everything right, and mail from it.
enum Sample {
    static let now: UnixTime = 1_700_000_000
    static let client = IPAddress("192.0.2.1")
    static let key = Result { try PrivateKey.generate(.ed25519, bits: 0) }

    /// The records of the domain, and more or other ones: `name TYPE value` each.
    static func zone(_ more: String..., without types: [String] = []) throws -> DNSZone {
        let signing = try signingKey()
        let all =
            [
                "example.com TXT v=spf1 ip4:192.0.2.1 -all",
                "mail.example.com TXT v=spf1 a -all",
                "mail.example.com A 192.0.2.1",
                "1.2.0.192.in-addr.arpa PTR mail.example.com",
                "_dmarc.example.com TXT v=DMARC1; p=reject",
                "s._domainkey.example.com TXT \(try signing.recordText())",
            ].filter { line in !types.contains { line.hasPrefix($0) } } + more
        var zone = DNSZone()
        for line in all { try zone.add(line) }
        return zone
    }

    static func signingKey() throws -> DKIMSigningKey {
        try DKIMSigningKey(domain: DomainName("example.com"), selector: DomainName("s"), key: key.get())
    }

    static let body = "Hello\r\n"

    /// A message with these fields and `body`, signed by the domain above all of them.
    static func signed(_ fields: [String]) throws -> [String] {
        var headers = HeaderBlock()
        for field in fields { headers.append(field) }
        var signer = DKIMMessageSigner(keys: [try signingKey()], now: now)
        signer.endOfHeaders(headers)
        unsafe Array(body.utf8).withUnsafeBytes { unsafe signer.body($0) }
        return try signer.finish().map { "DKIM-Signature:" + $0[...].text } + fields
    }

    /// What is found of a message of the domain that has signatures with these results.
    static func assessment(signatures: [DKIMResult]) async throws -> MailAssessment {
        var assessment = try await judge(try signed(["From: a@example.com"]), try zone()).assessment
        assessment.dkim = assessment.dkim?.first.map { outcome in
            signatures.map { result in
                var copy = outcome
                copy.result = result
                return copy
            }
        }
        return assessment
    }

    static func envelope(sender: String = "a@example.com", client: IPAddress? = client) -> Envelope {
        Envelope(
            clientAddress: client,
            helo: Array("mail.example.com".utf8),
            sender: Array(sender.utf8),
            recipients: [Array("b@example.net".utf8)]
        )
    }

    /// Judges a message with these fields by rules as the configuration writes them.
    static func judge(
        _ fields: [String]? = nil,
        message: StoredMessage? = nil,
        _ zone: DNSZone,
        envelope: Envelope = envelope(),
        checks: PerCheck<Bool> = AuthenticationSettings().checks,
        rules: String = "",
        maximumHeaderOctets: Int = .max,
        change: (inout HeaderSettings) -> Void = { _ in }
    ) async throws -> Judgement {
        var settings = AuthenticationSettings()
        settings.checks = checks
        let configuration = try Configuration.parse("mode = \"enforce\"\n" + rules, file: "postern.toml")
        settings.verifiesLists = configuration.rules.verifiesLists
        settings.permits = configuration.rules.permits
        var headers = HeaderSettings(authservID: Octets("mx.example.org"))
        change(&headers)
        let judge = MessageJudge(
            settings: settings,
            headers: headers,
            engine: PolicyEngine(
                rules: configuration.rules,
                forwarders: configuration.forwarders,
                mode: configuration.mode
            ),
            resolver: zone,
            timeout: .seconds(60),
            maximumHeaderOctets: maximumHeaderOctets
        )
        let message = message ?? fields.map { StoredMessage(Octets($0.joined(separator: "\r\n") + "\r\n\r\n" + body)) }
        return await judge.judge(envelope, message: message, now: now)
    }
}

extension DNSZone {
    /// Adds a record that is written as `name TYPE value`.
    mutating func add(_ line: String) throws {
        let parts = line.split(separator: " ", maxSplits: 2).map(String.init)
        let name = try DomainName(parts[0])
        switch parts[1] {
        case "TXT": add(.txt(Array(parts[2].utf8)), at: name)
        case "PTR": add(.ptr(try DomainName(parts[2])), at: name)
        case "FAILURE": add(failure: .timeout, at: name)
        default: if case .v4(let address)? = IPAddress(parts[2]) { add(.a(address), at: name) }
        }
    }
}

extension HeaderBlock {
    /// Adds a field as it stands in a message.
    mutating func append(_ field: String) {
        let name = field.utf8.prefix { $0 != UInt8(ascii: ":") }
        append(name: name, value: field.utf8.dropFirst(name.count + 1))
    }
}

extension MailTransaction {
    /// Passes a field as it stands in a message.
    func header(_ field: String) {
        let octets = Octets(field)
        let name = octets.prefix { $0 != UInt8(ascii: ":") }
        header(name: name, value: octets.dropFirst(name.count + 1))
    }

    /// Passes the rest of a message whose fields have passed.
    func end() {
        endOfHeaders()
        unsafe Array(Sample.body.utf8).withUnsafeBytes { unsafe body($0) }
        endOfBody()
    }

    /// The assessment, when nothing has to be waited for.
    var assessment: MailAssessment? {
        if case .complete(let assessment) = advance() { assessment } else { nil }
    }
}
