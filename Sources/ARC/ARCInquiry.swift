internal import DKIM
public import DNSLookup
internal import MailSyntax

/// What the keys of a chain say about its header fields: all that can be known before the body has ended.
public struct ARCSignatures: Sendable {
    /// The check of the newest message signature.
    let message: SignatureCheck
    /// The outcomes of the seals, from the newest, up to the first that fails.
    let seals: [DKIMOutcome]
    /// The checks of the earlier message signatures, from the newest, up to the first that cannot be made.
    let earlier: [SignatureCheck]
}

/// Looks up the keys of a chain, and verifies its seals (RFC 8617 § 5.2).
public struct ARCInquiry: DNSInquiry {
    /// How many keys are asked for before it is known that the message needs them.
    public var questionsAhead: Int { 10 }

    /// The price of all keys together: enough for the 51 RSA keys of 2,048 bits that the longest chain may have.
    private static let keyBudget = 52

    let chain: ARCChain
    let headers: HeaderBlock
    let options: DKIMVerificationOptions

    /// Looks up all keys, and then tries each once.
    public func pass(over answers: inout DNSAnswers) -> ARCSignatures? {
        var replies: [DNSQuestion: DNSReply] = [:]
        for question in chain.questions { replies[question] = answers.reply(to: question) }
        return answers.isComplete ? signatures(replies) : nil
    }

    private func signatures(_ replies: [DNSQuestion: DNSReply]) -> ARCSignatures {
        var budget = VerificationBudget(options, keys: Self.keyBudget)
        let fields = SignedFields(headers)
        func check(_ signature: DKIMSignature, at index: Int) -> SignatureCheck {
            let reply = replies[signature.keyQuestion]
            return SignatureCheck(signature, key: reply, options, &budget) {
                $0.header(of: signature, at: index, in: fields)
            }
        }
        let sets = chain.sets
        let message = check(chain.newest, at: sets.last?.message.index ?? 0)
        let seals = seals(replies, &budget)
        var earlier = [SignatureCheck]()
        if seals.allSatisfy({ $0.result == .pass }) {
            for (set, signature) in zip(sets, chain.earlier).reversed() {
                guard let signature, replies[signature.keyQuestion] != nil else { break }
                earlier.append(check(signature, at: set.message.index))
            }
        }
        return ARCSignatures(message: message, seals: seals, earlier: earlier)
    }

    /// RFC 8617 § 5.2, step 6: the seals "beginning with the greatest instance value and proceeding in decreasing order".
    private func seals(_ replies: [DNSQuestion: DNSReply], _ budget: inout VerificationBudget) -> [DKIMOutcome] {
        var none = DiagnosisBudget(octets: 0)
        var outcomes = [DKIMOutcome]()
        for header in chain.sealedHeaders.reversed() {
            let reply = replies[header.signature.keyQuestion]
            let check = SignatureCheck(header.signature, key: reply, options, &budget) { _ in header }
            let outcome = check.outcome(.ofSeal, &none)
            outcomes.append(outcome)
            // A seal without an answer leaves open whether an earlier seal is broken.
            guard outcome.result == .pass || outcome.result == .temperror else { break }
        }
        return outcomes
    }
}
