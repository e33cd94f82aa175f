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

/// The DNS's statements about a client's address (RFC 8601 § 3, the "iprev" method).
public struct ReverseNameOutcome: Hashable, Sendable {
    /// The result.
    public let result: ReverseNameResult
    /// The names that have the address, in the order of the answer; empty unless the result is `pass`.
    public let names: [DomainName]
    /// The names for which no server said whether they have the address.
    public let unansweredNames: [DomainName]
    /// The names that the address claims, whether they have it or not, up to the limit.
    public let claimedNames: [DomainName]

    init(
        _ result: ReverseNameResult,
        names: [DomainName] = [],
        unanswered: [DomainName] = [],
        claimedNames: [DomainName] = []
    ) {
        self.result = result
        self.names = names
        unansweredNames = unanswered
        self.claimedNames = claimedNames
    }
}

extension ReverseNameOutcome {
    /// Why the result is not `pass`, in words; nil when it is.
    public var problem: String? {
        func list(_ names: [DomainName]) -> String { names.map(\.description).joined(separator: ", ") }
        return switch result {
        case .pass: nil
        case .permerror: "the address has no name"
        case .fail:
            "it claims \(list(claimedNames)), which \(claimedNames.count == 1 ? "does" : "do") not have the address"
        case .temperror where unansweredNames.isEmpty: "no answer for the names of the address"
        case .temperror: "no answer for the addresses of \(list(unansweredNames))"
        }
    }
}

/// Which names an address has: the names that it claims are looked up (RFC 8601 § 3).
///
/// All of them are looked up, because name servers return them in any order, and a rule may use any of them.
public struct ReverseNameInquiry: DNSInquiry {
    private let address: IPAddress
    private let limit: Int

    /// Asks about an address.
    ///
    /// - Parameters:
    ///   - address: the client's address.
    ///   - limit: how many names are looked up. RFC 8601 § 3 asks for a limit and mentions the ten of RFC 7208.
    public init(of address: IPAddress, limit: Int = 10) {
        self.address = address.unmapped
        self.limit = limit
    }

    /// Looks up the address's names, and then the addresses of the names.
    public func pass(over answers: inout DNSAnswers) -> ReverseNameOutcome? {
        guard let reply = answers.reply(to: DNSQuestion(address.reverseName, .ptr)) else { return nil }
        guard case .success(let answer) = reply.result else { return ReverseNameOutcome(.temperror) }
        let claimed = Array(
            answer.records.lazy.compactMap { if case .ptr(let name) = $0 { name } else { nil } }.prefix(limit)
        )
        // RFC 8601 § 2.7.3: permerror when no PTR data are published.
        guard !claimed.isEmpty else { return ReverseNameOutcome(.permerror) }
        var (names, unanswered) = ([DomainName](), [DomainName]())
        for name in claimed {
            switch answers.reply(to: DNSQuestion(name, address.bitWidth == 32 ? .a : .aaaa))?.result {
            case .success(let answer):
                if answer.addresses.contains(where: { $0.unmapped == address }) { names.append(name) }
            case .failure: unanswered.append(name)
            case nil: continue
            }
        }
        let result: ReverseNameResult = !names.isEmpty ? .pass : unanswered.isEmpty ? .fail : .temperror
        return ReverseNameOutcome(result, names: names, unanswered: unanswered, claimedNames: claimed)
    }
}
