public import MailEvents
internal import MailSyntax
public import Policy

/// What the rules were told of a message, and what they decided, in a form that a ledger can keep by the million.
public struct StoredFacts: Sendable {
    /// What became of the message.
    public enum Subject: UInt8, Sendable {
        /// The rules judged it.
        case judged = 0
        /// It ended, or was refused, without a judgement.
        case unjudged = 1
        /// It is our own.
        case outbound = 2
        /// Its event cannot be understood.
        case unreadable = 3
    }

    /// What became of the message.
    public var subject = Subject.judged
    /// The facts at the end of the message; of a message whose recipients were all refused, those of the envelope.
    public var facts = PolicyFacts()
    /// The recipients: those that were accepted, then those that rules refused, each in the order in which they came.
    public var recipients = [MailAddress]()
    /// The recipients who were answered before all checks of the envelope had ended.
    public var early = [Early]()
    /// How many recipients are not among `recipients`.
    public var unnamed = 0
    /// Whether recipients are known by their domains only.
    public var addresses = MailEvent.Addresses.full
    /// Whether the mail server waited for answers to RCPT.
    public var isAnswered = true
    /// Why a message to mixed recipients could not be put off; nil when it could.
    public var obstacle: SeparationObstacle?
    /// Whether a relay of our own passed on the message.
    public var isRelayed = false
    /// Whether that relay's fields did not name the client, so that the message cannot be refused for good.
    public var isRelayUnreadable = false
    /// Whether something other than the rules spoke against the message.
    public var hasProblem = false
    /// Whether the content of the message was seen; if not, its recipients were all refused.
    public var hasContent = false
    /// What was decided.
    public var recorded = RecordedVerdict()

    /// Recipients who were answered with the same checks still open.
    public struct Early: Hashable, Sendable {
        /// The checks whose results were known.
        public var known: [Check]
        /// The places of the recipients.
        public var recipients: [Int]
    }

    /// Nothing.
    init() {}
}

extension StoredFacts {
    /// The facts of an event; an event that cannot be understood gives `unreadable`.
    public init(_ event: MailEvent) {
        self.init()
        do throws(UnreadableFact) {
            (facts, recorded) = (try PolicyFacts(event), try RecordedVerdict(event))
            take(event)
        } catch {
            subject = .unreadable
        }
    }

    private mutating func take(_ event: MailEvent) {
        subject = event.subject
        recipients = (event.rcptTo + event.refusedRcptTo).map { MailAddress($0, event.addresses) }
        unnamed = max(0, event.unnamedRcptTo)
        addresses = event.addresses
        isRelayed = event.relay != nil
        isRelayUnreadable = event.relay?.state == "unreadable"
        hasProblem = event.problem != nil
        hasContent = event.author != nil
        guard let stage = event.rcptStage else { return }
        isAnswered = stage.answered
        // Any obstacle has the same effect, so an unknown one is as good as another.
        obstacle = stage.obstacle.map { SeparationObstacle(rawValue: $0) ?? .putOffBefore }
        early = stage.early.map { early in
            Early(
                known: early.known.compactMap(Check.init),
                recipients: event.places(early.rcptTo, refused: early.refusedRcptTo)
            )
        }
    }
}

extension MailEvent {
    fileprivate var subject: StoredFacts.Subject {
        guard direction == .inbound else { return .outbound }
        return facts == nil && verdict.stage != PolicyStage.rcpt.rawValue ? .unjudged : .judged
    }

    /// The places in `rcptTo` followed by `refusedRcptTo`, each once and in their order; places outside are left out.
    func places(_ accepted: [Int], refused: [Int]) -> [Int] {
        Set(accepted).filter(rcptTo.indices.contains).sorted()
            + Set(refused).filter(refusedRcptTo.indices.contains).sorted().map { rcptTo.count + $0 }
    }
}
