internal import ARC
internal import DKIM
internal import MailAuthentication
internal import MailEvents
internal import MailSyntax
internal import Policy

/// The seal of a judged message that this host may send on (RFC 8617).
///
/// The body is hashed as it passes. Everything else follows from the judgement. A class, so that a message that is not
/// sealed carries a pointer only.
final class OutgoingSeal {
    /// The result of sealing.
    final class Outcome: Sendable {
        /// The fields of the set, from the top; empty if nothing was sealed.
        let fields: [NewField]
        /// What the log and the event tell of the seal; nil if nothing was sealed.
        let seal: Transcript.Seal?
        /// Why nothing was sealed; nil when there is a seal.
        let problem: String?

        /// A seal, or the reason why there is none.
        init(_ fields: [NewField] = [], _ seal: Transcript.Seal? = nil, problem: String? = nil) {
            self.fields = fields
            self.seal = seal
            self.problem = problem
        }
    }

    private let key: DKIMSigningKey
    private var sealer: ARCMessageSealer

    /// Begins a seal by a key.
    init(_ key: DKIMSigningKey, now: UnixTime) {
        self.key = key
        sealer = ARCMessageSealer(key: key, now: now)
    }

    /// Adds a part of the body.
    func body(_ chunk: UnsafeRawBufferPointer) { unsafe sealer.body(chunk) }

    /// Seals the message; nil for one that a rule refuses or drops, or would, and for one whose client is not known: the
    /// next host may take a seal for a recommendation.
    func finish(_ judgement: Judgement, _ headers: HeaderBlock, _ settings: HeaderSettings) -> Outcome? {
        let verdict = judgement.verdict
        guard Self.mayGoOn(verdict.action), Self.mayGoOn(verdict.would?.action ?? .accept), verdict.relayed == nil,
            judgement.envelope.relay?.isClientKnown ?? true, let chain = judgement.assessment.arc
        else { return nil }
        do throws(ARCSealingError) {
            let set = try sealer.seal(headers, chain, results: judgement.results(settings, headers)[...])
            return Outcome(
                set.fields.map { NewField(name: $0.member.rawValue, value: Self.forMTA($0.value)) },
                Transcript.Seal(
                    domain: key.domain,
                    selector: key.selector,
                    instance: set.instance,
                    status: set.status.rawValue
                )
            )
        } catch {
            return Outcome(problem: "\(error)")
        }
    }

    /// Whether a message may leave this host; one that the MTA holds may be released later.
    private static func mayGoOn(_ action: RuleAction) -> Bool { action.delivers || action == .quarantine }

    /// A milter uses LF alone in folded lines, and its writer adds the space after the colon.
    private static func forMTA(_ value: [UInt8]) -> [UInt8] {
        value.drop { $0 == .space }.filter { $0 != .cr }
    }
}
