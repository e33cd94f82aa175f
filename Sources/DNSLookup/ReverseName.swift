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

/// The way from an address to its names, and back to addresses.
private struct ReverseNameSearch {
    private let address: IPAddress
    private let limit: Int
    private var names: [DomainName] = []
    private var position = 0
    private var isComplete = true
    /// What has to be known next.
    private(set) var question: DNSQuestion
    /// What came of it, once that is known.
    private(set) var outcome: ReverseNameOutcome?

    init(_ address: IPAddress, limit: Int) {
        self.address = address.unmapped
        self.limit = limit
        question = DNSQuestion(self.address.reverseName, .ptr)
    }

    mutating func take(_ reply: DNSReply) {
        if question.type == .ptr { takeNames(reply) } else { takeAddresses(reply) }
        guard outcome == nil else { return }
        if position < names.count {
            question = DNSQuestion(names[position], address.bitWidth == 32 ? .a : .aaaa)
        } else {
            outcome = ReverseNameOutcome(isComplete ? .fail : .temperror, claimedNames: names)
        }
    }

    private mutating func takeNames(_ reply: DNSReply) {
        guard case .success(let answer) = reply.result else {
            outcome = ReverseNameOutcome(.temperror)
            return
        }
        for case .ptr(let name) in answer.records where names.count < limit { names.append(name) }
        // RFC 8601 § 2.7.3: permerror when no PTR data are published.
        if names.isEmpty { outcome = ReverseNameOutcome(.permerror) }
    }

    private mutating func takeAddresses(_ reply: DNSReply) {
        switch reply.result {
        case .success(let answer):
            if answer.addresses.contains(where: { $0.unmapped == address }) {
                outcome = ReverseNameOutcome(.pass, name: question.name, claimedNames: names)
            }
        case .failure: isComplete = false
        }
        position += 1
    }
}

extension DNSResolving {
    /// Looks up the names of an address, and the addresses of these names, until one of them has the address.
    ///
    /// - Parameters:
    ///   - address: the address.
    ///   - limit: how many names are looked at. RFC 8601 § 3 wants a limit and mentions the ten of RFC 7208.
    public func reverseName(of address: IPAddress, limit: Int = 10) async -> ReverseNameOutcome {
        var search = ReverseNameSearch(address, limit: limit)
        while true {
            if let outcome = search.outcome { return outcome }
            if let reply = answerAtHand(search.question) {
                search.take(reply)
            } else {
                search.take(await lookUp(search.question))
            }
        }
    }

    /// The same when every answer is at hand; nil when one has to be waited for.
    public func reverseNameAtHand(of address: IPAddress, limit: Int = 10) -> ReverseNameOutcome? {
        var search = ReverseNameSearch(address, limit: limit)
        while search.outcome == nil {
            guard let reply = answerAtHand(search.question) else { return nil }
            search.take(reply)
        }
        return search.outcome
    }
}
