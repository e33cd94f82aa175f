internal import MailSyntax
internal import Policy

extension StoredFacts {
    /// The version of the form in `octets`.
    ///
    /// Version 2 adds how a message came; the parts that version 1 has are the same.
    public static let version: UInt8 = 2

    /// The facts in a compact form, which `init(octets:)` reads.
    ///
    /// The version, the parts that are there, the words, and then the parts in the order of `StoredParts`. A domain name
    /// that occurs in several parts is written once.
    public var octets: [UInt8] {
        var writer = OctetWriter(capacity: 256)
        writer.octet(Self.version)
        writer.octet(subject.rawValue << 4 | OctetWriter.number(of: addresses, StoredWords.addresses))
        let parts = parts
        writer.number(parts.rawValue)
        writeWords(to: &writer)
        if parts.contains(.arc) { writer.octet(OctetWriter.number(of: facts.results.arc, StoredWords.results)) }
        if parts.contains(.path) { writePath(to: &writer) }
        writeEnvelope(parts, to: &writer)
        writeNames(parts, to: &writer)
        writeRecipients(parts, to: &writer)
        recorded.write(parts, to: &writer)
        return writer.octets
    }

    private var parts: StoredParts {
        var parts = facts.parts.union(recorded.parts)
        func insert(_ part: StoredParts, _ isThere: Bool) { if isThere { parts.insert(part) } }
        insert(.isUnanswered, !isAnswered)
        insert(.relayed, isRelayed)
        insert(.relayUnreadable, isRelayUnreadable)
        insert(.hasProblem, hasProblem)
        insert(.hasContent, hasContent)
        insert(.early, !early.isEmpty)
        insert(.unnamed, unnamed > 0)
        return parts
    }

    private func writeWords(to writer: inout OctetWriter) {
        let results = StoredWords.checks.map { facts.results[$0] } + [facts.senderIDAligned, facts.dkimAligned]
        for pair in stride(from: 0, to: results.count, by: 2) {
            let numbers = results[pair..<pair + 2].map { OctetWriter.number(of: $0, StoredWords.results) }
            writer.octet(numbers.reduce(0) { $0 << 4 | $1 })
        }
        writer.octet(
            OctetWriter.number(of: facts.dmarcPolicy, StoredWords.policies) << 4
                | OctetWriter.number(of: facts.dmarcPublished, StoredWords.policies)
        )
        writer.octet(
            OctetWriter.number(of: facts.author, StoredWords.readings) << 4
                | OctetWriter.number(of: obstacle, StoredWords.obstacles)
        )
    }

    private func writePath(to writer: inout OctetWriter) {
        let truths = [facts.listVerified, facts.forwarded, facts.spfOpen]
        // The place from 1, so that what is not known is 0; two bits each.
        let numbers = truths.map { OctetWriter.number(of: $0, StoredWords.truths) }
        writer.octet(numbers.reduce(0) { $0 << 2 | $1 })
    }

    private func writeEnvelope(_ parts: StoredParts, to writer: inout OctetWriter) {
        switch facts.client {
        case .v4(let address)?: writer.fixed(address.value)
        case .v6(let address)?:
            writer.fixed(address.high)
            writer.fixed(address.low)
        case nil: break
        }
        if let helo = facts.helo { writer.text(helo) }
        if let mailFrom = facts.mailFrom { writer.text(mailFrom.text) }
        if parts.contains(.pra) { writer.text(facts.pra?.text ?? "") }
        if let count = facts.fromCount { writer.number(count) }
        if let explanation = facts.explanation { writer.text(explanation) }
        if let explanation = facts.senderIDExplanation { writer.text(explanation) }
    }

    private func writeNames(_ parts: StoredParts, to writer: inout OctetWriter) {
        var names = [DomainName]()
        var places = [DomainName: Int]()
        var lists = [[Int]]()
        for list in facts.lists where parts.contains(list.part) {
            for name in list.names where places[name] == nil {
                places[name] = names.count
                names.append(name)
            }
            lists.append(list.names.compactMap { places[$0] })
        }
        writer.number(names.count)
        for name in names {
            writer.number(name.wire.count)
            for octet in name.wire { writer.octet(octet) }
        }
        for list in lists { writer.numbers(list) }
    }

    private func writeRecipients(_ parts: StoredParts, to writer: inout OctetWriter) {
        writer.number(recipients.count)
        for recipient in recipients { writer.text(recipient.text) }
        if parts.contains(.unnamed) { writer.number(unnamed) }
        guard parts.contains(.early) else { return }
        writer.number(early.count)
        for group in early {
            let known = StoredWords.checks.enumerated().filter { group.known.contains($0.element) }
            writer.octet(known.reduce(0) { $0 | 1 << UInt8(truncatingIfNeeded: $1.offset) })
            writer.numbers(group.recipients)
        }
    }
}

extension PolicyFacts {
    /// The lists of domain names in their order in stored facts.
    fileprivate var lists: [(part: StoredParts, names: [DomainName])] {
        [
            (.fromDomains, fromDomains ?? []), (.dkimDomains, dkimDomains ?? []), (.clientNames, clientNames ?? []),
            (.unansweredDKIMDomains, unansweredDKIMDomains), (.unansweredClientNames, unansweredClientNames),
            (.arcSealers, arcSealers ?? []), (.unansweredARCSealers, unansweredARCSealers),
            (.listDomains, listDomains ?? []),
        ]
    }

    fileprivate var parts: StoredParts {
        var parts = StoredParts()
        func insert(_ part: StoredParts, _ isThere: Bool) { if isThere { parts.insert(part) } }
        switch client {
        case .v4?: parts.insert(.client4)
        case .v6?: parts.insert(.client6)
        case nil: break
        }
        insert(.helo, helo != nil)
        insert(.mailFrom, mailFrom != nil)
        // As text, which is what is written: octets that are not UTF-8 are not kept.
        insert(pra?.text == mailFrom?.text ? .praIsMailFrom : .pra, pra != nil)
        insert(.fromCount, fromCount != nil)
        insert(.authenticated, authenticated != nil)
        insert(.isAuthenticated, authenticated == true)
        insert(.fromDomains, fromDomains != nil)
        insert(.dkimDomains, dkimDomains != nil)
        insert(.clientNames, clientNames != nil)
        insert(.unansweredDKIMDomains, !unansweredDKIMDomains.isEmpty)
        insert(.unansweredClientNames, !unansweredClientNames.isEmpty)
        insert(.arc, results.arc != nil)
        insert(.arcSealers, arcSealers != nil)
        insert(.unansweredARCSealers, !unansweredARCSealers.isEmpty)
        insert(.path, listVerified != .unknown || forwarded != .unknown || spfOpen != .unknown)
        insert(.listDomains, listDomains != nil)
        insert(.explanation, explanation != nil)
        insert(.senderIDExplanation, senderIDExplanation != nil)
        return parts
    }
}

extension RecordedVerdict {
    fileprivate var parts: StoredParts {
        var parts = StoredParts()
        if !refused.isEmpty { parts.insert(.refused) }
        if rule != nil { parts.insert(.rule) }
        if would != nil { parts.insert(.would) }
        return parts
    }

    fileprivate func write(_ parts: StoredParts, to writer: inout OctetWriter) {
        writer.octet(
            OctetWriter.number(of: mode, StoredWords.modes) << 6 | OctetWriter.number(of: stage, StoredWords.stages)
                << 4
                | OctetWriter.number(of: action, StoredWords.actions)
        )
        if let rule { writer.text(rule) }
        if let would {
            writer.word(would.action, StoredWords.actions)
            writer.word(would.stage, StoredWords.stages)
            writer.text(would.rule ?? "")
        }
        guard parts.contains(.refused) else { return }
        writer.number(refused.count)
        for refusal in refused {
            writer.word(refusal.action, StoredWords.actions)
            writer.text(refusal.rule ?? "")
            writer.numbers(refusal.recipients)
        }
    }
}
