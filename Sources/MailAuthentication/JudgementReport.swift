internal import DKIM
internal import DMARC
internal import DNSLookup
internal import MailSyntax
internal import Policy
internal import ReverseDNS
internal import SPF
internal import SenderID

/// A judgement as the JSON object that `postern check --format json` prints.
///
/// Keys are in snake case, as in postern(1); results of checks that were not made are absent.
public struct JudgementReport: Encodable, Sendable {
    struct SPF: Encodable, Sendable {
        var scope: String
        var domain: String?
        var result: String
        var mechanism: String?
        var explanation: String?
        var problem: String?
        var lookups: Int
        var voidLookups: Int
        var trace: [String]?
    }

    struct Author: Encodable, Sendable {
        var domains: [String]
        var count: Int
        var reading: String
    }

    struct SenderID: Encodable, Sendable {
        var result: String
        var pra: String?
        var header: String?
        var domain: String?
        var record: String?
        var mechanism: String?
        var explanation: String?
        var problem: String?
        var trace: [String]?
    }

    struct DKIM: Encodable, Sendable {
        var result: String
        var domain: String?
        var selector: String?
        var identity: String?
        var algorithm: String?
        var keyBits: Int?
        var testing: Bool
        var problem: String?
        var trace: [String]?
    }

    struct DMARC: Encodable, Sendable {
        var result: String
        var fromDomain: String?
        var policyDomain: String?
        var organizationalDomain: String?
        var policy: String?
        var effectivePolicy: String?
        var aligned: [String]
        var problem: String?
        var trace: [String]?
    }

    struct ReverseName: Encodable, Sendable {
        var result: String
        var name: String?
    }

    struct Verdict: Encodable, Sendable {
        var action: String
        var would: String?
        var stage: String?
        var rule: String?
        var location: String?
        var reply: String?
        var marks: [String]?
        var exempted: [String]?
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
    var author: Author?
    var spf: [SPF]?
    var senderID: SenderID?
    var dkim: [DKIM]?
    var dmarc: DMARC?
    var iprev: ReverseName?
    var verdict: Verdict
    var obstacle: String?
    var headers: [Header]
    var removedHeaders: [RemovedHeader]

    private enum CodingKeys: String, CodingKey {
        case id, author, spf, dkim, dmarc, iprev, verdict, obstacle, headers
        case senderID = "senderId"
        case removedHeaders
    }

    /// The report of a judgement.
    ///
    /// - Parameters:
    ///   - judgement: the results and the decision.
    ///   - id: the name of the message in a batch.
    ///   - withTrace: whether to include the steps of each check.
    public init(_ judgement: Judgement, id: String? = nil, withTrace: Bool = false) {
        let assessment = judgement.assessment
        self.id = id
        author = assessment.author.map { author in
            Author(
                domains: author.domains.map(\.description),
                count: author.fromCount,
                reading: author.reading.rawValue
            )
        }
        let identities = [assessment.spf, assessment.helo].compactMap { $0 }
        spf = identities.isEmpty ? nil : identities.map { SPF($0, withTrace) }
        senderID = assessment.senderID.map { SenderID($0, withTrace) }
        dkim = assessment.dkim?.map { DKIM($0, withTrace) }
        dmarc = assessment.dmarc.map { DMARC($0, withTrace) }
        iprev = assessment.iprev.map { ReverseName(result: $0.result.rawValue, name: $0.names.first?.description) }
        verdict = Verdict(judgement.verdict, judgement.envelope)
        obstacle = judgement.obstacle?.rawValue
        headers = judgement.newFields.map { Header(name: $0.name, value: $0.value[...].text) }
        removedHeaders = judgement.removedFields.map { RemovedHeader(name: $0.name.text, index: $0.index) }
    }
}

extension JudgementReport.SPF {
    fileprivate init(_ outcome: SPFOutcome, _ withTrace: Bool) {
        self.init(
            scope: outcome.scope.rawValue,
            domain: outcome.domain,
            result: outcome.result.rawValue,
            mechanism: outcome.mechanism,
            explanation: outcome.explanation,
            problem: outcome.problem,
            lookups: outcome.lookups,
            voidLookups: outcome.voidLookups,
            trace: withTrace ? outcome.trace.map(\.description) : nil
        )
    }
}

extension JudgementReport.SenderID {
    fileprivate init(_ outcome: SenderIDOutcome, _ withTrace: Bool) {
        self.init(
            result: outcome.result.rawValue,
            pra: outcome.pra,
            header: outcome.header,
            domain: outcome.domain,
            record: outcome.record,
            mechanism: outcome.mechanism,
            explanation: outcome.explanation,
            problem: outcome.problem,
            trace: withTrace ? outcome.trace.map(\.description) : nil
        )
    }
}

extension JudgementReport.DKIM {
    fileprivate init(_ outcome: DKIMOutcome, _ withTrace: Bool) {
        self.init(
            result: outcome.result.rawValue,
            domain: outcome.domain,
            selector: outcome.selector,
            identity: outcome.identity,
            algorithm: outcome.algorithm,
            keyBits: outcome.keyBits,
            testing: outcome.testing,
            problem: outcome.problem,
            trace: withTrace ? outcome.trace : nil
        )
    }
}

extension JudgementReport.DMARC {
    fileprivate init(_ outcome: DMARCOutcome, _ withTrace: Bool) {
        self.init(
            result: outcome.result.rawValue,
            fromDomain: outcome.fromDomain?.description,
            policyDomain: outcome.policyDomain?.description,
            organizationalDomain: outcome.organizationalDomain?.description,
            policy: outcome.policy?.rawValue,
            effectivePolicy: outcome.effectivePolicy?.rawValue,
            aligned: outcome.aligned.map(\.rawValue),
            problem: outcome.problem?.description,
            trace: withTrace ? outcome.steps : nil
        )
    }
}

extension JudgementReport.Verdict {
    fileprivate init(_ verdict: PolicyVerdict, _ envelope: Envelope) {
        let rule = verdict.rule ?? verdict.would?.rule
        self.init(
            action: verdict.action.rawValue,
            would: verdict.would?.action.rawValue,
            stage: rule == nil ? nil : (verdict.would?.stage ?? verdict.stage).rawValue,
            rule: rule?.name,
            location: rule?.location.description,
            reply: (verdict.reply ?? verdict.would?.reply)?.description,
            marks: verdict.marks.isEmpty ? nil : verdict.marks.map(\.name),
            exempted: verdict.exempted.isEmpty ? nil : verdict.exempted.map(\.name),
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
