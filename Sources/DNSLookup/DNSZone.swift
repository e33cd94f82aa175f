public import MailSyntax

/// A table of names that answers like an authoritative server: for tests, demonstrations and "what if".
public struct DNSZone: DNSResolving {
    private enum Entry: Sendable {
        case records([DNSRecord])
        case failure(DNSLookupError)
    }

    /// How far an alias is followed.
    static let longestAliasChain = 8

    private var entries: [DomainName: [DNSRecordType: Entry]] = [:]
    private var aliases: [DomainName: DomainName] = [:]
    private var failures: [DomainName: DNSLookupError] = [:]
    /// Every name that exists, those with nothing but names below them included (RFC 8020).
    private var existing: Set<DomainName> = []
    private var timeToLive: UInt32

    /// A zone without names; its answers carry this TTL, in seconds.
    public init(timeToLive: UInt32 = 300) {
        self.timeToLive = timeToLive
    }

    /// Adds a record at a name.
    public mutating func add(_ record: DNSRecord, at name: DomainName) {
        let type: DNSRecordType =
            switch record {
            case .a: .a
            case .aaaa: .aaaa
            case .mx: .mx
            case .ptr: .ptr
            case .txt: .txt
            }
        if case .records(let known)? = entries[name]?[type] {
            entries[name]?[type] = .records(known + [record])
        } else {
            entries[name, default: [:]][type] = .records([record])
        }
        addExistence(of: name)
    }

    /// Makes a name an alias (CNAME) of another.
    public mutating func add(alias name: DomainName, of target: DomainName) {
        aliases[name] = target
        addExistence(of: name)
    }

    /// Makes questions about a name fail: those of one type, or all that have no records here.
    public mutating func add(failure: DNSLookupError, at name: DomainName, type: DNSRecordType? = nil) {
        if let type {
            entries[name, default: [:]][type] = .failure(failure)
        } else {
            failures[name] = failure
        }
        addExistence(of: name)
    }

    private mutating func addExistence(of name: DomainName) {
        var ancestor: DomainName? = name
        while let current = ancestor, existing.insert(current).inserted { ancestor = current.parent }
    }

    /// Answers at once.
    public func answer(_ question: DNSQuestion) -> Result<DNSAnswer, DNSLookupError> {
        var name = question.name
        for _ in 0...Self.longestAliasChain {
            switch entries[name]?[question.type] {
            case .records(let records):
                return .success(DNSAnswer(question, records: records, timeToLive: timeToLive))
            case .failure(let error): return .failure(error)
            case nil: break
            }
            if let target = aliases[name] {
                name = target
            } else if let failure = failures[name] {
                return .failure(failure)
            } else {
                let status: DNSAnswer.Status = existing.contains(name) ? .noData : .noSuchName
                return .success(DNSAnswer(question, negative: status, timeToLive: timeToLive))
            }
        }
        return .failure(.aliasLoop)
    }

    /// Answers at once.
    public func lookUp(_ question: DNSQuestion) async -> DNSReply {
        DNSReply(answer(question), source: .zone)
    }

    /// Answers at once.
    public func answerAtHand(_ question: DNSQuestion) -> DNSReply? {
        DNSReply(answer(question), source: .zone)
    }
}
