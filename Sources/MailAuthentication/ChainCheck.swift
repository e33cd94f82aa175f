internal import ARC
internal import DKIM
internal import DNSLookup
internal import MailSyntax

/// The ARC check of one message.
///
/// A class, so that a message that is not checked carries a pointer only.
final class ChainCheck {
    private var verifier: ARCMessageVerifier?
    private var signatures: Pending<ARCSignatures>?
    /// The outcome, once `finish` was called.
    private(set) var outcome: ARCOutcome?

    /// A check of a message that arrives at `now`.
    init(_ options: DKIMVerificationOptions, now: UnixTime) {
        verifier = ARCMessageVerifier(options: options, now: now)
    }

    /// A check that was made before.
    init(known outcome: ARCOutcome) {
        self.outcome = outcome
    }

    /// Takes all header fields; questions for the keys start at once.
    func endOfHeaders(_ headers: HeaderBlock, _ resolver: RecordingResolver, on executor: (any TaskExecutor)?) {
        guard let inquiry = verifier?.endOfHeaders(headers) else { return }
        signatures = Pending(inquiry, resolver, on: executor)
    }

    /// Takes a part of the body, split anywhere.
    func body(_ chunk: UnsafeRawBufferPointer) { unsafe verifier?.body(chunk) }

    /// Whether the rest of the body can no longer change the result.
    var isBodyComplete: Bool { verifier?.isBodyComplete ?? true }

    /// The question for the keys, as long as it is open.
    var openCheck: OpenCheck? { signatures?.openCheck }

    /// Asks the lookups to end soon.
    func cancel() { signatures?.cancel() }

    /// Judges the chain, after the body has ended and all keys are known.
    func finish() {
        guard outcome == nil else { return }
        outcome = verifier?.outcome(signatures?.outcome)
    }
}
