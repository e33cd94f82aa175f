public import MailSyntax

/// A table of names that answers like an authoritative server: for tests, demonstrations and "what if".
///
/// A name whose first label is `*` is a wildcard (RFC 4592).
public struct DNSZone: DNSResolving {
    private struct RecordSet: Sendable {
        var records: [DNSRecord]
        var timeToLive: UInt32
    }

    /// The data at one name; a name that only has names below it has an empty node (RFC 8020).
    private struct Node: Sendable {
        var sets: [DNSRecordType: RecordSet] = [:]
        var failures: [DNSRecordType: DNSLookupError] = [:]
        var failure: DNSLookupError?
        var alias: DomainName?
        var aliasTimeToLive: UInt32 = .max
    }

    private var nodes: [DomainName: Node] = [:]
    private let timeToLive: UInt32

    /// A zone without names; `timeToLive`, in seconds, is the TTL of records without a TTL of their own.
    public init(timeToLive: UInt32 = 300) {
        self.timeToLive = timeToLive
    }

    /// Adds a record at a name.
    public mutating func add(_ record: DNSRecord, at name: DomainName, timeToLive: UInt32? = nil) {
        let timeToLive = timeToLive ?? self.timeToLive
        update(name) { node in
            var set = node.sets[record.type] ?? RecordSet(records: [], timeToLive: timeToLive)
            set.records.append(record)
            // RFC 2181 § 5.2: the TTLs of one set ought to be equal; where they differ, the smallest is safe.
            set.timeToLive = min(set.timeToLive, timeToLive)
            node.sets[record.type] = set
        }
    }

    /// Makes a name an alias (CNAME) of another.
    public mutating func add(alias name: DomainName, of target: DomainName, timeToLive: UInt32? = nil) {
        let timeToLive = timeToLive ?? self.timeToLive
        update(name) { node in
            node.alias = target
            node.aliasTimeToLive = timeToLive
        }
    }

    /// Makes questions about a name fail: those for one type, or all questions for which there are no records here.
    public mutating func add(failure: DNSLookupError, at name: DomainName, type: DNSRecordType? = nil) {
        update(name) { node in
            if let type { node.failures[type] = failure } else { node.failure = failure }
        }
    }

    /// Makes a name exist without records.
    public mutating func add(existing name: DomainName) {
        update(name) { _ in }
    }

    private mutating func update(_ name: DomainName, _ change: (inout Node) -> Void) {
        change(&nodes[name, default: Node()])
        var ancestor = name.parent
        while let current = ancestor, nodes[current] == nil {
            nodes[current] = Node()
            ancestor = current.parent
        }
    }

    /// The node that answers for a name: its own, or that of the wildcard that covers it; nil when there is none.
    private func node(for name: DomainName) -> Node? {
        if let node = nodes[name] { return node }
        // RFC 4592 § 3.3.1: the closest encloser is the longest ancestor that exists; the source of synthesis is the
        // asterisk label just below it, and no other wildcard is looked for.
        var ancestor = name.parent
        while let current = ancestor {
            if nodes[current] != nil {
                let wildcard = try? DomainName(labels: [Octets("*")] + current.labels)
                return wildcard.flatMap { nodes[$0] }
            }
            ancestor = current.parent
        }
        return nil
    }

    /// Answers at once.
    public func answer(_ question: DNSQuestion) -> Result<DNSAnswer, DNSLookupError> {
        var name = question.name
        var path = AliasPath(from: name)
        var leastTimeToLive = UInt32.max
        while true {
            guard let node = node(for: name) else {
                return .success(
                    DNSAnswer(question, negative: .noSuchName, timeToLive: min(leastTimeToLive, timeToLive))
                )
            }
            if let set = node.sets[question.type] {
                let timeToLive = min(leastTimeToLive, set.timeToLive)
                return .success(DNSAnswer(question, records: set.records, timeToLive: timeToLive))
            }
            if let failure = node.failures[question.type] { return .failure(failure) }
            if let target = node.alias {
                do throws(DNSLookupError) { try path.follow(target) } catch { return .failure(error) }
                name = target
                leastTimeToLive = min(leastTimeToLive, node.aliasTimeToLive)
            } else if let failure = node.failure {
                return .failure(failure)
            } else {
                return .success(DNSAnswer(question, negative: .noData, timeToLive: min(leastTimeToLive, timeToLive)))
            }
        }
    }

    /// Answers at once.
    public func lookUp(_ question: DNSQuestion) async -> DNSReply {
        DNSReply(answer(question), source: .zone)
    }

    /// Answers every question.
    public func answerAtHand(_ question: DNSQuestion) -> DNSReply? {
        DNSReply(answer(question), source: .zone)
    }
}
