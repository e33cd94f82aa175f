internal import DKIM
internal import MailSyntax

/// A message of our own that is signed as it passes, or that is not signed for a reason.
struct OutgoingMessage {
    /// The result of signing.
    struct Outcome: Sendable {
        /// The values of the new DKIM-Signature fields, each beginning with its space.
        var signatures: [[UInt8]] = []
        /// The keys that signed, as `domain/selector`.
        var keys: [String] = []
        /// Why nothing was signed; nil when there are signatures.
        var problem: String?
        /// The parts that an MTA on the path may rewrite, which would break the signatures.
        var warnings: [String] = []
    }

    private var signer: DKIMMessageSigner?
    private let keys: [DKIMSigningKey]
    private let problem: String?

    /// A message that will be signed with these keys.
    init(_ headers: HeaderBlock, keys: [DKIMSigningKey], options: DKIMSigningOptions, now: UnixTime) {
        var signer = DKIMMessageSigner(keys: keys, options: options, now: now)
        signer.endOfHeaders(headers)
        self.signer = signer
        self.keys = keys
        problem = nil
    }

    /// A message that will not be signed.
    init(unsigned problem: String) {
        keys = []
        self.problem = problem
    }

    /// Whether the message is signed, so that its body is needed.
    var isSigned: Bool { signer != nil }

    /// Adds a part of the body.
    mutating func body(_ chunk: UnsafeRawBufferPointer) {
        unsafe signer?.body(chunk)
    }

    /// Makes the signatures.
    mutating func finish() -> Outcome {
        guard var signer else { return Outcome(problem: problem) }
        self.signer = nil
        do throws(DKIMSigningError) {
            return Outcome(
                signatures: try signer.finish(),
                keys: keys.map { "\($0.domain)/\($0.selector)" },
                warnings: signer.warnings.map(\.rawValue)
            )
        } catch {
            return Outcome(problem: "\(error)")
        }
    }
}
