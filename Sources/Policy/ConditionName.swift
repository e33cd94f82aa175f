/// The fact that a condition is on: the key in a rule's `when` or `unless`.
public enum ConditionName: String, CaseIterable, Sendable {
    /// SPF of MAIL FROM.
    case spf
    /// SPF of HELO.
    case spfHelo = "spf_helo"
    /// Sender ID.
    case senderID = "sender_id"
    /// Sender ID, if the PRA is the author's.
    case senderIDAligned = "sender_id_aligned"
    /// The best DKIM signature.
    case dkim
    /// The best DKIM signature aligned with the author's domain.
    case dkimAligned = "dkim_aligned"
    /// DMARC.
    case dmarc
    /// The DMARC policy that applies to the author's domain.
    case dmarcPolicy = "dmarc_policy"
    /// The DMARC policy of the author's domain as published.
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
    /// The number of authors in From.
    case fromCount = "from_count"
    /// How the author could be read.
    case author
}

extension ConditionName {
    /// The stage at which the fact of a condition is known.
    enum Stage {
        /// Before DATA.
        case envelope
        /// Before DATA, after an answer of the DNS.
        case lookup
        /// Before DATA, for each recipient separately.
        case recipient
        /// With the message.
        case message
    }

    /// The kinds of values.
    public enum Kind: Sendable {
        /// Results of a check.
        case result
        /// Words of a DMARC policy.
        case policy
        /// Words for how the author could be read.
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

    /// The properties of each condition, except its explanation in the manual.
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
        // DMARC finds out which signatures are aligned.
        case .dkimAligned: Row(.message, .result, .dkim, .dmarc)
        case .dmarc: Row(.message, .result, .dmarc)
        case .dmarcPolicy: Row(.message, .policy, .dmarc)
        case .dmarcPublished: Row(.message, .policy, .dmarc)
        case .iprev: Row(.lookup, .result, .iprev)
        case .clients: Row(.envelope, .network)
        case .clientNames: Row(.lookup, .domain, .iprev)
        case .helo: Row(.envelope, .domain)
        // Known before DATA if MAIL FROM matches by itself.
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

    /// The kind of the condition's values.
    public var kind: Kind { row.kind }

    /// The checks that the condition needs, the check of its result first; empty for a condition that needs no check.
    public var checks: [Check] { row.checks }

    /// The condition on the result of the check behind this condition.
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

    /// Whether the condition is on a single recipient.
    public var isOfRecipient: Bool { row.stage == .recipient }

    /// Whether the condition can be known before DATA.
    public var isOfEnvelope: Bool { row.stage != .message }

    /// Whether the DNS answers the condition while the envelope is being sent.
    var isLookedUpEarly: Bool { row.stage == .lookup }
}
