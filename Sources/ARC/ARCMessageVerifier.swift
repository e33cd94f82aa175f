public import DKIM
public import MailSyntax

/// Verifies the chain of one message while it streams through (RFC 8617 § 5.2).
///
///     var verifier = ARCMessageVerifier(options: options, now: now)
///     let inquiry = verifier.endOfHeaders(headers)
///     for chunk in body where !verifier.isBodyComplete { verifier.body(chunk) }
///     let outcome = verifier.outcome(await inquiry.map { await resolver.outcome(of: $0) })
///
/// It does no I/O and reads no clock. A message without ARC fields costs a look at the names of its fields.
public struct ARCMessageVerifier {
    private let options: DKIMVerificationOptions
    private let now: UnixTime
    private var instances = 0
    private var chain: ARCChain?
    private var problem: ARCProblem?
    /// The hashes of the body, one for each canonical form that a message signature asks for.
    private var hashers: [BodyHasher] = []

    /// A verifier for a message that arrives at `now`; keys must be of the lengths that the options for DKIM allow.
    public init(options: DKIMVerificationOptions = DKIMVerificationOptions(), now: UnixTime) {
        self.options = options
        self.now = now
    }

    /// Takes all header fields.
    ///
    /// - Returns: the inquiry that `outcome` needs; nil when the outcome depends on no key.
    public mutating func endOfHeaders(_ headers: HeaderBlock) -> ARCInquiry? {
        do throws(ARCProblem) {
            guard let chain = try chain(in: headers) else { return nil }
            self.chain = chain
            for signature in [chain.newest] + chain.earlier.compactMap(\.signature) { hash(for: signature) }
            return ARCInquiry(chain: chain, headers: headers, options: options)
        } catch {
            problem = error
            return nil
        }
    }

    /// The chain; nil for a message without ARC fields.
    private mutating func chain(in headers: HeaderBlock) throws(ARCProblem) -> ARCChain? {
        var fields = ARCFields()
        defer { instances = fields.places.count }
        for index in headers.indices {
            guard let member = ARCMember(at: index, of: headers) else { continue }
            try fields.add(ARCField(member, at: index, of: headers))
        }
        guard !fields.places.isEmpty else { return nil }
        return try ARCChain(fields, now, clockSkew: options.clockSkew)
    }

    /// Begins to hash the body for a signature; signatures that need the same form of the body share a hasher.
    private mutating func hash(for signature: DKIMSignature) {
        let index = hasher(for: signature) ?? hashers.count
        if index == hashers.count { hashers.append(BodyHasher(signature.canonicalization.body)) }
        hashers[index].add(signature.length)
    }

    private func hasher(for signature: DKIMSignature) -> Int? {
        hashers.firstIndex { $0.canonicalization == signature.canonicalization.body }
    }

    /// Takes the next octets of the body, cut at any place.
    public mutating func body(_ chunk: UnsafeRawBufferPointer) {
        for index in hashers.indices { unsafe hashers[index].update(chunk) }
    }

    /// Whether the rest of the body cannot change the result; then it need not be passed.
    public var isBodyComplete: Bool { hashers.allSatisfy(\.isBeyondLength) }

    /// Judges the chain after the body has ended.
    ///
    /// - Parameter signatures: the outcome of the inquiry that `endOfHeaders` returned; nil if it returned none.
    public mutating func outcome(_ signatures: ARCSignatures?) -> ARCOutcome {
        for index in hashers.indices { hashers[index].finish() }
        guard let chain, var signatures else {
            return ARCOutcome(problem == nil ? .none : .fail, instances: instances, problem: problem)
        }
        signatures.finish()
        let message = outcome(of: signatures.message, chain.newest)
        let outcomes = [(ARCMember.message, message)] + signatures.seals.map { (.seal, $0) }
        let oldest = oldestPass(chain, signatures)
        return ARCOutcome(chain, outcomes, oldestPass: oldest)
    }

    private func outcome(of check: SignatureCheck, _ signature: DKIMSignature) -> DKIMOutcome {
        var none = DiagnosisBudget(octets: 0)
        let body = hasher(for: signature).map { hashers[$0].body(for: signature) } ?? .ofSeal
        return check.outcome(body, &none)
    }

    /// RFC 8617 § 5.2, step 5: the lowest instance whose message signature is valid, and all above it too; 0 when
    /// every message signature is.
    private func oldestPass(_ chain: ARCChain, _ signatures: ARCSignatures) -> Int {
        var oldest = chain.sets.count
        for (check, signature) in zip(signatures.earlier, chain.earlier.map(\.signature)) {
            guard let signature, outcome(of: check, signature).result == .pass else { return oldest }
            oldest -= 1
        }
        return oldest == 1 ? 0 : oldest
    }
}
