public import DNSLookup
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

/// Which name an address has: the names that it claims are looked up until one of them has the address (RFC 8601 § 3).
public struct ReverseNameInquiry: DNSInquiry {
    private let address: IPAddress
    private let limit: Int

    /// Asks about an address.
    ///
    /// - Parameter limit: how many names are looked at. RFC 8601 § 3 wants a limit and mentions the ten of RFC 7208.
    public init(of address: IPAddress, limit: Int = 10) {
        self.address = address.unmapped
        self.limit = limit
    }

    /// Goes from the address to its names, and back to addresses; nothing is asked ahead, because most have one name.
    public func pass(over answers: inout DNSAnswers) -> ReverseNameOutcome? {
        guard let reply = answers.reply(to: DNSQuestion(address.reverseName, .ptr)) else { return nil }
        guard case .success(let answer) = reply.result else { return ReverseNameOutcome(.temperror) }
        let names = answer.records.lazy.compactMap { if case .ptr(let name) = $0 { name } else { nil } }.prefix(limit)
        // RFC 8601 § 2.7.3: permerror when no PTR data are published.
        guard !names.isEmpty else { return ReverseNameOutcome(.permerror) }
        var result = ReverseNameResult.fail
        for name in names {
            guard let reply = answers.reply(to: DNSQuestion(name, address.bitWidth == 32 ? .a : .aaaa)) else {
                return nil
            }
            switch reply.result {
            case .failure: result = .temperror
            case .success(let answer) where answer.addresses.contains(where: { $0.unmapped == address }):
                return ReverseNameOutcome(.pass, name: name, claimedNames: Array(names))
            case .success: continue
            }
        }
        return ReverseNameOutcome(result, claimedNames: Array(names))
    }
}
