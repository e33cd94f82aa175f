public import MailSyntax

/// The result of `iprev`, in the words of RFC 8601 § 2.7.3.
public enum ReverseNameResult: String, Hashable, Sendable, CaseIterable {
    /// A name of the address has the address.
    case pass
    /// The address has names, but none of them has the address.
    case fail
    /// A question was not answered.
    case temperror
    /// The address has no name.
    case permerror
}

/// What the DNS says of a client's address (RFC 8601 § 3, the "iprev" method).
public struct ReverseNameOutcome: Hashable, Sendable {
    /// The result.
    public let result: ReverseNameResult
    /// The name that has the address; nil unless the result is `pass`.
    public let name: DomainName?
    /// The names that the address claims, whether they have it or not, as far as they were looked at.
    public let claimedNames: [DomainName]

    init(_ result: ReverseNameResult, name: DomainName? = nil, claimedNames: [DomainName] = []) {
        self.result = result
        self.name = name
        self.claimedNames = claimedNames
    }
}

extension DNSResolving {
    /// Looks up the names of an address, and the addresses of these names, until one of them has the address.
    ///
    /// - Parameter limit: how many names are looked at. RFC 8601 § 3 wants a limit and mentions the ten of RFC 7208.
    public func reverseName(of address: IPAddress, limit: Int = 10) async -> ReverseNameOutcome {
        let address = address.unmapped
        let names: [DomainName]
        switch await answer(DNSQuestion(address.reverseName, .ptr)) {
        case .failure: return ReverseNameOutcome(.temperror)
        case .success(let answer):
            names = answer.records.lazy.compactMap { if case .ptr(let name) = $0 { name } else { nil } }.prefix(limit)
                .map { $0 }
        }
        // RFC 8601 § 2.7.3: permerror when no PTR data are published.
        guard !names.isEmpty else { return ReverseNameOutcome(.permerror) }
        var isComplete = true
        for name in names {
            switch await answer(DNSQuestion(name, address.bitWidth == 32 ? .a : .aaaa)) {
            case .success(let answer):
                guard answer.addresses.contains(where: { $0.unmapped == address }) else { continue }
                return ReverseNameOutcome(.pass, name: name, claimedNames: names)
            case .failure: isComplete = false
            }
        }
        return ReverseNameOutcome(isComplete ? .fail : .temperror, claimedNames: names)
    }

    /// Answers from what is at hand, or by asking.
    private func answer(_ question: DNSQuestion) async -> Result<DNSAnswer, DNSLookupError> {
        if let reply = answerAtHand(question) { return reply.result }
        return await lookUp(question).result
    }
}
