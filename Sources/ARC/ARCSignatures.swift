internal import DKIM
internal import DNSLookup

/// What the keys of a chain say about its header fields (RFC 8617 § 5.2, steps 4 to 6).
///
/// The newest seals are verified as soon as the keys are known, the others when the body has ended: all at once would
/// hold an event loop for too long.
public struct ARCSignatures: Sendable {
    /// The price of all keys together: enough for the 51 RSA keys of 2,048 bits that the longest chain may have.
    private static let keyBudget = 52
    /// How many seals are verified before the body has ended.
    private static let sealsAhead = 17

    /// The check of the newest message signature.
    let message: SignatureCheck
    /// The outcomes of the seals, from the newest, up to the first that fails.
    private(set) var seals: [DKIMOutcome] = []
    /// The checks of the earlier message signatures, from the newest, up to the first that cannot be made.
    private(set) var earlier: [SignatureCheck] = []

    private let inquiry: ARCInquiry
    private let replies: [DNSQuestion: DNSReply]
    private let fields: SignedFields
    private var budget: VerificationBudget
    /// The seals that have not been verified, the newest last.
    private var open: ArraySlice<SignedHeader>

    init(_ inquiry: ARCInquiry, _ replies: [DNSQuestion: DNSReply]) {
        let chain = inquiry.chain
        self.inquiry = inquiry
        self.replies = replies
        fields = SignedFields(inquiry.headers)
        budget = VerificationBudget(inquiry.options, keys: Self.keyBudget)
        message = SignatureCheck(
            chain.newest,
            at: chain.sets.last?.message.index ?? 0,
            in: fields,
            key: replies[chain.newest.keyQuestion],
            inquiry.options,
            &budget
        )
        open = chain.sealedHeaders[...]
        verifySeals(upTo: Self.sealsAhead)
    }

    /// Verifies what is still open.
    mutating func finish() {
        verifySeals(upTo: .max)
        guard earlier.isEmpty, seals.allSatisfy({ $0.result == .pass }) else { return }
        for (set, signature) in inquiry.chain.earlier {
            guard let signature, let reply = replies[signature.keyQuestion] else { return }
            earlier.append(
                SignatureCheck(signature, at: set.message.index, in: fields, key: reply, inquiry.options, &budget)
            )
        }
    }

    /// RFC 8617 § 5.2, step 6: the seals "beginning with the greatest instance value and proceeding in decreasing order".
    private mutating func verifySeals(upTo count: Int) {
        var none = DiagnosisBudget(octets: 0)
        while seals.count < count, let header = open.popLast() {
            let reply = replies[header.signature.keyQuestion]
            let check = SignatureCheck(header.signature, key: reply, inquiry.options, &budget) { _ in header }
            let outcome = check.outcome(.ofSeal, &none)
            seals.append(outcome)
            // A seal without an answer leaves open whether an earlier seal is broken.
            if outcome.result != .pass, outcome.result != .temperror { open = [] }
        }
    }
}
