internal import DKIM
public import MailSyntax

/// The outcome of a chain, and its reason.
///
/// Few messages have a chain, and outcomes are passed around for every message, so a class.
public final class ARCOutcome: Sendable {
    /// The result.
    public let result: ARCResult
    /// The number of sets: the highest instance that was read.
    public let instances: Int
    /// The domains of the seals, `d=`, from instance 1 up; empty when the chain is malformed.
    ///
    /// They are claims unless the result is `pass`.
    public let sealers: [DomainName]
    /// Why the result is not `pass`; nil when it is, and without a chain.
    public let problem: ARCProblem?
    /// The lowest instance since which the message is unchanged, 0 for the first; nil unless the result is `pass`.
    public let oldestPass: Int?
    /// Whether the newest message signature covers From and the newest key is in earnest, so that the sealer vouches.
    private let isVouchedFor: Bool
    /// The steps of the check.
    public let trace: [String]

    /// The outcome of a message whose chain no key can decide.
    init(_ result: ARCResult, instances: Int, problem: ARCProblem?) {
        self.result = result
        self.instances = instances
        self.problem = problem
        sealers = []
        oldestPass = nil
        isVouchedFor = false
        trace = [Self.line(result, problem)]
    }

    /// The outcome of a chain.
    ///
    /// - Parameters:
    ///   - chain: the sets.
    ///   - outcomes: the outcome of the newest message signature, and those of the seals from the newest.
    ///   - oldestPass: the lowest instance since which the message is unchanged.
    init(_ chain: ARCChain, _ outcomes: [(member: ARCMember, outcome: DKIMOutcome)], oldestPass: Int) {
        instances = chain.sets.count
        sealers = chain.sealers
        var (broken, unanswered): (ARCProblem?, ARCProblem?)
        var lines = [String]()
        for (place, (member, outcome)) in outcomes.enumerated() {
            let instance = chain.sets.count - max(0, place - 1)
            lines.append("\(member.rawValue) i=\(instance) " + Self.words(outcome))
            guard outcome.result != .pass else { continue }
            let reason = outcome.problem ?? outcome.result.rawValue
            if outcome.result == .temperror {
                unanswered = unanswered ?? .unanswered(member, instance, reason)
            } else {
                broken = broken ?? .signature(member, instance, reason)
            }
        }
        result = broken != nil ? .fail : unanswered != nil ? .temperror : .pass
        problem = broken ?? unanswered
        self.oldestPass = result == .pass ? oldestPass : nil
        isVouchedFor = chain.newest.signsFrom && !outcomes.prefix(2).contains { $0.outcome.testing }
        trace = lines + [Self.line(result, problem)]
    }

    /// The domain of the newest seal; nil without a chain that could be read.
    public var sealer: DomainName? { sealers.last }

    /// The sealer that vouches for the message as it arrived: the newest, if the whole chain passes.
    ///
    /// A message signature that leaves out From vouches for nobody, and neither does a key in testing mode (RFC 6376
    /// § 3.6.1, `t=y`).
    public var vouchingSealer: DomainName? { result == .pass && isVouchedFor ? sealer : nil }

    /// The sealer that might vouch for the message, had the DNS answered.
    public var unansweredSealer: DomainName? { result == .temperror ? sealer : nil }

    private static func words(_ outcome: DKIMOutcome) -> String {
        let signature = outcome.signature.map { "d=\($0.domain) s=\($0.selector): " } ?? ""
        return signature + outcome.result.rawValue + (outcome.problem.map { " (\($0))" } ?? "")
    }

    private static func line(_ result: ARCResult, _ problem: ARCProblem?) -> String {
        "arc=\(result.rawValue)" + (problem.map { " (\($0))" } ?? "")
    }
}
