internal import DKIM
public import DNSLookup
internal import MailSyntax

/// Looks up the keys of a chain, and verifies its newest seals (RFC 8617 § 5.2).
public struct ARCInquiry: DNSInquiry {
    /// How many keys are asked for before it is known that the message needs them.
    public var questionsAhead: Int { 10 }

    let chain: ARCChain
    let headers: HeaderBlock
    let options: DKIMVerificationOptions

    /// Looks up all keys, and then tries each once.
    public func pass(over answers: inout DNSAnswers) -> ARCSignatures? {
        var replies: [DNSQuestion: DNSReply] = [:]
        for question in chain.questions { replies[question] = answers.reply(to: question) }
        return answers.isComplete ? ARCSignatures(self, replies) : nil
    }
}
