internal import DKIM
internal import DMARC
internal import Glibc
internal import Logging
internal import MailAuthentication
internal import MailEvents
internal import MailSyntax
internal import Policy
internal import PosternConfiguration
internal import PosternSetup

/// Writes one line for each message.
struct MessageLog: Sendable {
    let sink: LogSink
    let format: Configuration.Log.Format
    /// Whether lines about messages are logged: their level is "info".
    let isEnabled: Bool

    /// Writes a line.
    func write(_ line: @autoclosure () -> LogLine) {
        guard isEnabled else { return }
        let line = line()
        sink.write(format == .json ? line.json(at: Clock.now) : line.text, severity: 6)
    }
}

extension MessageLog {
    /// A log with these settings.
    init(_ settings: Configuration.Log) {
        let code = SyslogSocket.facilities[settings.facility.rawValue] ?? 2
        let syslog =
            settings.destination == .stderr
            ? nil : SyslogSocket(path: settings.socket, facility: code, identity: "postern")
        let standardError = LineStream(descriptor: STDERR_FILENO)
        sink =
            settings.destination == .syslog
            ? LogSink(
                syslog: syslog,
                standardError: nil,
                substitute: SyslogSubstitute(standardError, format: settings.format)
            )
            : LogSink(syslog: syslog, standardError: standardError)
        format = settings.format
        isEnabled = settings.level == .debug || settings.level == .info
    }
}

/// The data about a message besides its judgement.
struct Delivery: Sendable {
    /// The MTA's queue ID; nil when it has none yet.
    let queueID: [UInt8]?
    /// The verdicts on recipients that were refused before DATA.
    let refused: [PolicyVerdict]
    /// The first of these recipients.
    var refusedRecipient: [UInt8]?
    /// How many recipients were told to come in another transaction.
    var sentAway = 0
    /// How many milliseconds the MTA had to wait.
    let milliseconds: Int
    /// The reason why the message would be refused regardless of the rules, if the rules are only observed.
    var problem: String?
    /// What came of the seal; nil where the message is not sealed.
    var sealing: OutgoingSeal.Outcome?
}

extension LogLine {
    /// The value in place of a missing queue ID.
    static let noQueueID = Array("NOQUEUE".utf8)

    /// The line about a judged message.
    init(_ judgement: Judgement, _ delivery: Delivery) {
        self.init(subject: delivery.queueID ?? Self.noQueueID)
        let verdict = judgement.verdict
        let found = judgement.summary
        let lookups = judgement.lookupCounts
        add(.action, verdict.action.rawValue)
        // Where the rules act, the action itself tells what an obstacle makes of the message.
        let obstacle = verdict.action == .accept ? judgement.review?.action : nil
        add(.would, (obstacle ?? verdict.would?.action)?.rawValue)
        add(.relayed, verdict.relayed?.rawValue)
        add(.rule, (verdict.rule ?? verdict.would?.rule)?.name)
        let hasDecided = verdict.rule != nil || verdict.would != nil
        add(.stage, hasDecided ? (verdict.would?.stage ?? verdict.stage).rawValue : nil)
        // A message without any accepted recipient counts as one refusal, not as several.
        let isRefused = (verdict.would?.action ?? verdict.action).isRefusal
        addEnvelope(judgement.envelope, isRefused: isRefused, delivery, countsRefused: verdict.stage != .rcpt)
        add(.sentAway, delivery.sentAway > 0 ? delivery.sentAway : nil)
        for check in Check.allCases { add(check, found, judgement.assessment) }
        if let sealing = delivery.sealing { add(sealing) }
        add(.dns) { text in
            text.append(String(lookups.all))
            text.append(UInt8(ascii: "/"))
            text.append(String(lookups.cached))
        }
        add(.ms, delivery.milliseconds)
        addRemarks(verdict)
        add(.problem, delivery.problem ?? judgement.envelope.relay?.problem ?? found.problem)
        add(.removed, judgement.removedFields.isEmpty ? nil : judgement.removedFields.count)
    }

    /// The line about a message that was not judged.
    init(
        unjudged action: String,
        would: String?,
        problem: String,
        removed: Int,
        envelope: Envelope,
        _ delivery: Delivery
    ) {
        self.init(subject: delivery.queueID ?? Self.noQueueID)
        add(.action, action)
        add(.would, would)
        addEnvelope(envelope, isRefused: (would ?? action) != "accept", delivery)
        add(.ms, delivery.milliseconds)
        add(.problem, problem)
        add(.removed, removed == 0 ? nil : removed)
    }

    /// The line about a message of our own; `removed` is the number of its forged fields.
    init(
        _ outcome: OutgoingMessage.Outcome?,
        envelope: Envelope,
        from source: SignedMessage.Source,
        removed: Int,
        _ delivery: Delivery
    ) {
        self.init(subject: delivery.queueID ?? Self.noQueueID)
        add(.action, outcome?.signatures.isEmpty == false ? "sign" : "accept")
        addEnvelope(envelope, isRefused: false, delivery)
        add(.trusted, source.trust?.rawValue)
        add(.login, octets: source.trust == .login ? source.login : nil)
        add(.signed, outcome.flatMap { $0.keys.isEmpty ? nil : $0.keys.joined(separator: ",") })
        add(.unsigned, outcome?.problem)
        add(.ms, delivery.milliseconds)
        add(.removed, removed == 0 ? nil : removed)
        add(.warning, outcome.flatMap { $0.warnings.isEmpty ? nil : $0.warnings.joined(separator: ", ") })
    }

    /// Adds the result of a check, and its subject.
    private mutating func add(_ check: Check, _ found: AssessmentSummary, _ assessment: MailAssessment) {
        add(check, found.results[check])
        switch check {
        case .spf, .spfHelo, .iprev: break
        case .dkim:
            let signature = assessment.bestSignature
            add(.dkimDomain, signature?.domain)
            add(.dkimSelector, signature?.selector)
        case .senderID:
            add(.pra, found.pra)
            addAuthor(found)
        case .dmarc:
            let aligned = assessment.dmarc?.aligned ?? []
            add(.aligned, aligned.isEmpty ? nil : aligned.map(\.rawValue).joined(separator: ","))
            add(.policy, found.policy)
            add(.published, found.publishedPolicy)
        case .arc: add(.arcSealer, found.sealer)
        }
    }

    private mutating func add(_ sealing: OutgoingSeal.Outcome) {
        add(.sealed, sealing.seal.map { "\($0.domain)/\($0.selector)" })
        add(.sealInstance, sealing.seal?.instance)
        add(.sealStatus, sealing.seal?.status)
        add(.unsealed, sealing.problem)
    }

    private mutating func addEnvelope(
        _ envelope: Envelope,
        isRefused: Bool,
        _ delivery: Delivery,
        countsRefused: Bool = true
    ) {
        addClient(envelope)
        add(.from) { text in
            text.append(UInt8(ascii: "<"))
            text += envelope.sender
            text.append(UInt8(ascii: ">"))
        }
        add(.rcpts, envelope.recipients.count)
        add(.rcpt, octets: delivery.refusedRecipient ?? (isRefused ? envelope.recipients.first : nil))
        guard countsRefused, let first = delivery.refused.first, !envelope.recipients.isEmpty else { return }
        add(.refused, delivery.refused.count)
        add(.refusedBy, first.rule?.name)
    }

    private mutating func addClient(_ envelope: Envelope) {
        if let relay = envelope.relay {
            add(.client, envelope.clientAddress?.description)
            add(.relay, relay.address.description)
            add(.helo, octets: envelope.helo.isEmpty ? nil : envelope.helo)
        } else {
            add(.client, envelope.clientAddress?.description ?? "local")
            add(.helo, octets: envelope.helo)
        }
    }

    /// Adds the author, and how From was read if it is not a list of addresses.
    private mutating func addAuthor(_ found: AssessmentSummary) {
        guard let authors = found.authors else { return }
        if !authors.isEmpty { add(.author, authors.map(\.description).joined(separator: ",")) }
        if found.reading != .readable { add(.reading, found.reading?.rawValue) }
    }

    /// Adds the other remarks of the rules.
    private mutating func addRemarks(_ verdict: PolicyVerdict) {
        func names(_ rules: [RuleReference]) -> String? {
            rules.isEmpty ? nil : rules.map(\.name).joined(separator: ",")
        }
        add(.marks, names(verdict.marks))
        add(.exempted, names(verdict.exempted))
        if !verdict.observed.isEmpty {
            add(.trial, verdict.observed.map { "\($0.rule.name):\($0.action.rawValue)" }.joined(separator: ","))
        }
        add(.excused, verdict.excuse?.description)
        if !verdict.undecided.isEmpty {
            add(.undecided, verdict.undecided.map(\.description).joined(separator: ","))
        }
        add(.mixed, verdict.mixture?.description)
    }
}
