internal import MailSyntax
internal import Policy

/// A judgement as the JSON object that `postern check --format json` prints.
///
/// Keys are in snake case, as in postern(1); results of checks that were not made are absent.
public struct JudgementReport: Encodable, Sendable {
    /// The relay of our own, and the client that it names.
    struct PassedOn: Encodable, Sendable {
        var ip: String
        var state: String
        var client: String?
        var helo: String?
        var problem: String?
    }

    struct Author: Encodable, Sendable {
        var domains: [String]
        var count: Int
        var reading: String
    }

    struct Verdict: Encodable, Sendable {
        var action: String
        var would: String?
        var relayed: String?
        var stage: String?
        var rule: String?
        var location: String?
        var reply: String?
        var marks: [String]?
        var exempted: [String]?
        var excused: String?
        var observed: [String]?
        var undecided: [String]?
        var recipients: [Recipients]?
    }

    /// The rules' decision for some recipients.
    struct Recipients: Encodable, Sendable {
        var addresses: [String]
        var action: String
        var stage: String
        var rule: String?
        var location: String?
        var reply: String?
    }

    struct Header: Encodable, Sendable {
        var name: String
        var value: String
    }

    struct RemovedHeader: Encodable, Sendable {
        var name: String
        var index: Int
    }

    var id: String?
    var relay: PassedOn?
    var author: Author?
    var checks: [(check: Check, findings: [any CheckFinding])]
    var verdict: Verdict
    var obstacle: String?
    var headers: [Header]
    var removedHeaders: [RemovedHeader]

    /// The report of a judgement.
    ///
    /// - Parameters:
    ///   - judgement: the results and the decision.
    ///   - id: the name of the message in a batch.
    ///   - withTrace: whether to include the steps of each check.
    public init(_ judgement: Judgement, id: String? = nil, withTrace: Bool = false) {
        let assessment = judgement.assessment
        self.id = id
        relay = judgement.envelope.relay.map { PassedOn($0, judgement.envelope) }
        author = assessment.author.map { author in
            Author(
                domains: author.domains.map(\.description),
                count: author.fromCount,
                reading: author.reading.rawValue
            )
        }
        checks = Check.allCases.compactMap { check in
            assessment.findings(of: check, withTrace: withTrace).map { (check, $0) }
        }
        verdict = Verdict(judgement.verdict, judgement.envelope)
        obstacle = judgement.review?.obstacle?.rawValue
        headers = judgement.newFields.map { Header(name: $0.name, value: $0.value[...].text) }
        removedHeaders = judgement.removedFields.map { RemovedHeader(name: $0.name.text, index: $0.index) }
    }
}

extension JudgementReport {
    private struct Key: CodingKey, ExpressibleByStringLiteral {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init(stringLiteral name: String) { stringValue = name }
        init?(intValue: Int) { nil }
    }

    /// Writes the object, with the findings of each check under the name of the check.
    public func encode(to encoder: any Encoder) throws {
        var object = encoder.container(keyedBy: Key.self)
        try object.encodeIfPresent(id, forKey: "id")
        try object.encodeIfPresent(relay, forKey: "relay")
        try object.encodeIfPresent(author, forKey: "author")
        for (check, findings) in checks {
            let key = Key(stringValue: check.rawValue)
            if check.findsSeveral {
                var list = object.nestedUnkeyedContainer(forKey: key)
                for finding in findings { try list.encode(finding) }
            } else {
                for finding in findings { try object.encode(finding, forKey: key) }
            }
        }
        try object.encode(verdict, forKey: "verdict")
        try object.encodeIfPresent(obstacle, forKey: "obstacle")
        try object.encode(headers, forKey: "headers")
        try object.encode(removedHeaders, forKey: "removedHeaders")
    }
}

extension JudgementReport.PassedOn {
    fileprivate init(_ relay: Relay, _ envelope: Envelope) {
        self.init(
            ip: relay.address.description,
            state: relay.state.rawValue,
            client: envelope.clientAddress?.description,
            helo: envelope.helo.isEmpty ? nil : envelope.helo[...].text,
            problem: relay.problem
        )
    }
}

extension JudgementReport.Verdict {
    fileprivate init(_ verdict: PolicyVerdict, _ envelope: Envelope) {
        let rule = verdict.rule ?? verdict.would?.rule
        self.init(
            action: verdict.action.rawValue,
            would: verdict.would?.action.rawValue,
            relayed: verdict.relayed?.rawValue,
            stage: rule == nil ? nil : (verdict.would?.stage ?? verdict.stage).rawValue,
            rule: rule?.name,
            location: rule?.location.description,
            reply: (verdict.reply ?? verdict.would?.reply)?.description,
            marks: verdict.marks.isEmpty ? nil : verdict.marks.map(\.name),
            exempted: verdict.exempted.isEmpty ? nil : verdict.exempted.map(\.name),
            excused: verdict.excuse?.description,
            observed: verdict.observed.isEmpty ? nil : verdict.observed.map(\.rule.name),
            undecided: verdict.undecided.isEmpty ? nil : verdict.undecided.map(\.description),
            recipients: verdict.mixture?.outcomes.map { JudgementReport.Recipients($0, envelope) }
        )
    }
}

extension JudgementReport.Recipients {
    fileprivate init(_ outcome: RecipientOutcome, _ envelope: Envelope) {
        let places = outcome.recipients.filter(envelope.recipients.indices.contains)
        self.init(
            addresses: places.map { envelope.recipients[$0][...].text },
            action: outcome.action.rawValue,
            stage: outcome.stage.rawValue,
            rule: outcome.rule?.name,
            location: outcome.rule?.location.description,
            reply: outcome.reply?.description
        )
    }
}
