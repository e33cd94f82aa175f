/// The fact that a condition is on: the key in a rule's `when` or `unless`.
public enum ConditionName: Hashable, Sendable {
    /// The result of a check; of DKIM that of the best signature.
    case result(Check)
    /// Another fact about the message.
    case fact(Fact)

    /// The facts besides the results of the checks.
    public enum Fact: String, CaseIterable, Sendable {
        /// Sender ID, if the PRA is the author's.
        case senderIDAligned = "sender_id_aligned"
        /// The best DKIM signature aligned with the author's domain.
        case dkimAligned = "dkim_aligned"
        /// The DMARC policy that applies to the author's domain.
        case dmarcPolicy = "dmarc_policy"
        /// The DMARC policy of the author's domain as published.
        case dmarcPublished = "dmarc_published"
        /// The client's network.
        case clients
        /// The client's verified name.
        case clientNames = "client_names"
        /// The domains whose SPF records permit the client.
        case permittedBy = "permitted_by"
        /// Whether SPF passes by a term that nearly every client matches.
        case spfOpen = "spf_open"
        /// The name of HELO.
        case helo
        /// The domain of MAIL FROM or of the PRA.
        case senderDomains = "sender_domains"
        /// The domains of From.
        case fromDomains = "from_domains"
        /// The domains of DKIM signatures that passed.
        case dkimDomains = "dkim_domains"
        /// The domain of the newest seal of a chain that passes.
        case arcSealers = "arc_sealers"
        /// The domain of List-Id.
        case listID = "list_id"
        /// Whether somebody of the list's organization vouches for List-Id.
        case listVerified = "list_verified"
        /// Whether the message came by a forwarder.
        case forwarded
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
}

extension ConditionName: RawRepresentable {
    /// The key in the rule.
    public var rawValue: String {
        switch self {
        case .result(let check): check.rawValue
        case .fact(let fact): fact.rawValue
        }
    }

    /// The condition of a key; nil for an unknown key.
    public init?(rawValue: String) {
        guard let name = Check(rawValue: rawValue).map(Self.result) ?? Fact(rawValue: rawValue).map(Self.fact) else {
            return nil
        }
        self = name
    }
}

extension ConditionName: CaseIterable {
    /// All conditions: the result of each check and the other words of that check, then the other facts.
    public static var allCases: [ConditionName] {
        let facts = Fact.allCases.map(Self.fact)
        let ofChecks = Check.allCases.flatMap { check in
            [.result(check)] + facts.filter { $0.isOfWords && $0.checks.first == check }
        }
        return ofChecks + facts.filter { !$0.isOfWords }
    }

    private var isOfWords: Bool { kind == .result || kind == .policy }
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
        case .result(let check): Row(check.isOfEnvelope ? .lookup : .message, .result, check)
        case .fact(.senderIDAligned): Row(.message, .result, .senderID)
        // DMARC finds out which signatures are aligned.
        case .fact(.dkimAligned): Row(.message, .result, .dkim, .dmarc)
        case .fact(.dmarcPolicy): Row(.message, .policy, .dmarc)
        case .fact(.dmarcPublished): Row(.message, .policy, .dmarc)
        case .fact(.clients): Row(.envelope, .network)
        case .fact(.clientNames): Row(.lookup, .domain, .iprev)
        case .fact(.permittedBy): Row(.lookup, .domain)
        case .fact(.spfOpen): Row(.lookup, .flag, .spf)
        case .fact(.helo): Row(.envelope, .domain)
        // Known before DATA if MAIL FROM matches by itself.
        case .fact(.senderDomains): Row(.envelope, .domain)
        case .fact(.fromDomains): Row(.message, .domain)
        case .fact(.dkimDomains): Row(.message, .domain, .dkim)
        case .fact(.arcSealers): Row(.message, .domain, .arc)
        case .fact(.listID): Row(.message, .domain)
        // Signatures or the client's name vouch.
        case .fact(.listVerified): Row(.message, .flag, .dkim, .iprev)
        // DMARC finds out which signatures are aligned.
        case .fact(.forwarded): Row(.message, .flag, .spf, .dkim, .dmarc)
        case .fact(.recipientDomains): Row(.recipient, .domain)
        case .fact(.recipients): Row(.recipient, .address)
        case .fact(.authenticated): Row(.envelope, .flag)
        case .fact(.fromCount): Row(.message, .count)
        case .fact(.author): Row(.message, .reading)
        }
    }

    /// The kind of the condition's values.
    public var kind: Kind { row.kind }

    /// The checks that the condition needs, the check of its result first; empty for a condition that needs no check.
    public var checks: [Check] { row.checks }

    /// The condition on the result of the check behind this condition.
    var check: ConditionName { checks.last.map(Self.result) ?? self }

    /// Whether the condition is on a single recipient.
    public var isOfRecipient: Bool { row.stage == .recipient }

    /// Whether the condition can be known before DATA.
    public var isOfEnvelope: Bool { row.stage != .message }

    /// Whether the condition is on the result of DMARC or on the policy, so that an excuse counts.
    var isOnDMARC: Bool {
        [.result(.dmarc), .fact(.dmarcPolicy), .fact(.dmarcPublished)].contains(self)
    }

    /// Whether an event may lack the fact although the checks behind it were made.
    var isDerived: Bool {
        [.fact(.permittedBy), .fact(.spfOpen), .fact(.listID), .fact(.listVerified), .fact(.forwarded)].contains(self)
    }

    /// Whether the DNS answers the condition while the envelope is being sent.
    var isLookedUpEarly: Bool { row.stage == .lookup }
}
