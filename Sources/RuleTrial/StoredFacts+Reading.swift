internal import MailEvents
internal import MailSyntax
internal import Policy

extension StoredFacts {
    /// Why stored facts cannot be read.
    public enum ReadingError: Error, Sendable {
        /// They are of a later version, or there are none.
        case unknownVersion
        /// They end early, or say what no writer says.
        case damaged
    }

    /// Reads what `octets` has written.
    public init(octets: [UInt8]) throws(ReadingError) {
        guard let version = octets.first, (1...Self.version).contains(version) else { throw .unknownVersion }
        self.init()
        var reader = OctetReader(octets)
        do throws(OctetReader.Damaged) {
            try read(&reader)
        } catch {
            throw .damaged
        }
    }

    private mutating func read(_ reader: inout OctetReader) throws(OctetReader.Damaged) {
        _ = try reader.octet()
        let first = try reader.octet()
        guard let subject = Subject(rawValue: first >> 4) else { throw OctetReader.Damaged() }
        self.subject = subject
        addresses = try OctetReader.word(first & 0xF, StoredWords.addresses) ?? .full
        let parts = StoredParts(rawValue: try reader.number())
        isAnswered = !parts.contains(.isUnanswered)
        isRelayed = parts.contains(.relayed)
        isRelayUnreadable = parts.contains(.relayUnreadable)
        hasProblem = parts.contains(.hasProblem)
        hasContent = parts.contains(.hasContent)
        try readWords(&reader)
        if parts.contains(.arc) { facts.results.arc = try reader.definiteWord(StoredWords.results) }
        if parts.contains(.path) { try facts.readPath(&reader) }
        try facts.readEnvelope(parts, &reader)
        try facts.readNames(parts, &reader)
        try readRecipients(parts, &reader)
        try recorded.read(parts, recipientCount: recipients.count, &reader)
        guard reader.isAtEnd else { throw OctetReader.Damaged() }
    }

    private mutating func readWords(_ reader: inout OctetReader) throws(OctetReader.Damaged) {
        (facts.results.spf, facts.results.spfHelo) = try reader.pair(StoredWords.results, StoredWords.results)
        (facts.results.senderID, facts.results.dkim) = try reader.pair(StoredWords.results, StoredWords.results)
        (facts.results.dmarc, facts.results.iprev) = try reader.pair(StoredWords.results, StoredWords.results)
        (facts.senderIDAligned, facts.dkimAligned) = try reader.pair(StoredWords.results, StoredWords.results)
        (facts.dmarcPolicy, facts.dmarcPublished) = try reader.pair(StoredWords.policies, StoredWords.policies)
        (facts.author, obstacle) = try reader.pair(StoredWords.readings, StoredWords.obstacles)
    }

    private mutating func readRecipients(
        _ parts: StoredParts,
        _ reader: inout OctetReader
    ) throws(OctetReader.Damaged) {
        let count = try reader.count()
        recipients.reserveCapacity(count)
        for _ in 0..<count { recipients.append(MailAddress(mailbox: try reader.text())) }
        if parts.contains(.unnamed) { unnamed = try reader.number() }
        guard parts.contains(.early) else { return }
        for _ in 0..<(try reader.count()) {
            let known = try reader.octet()
            early.append(
                Early(
                    known: StoredWords.checks.enumerated().filter { known >> UInt8($0.offset) & 1 == 1 }.map(\.element),
                    recipients: try reader.places(below: count)
                )
            )
        }
    }
}

extension OctetReader {
    /// The words of two numbers of four bits.
    fileprivate mutating func pair<One, Other>(
        _ words: [One],
        _ others: [Other]
    ) throws(Damaged) -> (One?, Other?) {
        let octet = try octet()
        return (try Self.word(octet >> 4, words), try Self.word(octet & 0xF, others))
    }
}

extension PolicyFacts {
    fileprivate mutating func readPath(_ reader: inout OctetReader) throws(OctetReader.Damaged) {
        let octet = try reader.octet()
        listVerified = try OctetReader.word(octet >> 4, StoredWords.truths) ?? .unknown
        forwarded = try OctetReader.word(octet >> 2 & 3, StoredWords.truths) ?? .unknown
        spfOpen = try OctetReader.word(octet & 3, StoredWords.truths) ?? .unknown
    }

    fileprivate mutating func readEnvelope(
        _ parts: StoredParts,
        _ reader: inout OctetReader
    ) throws(OctetReader.Damaged) {
        if parts.contains(.client4) {
            client = .v4(IPv4Address(try reader.fixed()))
        } else if parts.contains(.client6) {
            client = .v6(IPv6Address(high: try reader.fixed(), low: try reader.fixed()))
        }
        if parts.contains(.helo) { helo = try reader.text().text }
        if parts.contains(.mailFrom) { mailFrom = MailAddress(mailbox: try reader.text()) }
        if parts.contains(.praIsMailFrom) { pra = mailFrom }
        if parts.contains(.pra) { pra = MailAddress(mailbox: try reader.text()) }
        if parts.contains(.fromCount) { fromCount = try reader.number() }
        if parts.contains(.authenticated) { authenticated = parts.contains(.isAuthenticated) }
        if parts.contains(.explanation) { explanation = try reader.text().text }
        if parts.contains(.senderIDExplanation) { senderIDExplanation = try reader.text().text }
    }

    fileprivate mutating func readNames(
        _ parts: StoredParts,
        _ reader: inout OctetReader
    ) throws(OctetReader.Damaged) {
        let count = try reader.count()
        var names = [DomainName]()
        names.reserveCapacity(count)
        for _ in 0..<count {
            guard let name = try? DomainName(wire: try reader.text()) else { throw OctetReader.Damaged() }
            names.append(name)
        }
        if parts.contains(.fromDomains) { fromDomains = try reader.list(names) }
        if parts.contains(.dkimDomains) { dkimDomains = try reader.list(names) }
        if parts.contains(.clientNames) { clientNames = try reader.list(names) }
        if parts.contains(.unansweredDKIMDomains) { unansweredDKIMDomains = try reader.list(names) }
        if parts.contains(.unansweredClientNames) { unansweredClientNames = try reader.list(names) }
        if parts.contains(.arcSealers) { arcSealers = try reader.list(names) }
        if parts.contains(.unansweredARCSealers) { unansweredARCSealers = try reader.list(names) }
        if parts.contains(.listDomains) { listDomains = try reader.list(names) }
    }
}

extension OctetReader {
    fileprivate mutating func list(_ names: [DomainName]) throws(Damaged) -> [DomainName] {
        let count = try count()
        var list = [DomainName]()
        list.reserveCapacity(count)
        for _ in 0..<count {
            let place = try number()
            guard names.indices.contains(place) else { throw Damaged() }
            list.append(names[place])
        }
        return list
    }
}

extension OctetReader {
    /// The name of a rule; nil where there is none.
    fileprivate mutating func name() throws(Damaged) -> String? {
        let name = try text()
        return name.isEmpty ? nil : name.text
    }
}

extension RecordedVerdict {
    fileprivate mutating func read(
        _ parts: StoredParts,
        recipientCount: Int,
        _ reader: inout OctetReader
    ) throws(OctetReader.Damaged) {
        let first = try reader.octet()
        mode = try OctetReader.word(first >> 6, StoredWords.modes) ?? .observe
        stage = try OctetReader.word(first >> 4 & 3, StoredWords.stages) ?? .endOfMessage
        action = try OctetReader.word(first & 0xF, StoredWords.actions) ?? .accept
        if parts.contains(.rule) { rule = try reader.text().text }
        if parts.contains(.would) {
            let action = try reader.definiteWord(StoredWords.actions)
            let stage = try reader.definiteWord(StoredWords.stages)
            would = Match(action: action, rule: try reader.name(), stage: stage)
        }
        guard parts.contains(.refused) else { return }
        for _ in 0..<(try reader.count()) {
            let action = try reader.definiteWord(StoredWords.actions)
            let rule = try reader.name()
            refused.append(
                Refusal(
                    action: action,
                    rule: rule,
                    recipients: try reader.places(below: recipientCount)
                )
            )
        }
    }
}
