internal import MailSyntax
public import Policy

/// An event has a word, a name or an address in a form that no writer of events uses.
public struct UnreadableFact: Error, Hashable, Sendable {
    /// The member of the event.
    public let member: String

    /// An error about this member.
    public init(member: String) {
        self.member = member
    }
}

extension PolicyFacts {
    /// The facts that the rules had when an event was written.
    public init(_ event: MailEvent) throws(UnreadableFact) {
        self.init()
        try takeEnvelope(event)
        try takeAuthor(event)
        try takeSenderID(event)
        try takeSignatures(event)
        try takePolicy(event)
        try takeChain(event)
        try takePath(event)
        if event.relay?.state == "disguised" { results.refuseClient() }
    }

    /// Takes how the message came; whom its client was permitted by is known for the rules of then alone.
    private mutating func takePath(_ event: MailEvent) throws(UnreadableFact) {
        guard let facts = event.facts else { return }
        listDomains = try facts.listID?.domainNames("facts.list_id")
        listVerified = try Truth(facts.listVerified, "facts.list_verified")
        forwarded = try Truth(facts.forwarded, "facts.forwarded")
        spfOpen = try Truth(facts.spfOpen, "facts.spf_open")
    }

    private mutating func takeEnvelope(_ event: MailEvent) throws(UnreadableFact) {
        if let ip = event.client.ip {
            guard let address = IPAddress(ip) else { throw UnreadableFact(member: "client.ip") }
            client = address
        }
        helo = event.client.helo
        mailFrom = MailAddress(event.mailFrom, event.addresses)
        authenticated = event.client.trusted || event.client.authenticated
        results.spf = try event.spf?.result.resultWord("spf")
        explanation = event.spf?.explanation
        results.spfHelo = try event.spfHelo?.result.resultWord("spf_helo")
        guard let iprev = event.iprev else { return }
        results.iprev = try iprev.result.resultWord("iprev")
        clientNames = try iprev.names.domainNames("iprev.names")
        unansweredClientNames = try iprev.unanswered.domainNames("iprev.unanswered")
    }

    private mutating func takeAuthor(_ event: MailEvent) throws(UnreadableFact) {
        guard let author = event.author else { return }
        fromDomains = try author.domains.domainNames("author.domains")
        fromCount = author.count
        self.author = try author.reading.word("author.reading")
    }

    private mutating func takeSenderID(_ event: MailEvent) throws(UnreadableFact) {
        pra = event.facts?.pra.map { MailAddress($0, event.addresses) }
        guard let senderID = event.senderID else { return }
        results.senderID = try senderID.result.resultWord("sender_id")
        senderIDAligned = try event.facts?.senderIDAligned?.resultWord("facts.sender_id_aligned") ?? ResultWord.none
        senderIDExplanation = senderID.explanation
    }

    private mutating func takeSignatures(_ event: MailEvent) throws(UnreadableFact) {
        guard let signatures = event.dkim else { return }
        results.dkim = try event.facts?.dkim?.resultWord("facts.dkim") ?? ResultWord.none
        // RFC 6376 § 3.6.1, t=y: such a signature counts as if it were not there.
        let counted = signatures.filter { !$0.testing }
        dkimDomains = try counted.domains(of: .pass)
        unansweredDKIMDomains = try counted.domains(of: .temperror)
    }

    private mutating func takeChain(_ event: MailEvent) throws(UnreadableFact) {
        guard let arc = event.arc else { return }
        let result: ResultWord = try arc.result.resultWord("arc")
        let sealer = try (arc.sealer.map { [$0] } ?? []).domainNames("arc.sealer")
        results.arc = result
        arcSealers = arc.vouches ? sealer : []
        unansweredARCSealers = result == .temperror ? sealer : []
    }

    private mutating func takePolicy(_ event: MailEvent) throws(UnreadableFact) {
        guard let dmarc = event.dmarc else { return }
        let result: ResultWord = try dmarc.result.resultWord("dmarc")
        results.dmarc = result
        dkimAligned = try event.facts?.dkimAligned?.resultWord("facts.dkim_aligned") ?? ResultWord.none
        // If the record could not be looked up, it is unknown whether there is one.
        guard dmarc.published != nil || result != .temperror else { return }
        dmarcPolicy = try dmarc.effective?.word("dmarc.effective") ?? .absent
        dmarcPublished = try dmarc.published?.word("dmarc.published") ?? .absent
    }
}

extension MailAddress {
    /// An address of an event.
    public init(_ text: String, _ addresses: MailEvent.Addresses) {
        switch addresses {
        case .full: self.init(text)
        // `@[IPv6:...]` is no source route.
        case .domains: self.init(mailbox: Octets(text))
        }
    }
}

extension [MailEvent.Signature] {
    fileprivate func domains(of result: ResultWord) throws(UnreadableFact) -> [DomainName] {
        var texts = [String]()
        for signature in self where signature.result == result.rawValue {
            if let domain = signature.d { texts.append(domain) }
        }
        return try texts.domainNames("dkim.d")
    }
}

extension [String] {
    fileprivate func domainNames(_ member: String) throws(UnreadableFact) -> [DomainName] {
        var names = [DomainName]()
        for text in self {
            guard let name = try? DomainName(escaped: Octets(text)) else { throw UnreadableFact(member: member) }
            names.append(name)
        }
        return names
    }
}

extension String {
    fileprivate func resultWord(_ member: String) throws(UnreadableFact) -> ResultWord { try word(member) }

    /// The word of an event as a value; `member` is where it stands.
    package func word<Word: RawRepresentable<String>>(_ member: String) throws(UnreadableFact) -> Word {
        guard let word = Word(rawValue: self) else { throw UnreadableFact(member: member) }
        return word
    }
}
