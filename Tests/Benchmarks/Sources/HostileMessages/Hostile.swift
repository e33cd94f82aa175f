import DNSLookup
import MailAuthentication
import MailSyntax
import Policy
import PosternConfiguration

/// A message that is made to cost much, and the records that its sender publishes.
struct Hostile {
    var client = "192.0.2.25"
    var helo = "mail.example.com"
    var sender = "bounce@example.com"
    var recipients = 1
    var fields: [(name: String, value: [UInt8])] = []
    var body: [UInt8] = Array("Hello\r\n".utf8)
    var zone = DNSZone()
    /// Whether the answers are known already when the message comes.
    var areAnswersAtHand = true
    /// Whether the same message has been judged before, so that its answers are read already.
    var isWarm = false
    /// Whether ARC is checked.
    var isChainChecked = false

    /// How many octets the message has.
    var trueOctetCount: Int { fields.reduce(body.count) { $0 + $1.name.utf8.count + $1.value.count + 3 } }

    /// How many octets the message counts as: each command and field for 512 at least.
    var octetCount: Int {
        let commands = [helo.utf8.count, sender.utf8.count] + Array(repeating: 30, count: recipients)
        let fields = fields.map { $0.name.utf8.count + $0.value.count + 3 }
        return (commands + fields).reduce(body.count) { $0 + max(512, $1) }
    }
}

/// A message by its name, made when it is wanted.
struct HostileMaker {
    let name: String
    let make: () throws -> Hostile

    init(_ name: String, _ make: @escaping () throws -> Hostile) {
        self.name = name
        self.make = make
    }

    /// Every message, the ordinary one first.
    static var all: [HostileMaker] {
        [HostileMaker("ordinary", Hostile.ordinary)] + Hostile.signatures + Hostile.chains + Hostile.headers
            + Hostile.records
    }
}

/// What the cost of a case is held against.
struct CaseSize {
    let octets: Int
    let answerOctets: Int
    let queries: Int
    let recipients: Int
    /// What was found, so that a case that stops doing what it is there for is seen.
    let found: String
}

extension Hostile {
    /// How many octets the filter takes from a connection before others have their turn.
    private static let octetsRead = 65_536

    /// Judges the message as the daemon does, event by event.
    func run() throws -> CaseSize {
        let answers = Answers(zone, areAtHand: areAnswersAtHand)
        if isWarm { _ = try run(answers) { $0() } }
        return try run(answers) { judge in
            wholeMessage {
                judge()
                lastPhase {}
            }
        }
    }

    private func run(_ answers: Answers, _ count: (() -> Void) -> Void) throws -> CaseSize {
        answers.reset()
        let configuration = try Configuration.parse(Self.rules, file: "postern.toml")
        let engine = PolicyEngine(rules: configuration.rules, mode: .enforce)
        var envelope = Envelope(
            clientAddress: IPAddress(client),
            helo: Array(helo.utf8),
            sender: Array(sender.utf8)
        )
        var found = ""
        count {
            guard let transaction = begin(envelope, answers) else { return }
            Phases.pieceOfRecipients {
                for number in 0..<recipients {
                    let mailbox = Array("user\(number)@example.org".utf8)
                    envelope.recipients.append(mailbox)
                    let address = MailAddress(mailbox[...])
                    let facts = transaction.envelopeAssessment.facts(envelope)
                    _ = engine.atRecipient(facts, address, engine.kind(of: address))
                }
            }
            feed(transaction)
            found = end(transaction, answers, engine, envelope)
        }
        return CaseSize(
            octets: isWarm ? trueOctetCount : octetCount,
            answerOctets: answers.octets,
            queries: answers.queries,
            recipients: recipients,
            found: found
        )
    }

    private func begin(_ envelope: Envelope, _ answers: Answers) -> MailTransaction? {
        var transaction: MailTransaction?
        var settings = AuthenticationSettings()
        settings.checks.arc = isChainChecked
        Phases.pieceOfEnvelope {
            let client = MailClient(
                address: envelope.clientAddress,
                settings: settings,
                resolver: answers,
                executor: answers
            )
            client.greet(envelope.helo, now: Self.now)
            transaction = MailTransaction(client: client, sender: envelope.sender, resolver: answers, now: Self.now)
        }
        return transaction
    }

    private func feed(_ transaction: MailTransaction) {
        var index = 0
        while index < fields.count {
            Phases.pieceOfFields {
                var octets = 0
                while index < fields.count, octets < Self.octetsRead {
                    let field = fields[index]
                    unsafe Array(field.name.utf8).withUnsafeBytes { name in
                        unsafe field.value.withUnsafeBytes { unsafe transaction.header(name: name, value: $0) }
                    }
                    octets += field.name.utf8.count + field.value.count + 7
                    index += 1
                }
            }
        }
        Phases.pieceOfHeader { transaction.endOfHeaders() }
        unsafe body.withUnsafeBytes { body in
            for start in stride(from: 0, to: body.count, by: 65_535) {
                let end = min(start + 65_535, body.count)
                Phases.pieceOfBody { unsafe transaction.body(UnsafeRawBufferPointer(rebasing: body[start..<end])) }
            }
        }
    }

    private func end(
        _ transaction: MailTransaction,
        _ answers: Answers,
        _ engine: PolicyEngine,
        _ envelope: Envelope
    ) -> String {
        var found: String?
        var isEnded = false
        while found == nil {
            var assessment: MailAssessment?
            Phases.pieceOfJoining {
                if !isEnded { transaction.endOfBody() }
                isEnded = true
                if case .complete(let complete) = transaction.advance() { assessment = complete }
            }
            guard let assessment else {
                guard let answer = answers.next() else { break }
                Phases.pieceOfAnswer { answer() }
                continue
            }
            Phases.pieceOfEnd {
                let settings = HeaderSettings(authservID: Octets("mx.example.org"))
                let judgement = Judgement(
                    assessment,
                    envelope: envelope,
                    verdict: engine.atEndOfMessage(assessment.facts(envelope), engine.kinds(of: envelope.addresses)),
                    headers: transaction.headers,
                    review: HeaderReview(ForgedFields(transaction.headers, settings)),
                    settings: settings,
                    lookups: transaction.lookups
                )
                found = Self.found(judgement)
            }
        }
        return found ?? "nothing"
    }

    private static func found(_ judgement: Judgement) -> String {
        let summary = judgement.summary
        let results = [
            ("spf", summary.results.spf), ("sid", summary.results.senderID), ("dkim", summary.results.dkim),
            ("dmarc", summary.results.dmarc),
        ]
        let words = results.map { "\($0)=\($1?.rawValue ?? "-")" }.joined(separator: " ")
        let signatures = judgement.assessment.dkim?.count ?? 0
        let chain = summary.results.arc.map { " arc=\($0.rawValue)" } ?? ""
        return words + chain + " signatures=\(signatures) removed=\(judgement.removedFields.count)"
    }

    static let now: UnixTime = 1_760_000_000

    /// Rules that look at everything.
    private static let rules = """
        [[rules]]
        name = "strict"
        when = { spf = "fail", recipient_domains = ["strict.example"] }
        action = "reject"

        [[rules]]
        name = "forged"
        when = { dmarc = "fail", dkim_aligned = "!pass", from_domains = [".bank.example"] }
        action = "junk"
        """
}
