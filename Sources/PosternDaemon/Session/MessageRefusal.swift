internal import MailAuthentication
internal import MilterProtocol

/// Why a message is refused regardless of its checks and the rules.
enum MessageRefusal: Hashable {
    /// All messages together hold too much memory.
    case noMemory
    /// The message has too many recipients, and the MTA did not wait for an answer to RCPT.
    case tooManyRecipients
    /// The header asks for too much.
    case header(HeaderObstacle)

    /// Whether the message is refused in observe mode too: the filter cannot accept it, or it would lose recipients.
    var isUnconditional: Bool {
        switch self {
        case .noMemory, .tooManyRecipients: true
        case .header: false
        }
    }

    /// The log's `action=`.
    var action: String {
        switch self {
        case .noMemory, .tooManyRecipients: "tempfail"
        case .header: "reject"
        }
    }

    /// The log's `problem=`.
    var problem: String {
        switch self {
        case .noMemory: "no memory left (limits.max_held)"
        case .tooManyRecipients: "too many recipients"
        case .header(let obstacle): obstacle.rawValue
        }
    }

    /// The reply to the end of the message.
    var response: MilterResponse {
        switch self {
        case .noMemory: .noMemory
        case .tooManyRecipients: .tooManyRecipients
        case .header(let obstacle):
            // RFC 3463 § 3.4: 5.3.4, message too big for system.
            .reply(MilterReply(code: 552, enhancedStatus: "5.3.4", text: "Refused: \(obstacle.rawValue)"))
        }
    }
}

extension MilterResponse {
    /// There is no memory for a message or a recipient.
    static let noMemory = MilterResponse.reply(
        MilterReply(code: 452, enhancedStatus: "4.3.1", text: "Not enough memory for this message now")
    )
    /// A message has too many recipients.
    static let tooManyRecipients = MilterResponse.reply(
        MilterReply(code: 452, enhancedStatus: "4.5.3", text: "Too many recipients")
    )
    /// A recipient must come in another transaction.
    private static let separateTransaction = MilterResponse.reply(
        MilterReply(code: 452, enhancedStatus: "4.5.3", text: "Please send to this recipient in a separate transaction")
    )

    /// The reply to RCPT; nil when the recipient must wait for its reply.
    init?(_ decision: RecipientGate.Decision) {
        switch decision {
        case .take: self = .continue
        case .refuse(let verdict): self.init(verdict)
        case .sendAway: self = .separateTransaction
        case .refuseAsTooMany: self = .tooManyRecipients
        case .wait: return nil
        }
    }
}
