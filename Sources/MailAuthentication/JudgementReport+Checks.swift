internal import ARC
internal import DKIM
internal import DMARC
internal import MailSyntax
internal import Policy
internal import ReverseDNS
internal import SPF
internal import SenderID

/// A result of a check, or of a check of one identity or signature: an object in JSON and a line of text.
protocol CheckFinding: Encodable, Sendable {
    /// The beginning of the line.
    var title: String { get }
    /// The result word.
    var result: String { get }
    /// The details beside the result in the line, as far as they are known.
    var details: [String?] { get }
    /// The steps; nil if they are not wanted.
    var trace: [String]? { get }
}

extension MailAssessment {
    /// The findings of a check; nil if the check was not made.
    func findings(of check: Check, withTrace: Bool) -> [any CheckFinding]? {
        switch check {
        case .spf:
            let identities = [spf, helo].compactMap { $0 }
            return identities.isEmpty ? nil : identities.map { JudgementReport.SPF($0, withTrace) }
        // The findings of SPF have both identities.
        case .spfHelo: return nil
        case .senderID: return senderID.map { [JudgementReport.SenderID($0, withTrace)] }
        case .dkim: return dkim?.map { JudgementReport.DKIM($0, withTrace) }
        case .dmarc: return dmarc.map { [JudgementReport.DMARC($0, withTrace)] }
        case .arc: return arc.map { [JudgementReport.ARC($0, withTrace)] }
        case .iprev: return iprev.map { [JudgementReport.ReverseName($0)] }
        }
    }
}

extension Check {
    /// Whether the findings of the check are a list in JSON.
    var findsSeveral: Bool {
        switch self {
        case .spf, .spfHelo, .dkim: true
        case .senderID, .dmarc, .arc, .iprev: false
        }
    }
}

extension JudgementReport {
    struct SPF: CheckFinding {
        var scope: String
        var domain: String?
        var result: String
        var mechanism: String?
        var explanation: String?
        var problem: String?
        var lookups: Int
        var voidLookups: Int
        var trace: [String]?

        init(_ outcome: SPFOutcome, _ withTrace: Bool) {
            scope = outcome.scope.rawValue
            domain = outcome.domain
            result = outcome.result.rawValue
            mechanism = outcome.mechanism
            explanation = outcome.explanation
            problem = outcome.problem
            lookups = outcome.lookups
            voidLookups = outcome.voidLookups
            trace = withTrace ? outcome.trace.map(\.description) : nil
        }

        var title: String { scope == SPFScope.helo.rawValue ? "spf (helo)" : "spf" }

        var details: [String?] {
            let terms = lookups == 1 ? "term" : "terms"
            return [domain, mechanism, problem, "\(lookups) \(terms) with lookups, \(voidLookups) void"]
        }
    }

    struct SenderID: CheckFinding {
        var result: String
        var pra: String?
        var header: String?
        var domain: String?
        var record: String?
        var mechanism: String?
        var explanation: String?
        var problem: String?
        var trace: [String]?

        init(_ outcome: SenderIDOutcome, _ withTrace: Bool) {
            result = outcome.result.rawValue
            pra = outcome.pra
            header = outcome.header
            domain = outcome.domain
            record = outcome.record
            mechanism = outcome.mechanism
            explanation = outcome.explanation
            problem = outcome.problem
            trace = withTrace ? outcome.trace.map(\.description) : nil
        }

        var title: String { "sender-id" }

        var details: [String?] {
            [pra.map { "PRA \($0) of \(header ?? "")" }, record.map { "record \($0)" }, mechanism, problem]
        }
    }

    struct DKIM: CheckFinding {
        var result: String
        var domain: String?
        var selector: String?
        var identity: String?
        var algorithm: String?
        var keyBits: Int?
        var testing: Bool
        var problem: String?
        var trace: [String]?

        init(_ outcome: DKIMOutcome, _ withTrace: Bool) {
            result = outcome.result.rawValue
            domain = outcome.domain
            selector = outcome.selector
            identity = outcome.identity
            algorithm = outcome.algorithm
            keyBits = outcome.keyBits
            testing = outcome.testing
            problem = outcome.problem
            trace = withTrace ? outcome.trace : nil
        }

        var title: String { "dkim" }

        var details: [String?] {
            let key = keyBits.map { "\(algorithm ?? "") \($0) bits" }
            return [domain.map { "d=\($0)" }, selector.map { "s=\($0)" }, key, problem]
        }
    }

    struct DMARC: CheckFinding {
        var result: String
        var fromDomain: String?
        var policyDomain: String?
        var organizationalDomain: String?
        var policy: String?
        var effectivePolicy: String?
        var aligned: [String]
        var problem: String?
        var trace: [String]?

        init(_ outcome: DMARCOutcome, _ withTrace: Bool) {
            result = outcome.result.rawValue
            fromDomain = outcome.fromDomain?.description
            policyDomain = outcome.policyDomain?.description
            organizationalDomain = outcome.organizationalDomain?.description
            policy = outcome.policy?.rawValue
            effectivePolicy = outcome.effectivePolicy?.rawValue
            aligned = outcome.aligned.map(\.rawValue)
            problem = outcome.problem?.description
            trace = withTrace ? outcome.steps : nil
        }

        var title: String { "dmarc" }

        var details: [String?] {
            [
                fromDomain.map { "From \($0)" }, policyText, policyDomain.map { "record of \($0)" },
                aligned.isEmpty ? nil : "aligned: " + aligned.joined(separator: ", "), problem,
            ]
        }

        /// The policy that applies, and the published policy if it differs.
        private var policyText: String? {
            guard let effectivePolicy, let policy else { return nil }
            return "policy \(effectivePolicy)" + (policy == effectivePolicy ? "" : ", published as \(policy) with t=y")
        }
    }

    struct ARC: CheckFinding {
        var result: String
        var instances: Int
        var sealer: String?
        var oldestPass: Int?
        var problem: String?
        var trace: [String]?

        init(_ outcome: ARCOutcome, _ withTrace: Bool) {
            result = outcome.result.rawValue
            instances = outcome.instances
            sealer = outcome.sealer?.description
            oldestPass = outcome.oldestPass
            problem = outcome.problem?.description
            trace = withTrace ? outcome.trace : nil
        }

        var title: String { "arc" }

        var details: [String?] {
            let sets = instances == 0 ? nil : "\(instances) \(instances == 1 ? "set" : "sets")"
            return [sets, sealer.map { "newest seal of \($0)" }, problem]
        }
    }

    struct ReverseName: CheckFinding {
        var result: String
        var name: String?
        var problem: String?
        var details: [String?]

        private enum CodingKeys: CodingKey {
            case result, name, problem
        }

        init(_ outcome: ReverseNameOutcome) {
            result = outcome.result.rawValue
            name = outcome.names.first?.description
            problem = outcome.problem
            details = outcome.names.map(\.description) + [problem]
        }

        var title: String { "iprev" }
        var trace: [String]? { nil }
    }
}
