internal import MailSyntax
public import SPF

/// The outcome of a Sender ID check.
///
/// Shared by many tasks and large, so a class.
public final class SenderIDOutcome: Sendable {
    /// Why there is no better result.
    public enum Problem: Hashable, Sendable {
        /// The message has no purported responsible address.
        case noAddress(PurportedResponsibleAddress.Absence)
        /// The evaluation of the records had a problem.
        case evaluation(SPFProblem)
        /// The SUBMITTER parameter and the header name different mailboxes (RFC 4405 § 4.2).
        case submitterMismatch
    }

    /// The result.
    public let result: SPFResult
    /// The identity that was checked: `pra` or `mfrom`.
    public let scope: SPFScope
    /// The mailbox that was checked, and its field; nil for `mfrom`, and when there is none.
    public let address: PurportedResponsibleAddress?
    /// Why there is no better result, or what is unusual about it.
    public let problemCause: Problem?
    /// The evaluation; nil when there was nothing to evaluate.
    public let evaluation: SPFOutcome?

    /// The purported responsible address as text, without control characters.
    public let pra: String?

    init(
        result: SPFResult,
        scope: SPFScope,
        address: PurportedResponsibleAddress?,
        problemCause: Problem?,
        evaluation: SPFOutcome?
    ) {
        self.result = result
        self.scope = scope
        self.address = address
        self.problemCause = problemCause
        self.evaluation = evaluation
        pra = address.map { address in
            String(decoding: address.mailbox.addrSpec.map { $0 < 0x20 || $0 == 0x7F ? 0x3F : $0 }, as: UTF8.self)
        }
    }

    /// The name of the chosen field: `From`, `Sender`, `Resent-From` or `Resent-Sender`.
    public var header: String? { address?.field.rawValue }

    /// The domain that was checked.
    public var domain: String? { evaluation?.domain }

    /// The version of the record that was used: `spf1`, or `spf2.0` with its minor version; nil without a record.
    public var record: String? {
        guard let text = evaluation?.record else { return nil }
        return SenderIDVersion(of: text).map { "spf2." + $0.minor.prefix(8).text } ?? "spf1"
    }

    /// The directive that matched, or `default`.
    public var mechanism: String? { evaluation?.mechanism }

    /// The domain's message to rejected senders: printable US-ASCII, of limited length, and not to be trusted.
    public var explanation: String? { evaluation?.explanation }

    /// Why there is no better result, in one printable line.
    public var problem: String? {
        switch problemCause {
        case .noAddress(let absence): "no purported responsible address: \(absence)"
        case .evaluation(let problem): problem.description
        case .submitterMismatch: "SUBMITTER does not match the header"
        case nil: nil
        }
    }

    /// How many terms with lookups were counted (RFC 7208 § 4.6.4).
    public var lookups: Int { evaluation?.lookups ?? 0 }

    /// How many lookups found nothing.
    public var voidLookups: Int { evaluation?.voidLookups ?? 0 }

    /// The steps of the evaluation, in order.
    public var trace: [SPFTraceStep] { evaluation?.trace ?? [] }
}

extension SenderIDOutcome {
    /// The outcome for a client whose address the MTA does not know: "none", because nothing was checked.
    public static let unknownClient = SenderIDOutcome(
        result: .none,
        scope: .pra,
        address: nil,
        problemCause: .evaluation(.unknownClient),
        evaluation: nil
    )
}
