/// What a condition looks at: the key in a rule's `when` or `unless`.
public enum ConditionName: String, CaseIterable, Sendable {
    /// SPF of MAIL FROM.
    case spf
    /// SPF of HELO.
    case spfHelo = "spf_helo"
    /// Sender ID.
    case senderID = "sender_id"
    /// Sender ID, when the PRA is the author's.
    case senderIDAligned = "sender_id_aligned"
    /// The best DKIM signature.
    case dkim
    /// The best DKIM signature aligned with the author's domain.
    case dkimAligned = "dkim_aligned"
    /// DMARC.
    case dmarc
    /// The DMARC policy that applies to the author's domain.
    case dmarcPolicy = "dmarc_policy"
    /// The DMARC policy of the author's domain as it is published.
    case dmarcPublished = "dmarc_published"
    /// Reverse DNS of the client.
    case iprev
    /// The client's network.
    case clients
    /// The client's verified name.
    case clientNames = "client_names"
    /// The name of HELO.
    case helo
    /// The domain of MAIL FROM or of the PRA.
    case senderDomains = "sender_domains"
    /// The domains of From.
    case fromDomains = "from_domains"
    /// The domains of DKIM signatures that passed.
    case dkimDomains = "dkim_domains"
    /// The recipient's domain.
    case recipientDomains = "recipient_domains"
    /// The recipient's address.
    case recipients
    /// Whether the client has authenticated.
    case authenticated
    /// How many authors From has.
    case fromCount = "from_count"
    /// How the author could be read.
    case author
}

extension ConditionName {
    /// When the fact is known that a condition looks at.
    enum Stage {
        /// Before DATA.
        case envelope
        /// Before DATA, when the DNS has answered.
        case lookup
        /// Before DATA, and for each recipient on its own.
        case recipient
        /// With the message.
        case message
    }

    /// What the values of a condition are.
    public enum Kind: Sendable {
        /// Results of a check.
        case result
        /// Words of a DMARC policy.
        case policy
        /// Ways to read an author.
        case reading
        /// Networks.
        case network
        /// Domain names.
        case domain
        /// Mail addresses.
        case address
        /// Yes or no.
        case flag
        /// Numbers.
        case count
    }

    /// What there is to say of each condition, but for the words in which the manual explains it.
    private struct Row {
        let stage: Stage
        let kind: Kind
        let checks: [Check]

        init(_ stage: Stage, _ kind: Kind, _ checks: Check...) {
            self.stage = stage
            self.kind = kind
            self.checks = checks
        }
    }

    private var row: Row {
        switch self {
        case .spf: Row(.lookup, .result, .spf)
        case .spfHelo: Row(.lookup, .result, .spfHelo)
        case .senderID: Row(.message, .result, .senderID)
        case .senderIDAligned: Row(.message, .result, .senderID)
        case .dkim: Row(.message, .result, .dkim)
        // Which signatures are aligned is found out with DMARC.
        case .dkimAligned: Row(.message, .result, .dkim, .dmarc)
        case .dmarc: Row(.message, .result, .dmarc)
        case .dmarcPolicy: Row(.message, .policy, .dmarc)
        case .dmarcPublished: Row(.message, .policy, .dmarc)
        case .iprev: Row(.lookup, .result, .iprev)
        case .clients: Row(.envelope, .network)
        case .clientNames: Row(.lookup, .domain, .iprev)
        case .helo: Row(.envelope, .domain)
        // Known before DATA when MAIL FROM alone matches.
        case .senderDomains: Row(.envelope, .domain)
        case .fromDomains: Row(.message, .domain)
        case .dkimDomains: Row(.message, .domain, .dkim)
        case .recipientDomains: Row(.recipient, .domain)
        case .recipients: Row(.recipient, .address)
        case .authenticated: Row(.envelope, .flag)
        case .fromCount: Row(.message, .count)
        case .author: Row(.message, .reading)
        }
    }

    /// What its values are.
    public var kind: Kind { row.kind }

    /// The checks that must be made for it to be known, that whose result it is first; none for what needs no check.
    public var checks: [Check] { row.checks }

    /// The condition on the result of the check that it rests on.
    var check: ConditionName {
        switch self {
        case .senderIDAligned: .senderID
        case .dkimDomains: .dkim
        case .dkimAligned, .dmarcPolicy, .dmarcPublished: .dmarc
        case .clientNames: .iprev
        case .spf, .spfHelo, .senderID, .dkim, .dmarc, .iprev, .clients, .helo, .senderDomains, .fromDomains,
            .recipientDomains, .recipients, .authenticated, .fromCount, .author:
            self
        }
    }

    /// Whether it looks at one recipient at a time.
    public var isOfRecipient: Bool { row.stage == .recipient }

    /// Whether it can be known before DATA.
    public var isOfEnvelope: Bool { row.stage != .message }

    /// Whether its answer comes from the DNS while the envelope is being sent.
    var isLookedUpEarly: Bool { row.stage == .lookup }
}
