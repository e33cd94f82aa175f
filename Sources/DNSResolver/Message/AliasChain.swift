internal import CLDNS
internal import DNSLookup
internal import MailSyntax

/// The answer to a question in an answer section: only records that the chain of CNAME records reaches count.
struct AliasChain {
    /// The name at the end of the aliases; the question's name when there are no aliases.
    private(set) var end: DomainName
    /// The records of the type asked for at the end.
    private(set) var records: [DNSRecord] = []
    /// The path to the end.
    private(set) var path: AliasPath
    /// Why the aliases could not be followed to their end.
    private(set) var failure: DNSLookupError?
    /// The smallest TTL of all records used.
    private(set) var timeToLive = UInt32.max

    private struct Alias {
        let owner: DomainName
        let target: DomainName
        let timeToLive: UInt32
    }

    private struct Candidate {
        let owner: DomainName
        let record: DNSRecord
        let timeToLive: UInt32
    }

    /// Follows the aliases from the question's name; earlier aliases may have led to that name.
    init(
        _ frames: [MessageReader.Frame],
        of reader: MessageReader,
        question: DNSQuestion,
        path: AliasPath
    ) throws(MessageReader.Malformed) {
        end = question.name
        self.path = path
        var aliases = [Alias]()
        var candidates = [Candidate]()
        for frame in frames {
            let isAlias = frame.type == UInt16(LDNS_RR_TYPE_CNAME.rawValue)
            guard isAlias || frame.type == question.type.rawValue else { continue }
            try Self.check(frame, reader)
            guard let record = ResourceRecord(in: reader.octets, at: frame.offset), record.isInternet else { continue }
            guard let owner = record.owner else { throw MessageReader.Malformed() }
            if isAlias, let target = record.aliasTarget {
                aliases.append(Alias(owner: owner, target: target, timeToLive: record.timeToLive))
            } else if let data = record.record {
                candidates.append(Candidate(owner: owner, record: data, timeToLive: record.timeToLive))
            } else {
                throw MessageReader.Malformed()
            }
        }
        while true {
            let found = candidates.filter { $0.owner == end }
            guard found.isEmpty, let alias = aliases.first(where: { $0.owner == end }) else {
                records = found.map(\.record)
                timeToLive = found.reduce(timeToLive) { min($0, $1.timeToLive) }
                return
            }
            do throws(DNSLookupError) {
                try self.path.follow(alias.target)
            } catch {
                failure = error
                return
            }
            end = alias.target
            timeToLive = min(timeToLive, alias.timeToLive)
        }
    }

    /// Checks the data of the types that we read against the layout in RFC 1035 § 3.3.
    private static func check(
        _ frame: MessageReader.Frame,
        _ reader: MessageReader
    ) throws(MessageReader.Malformed) {
        switch DNSRecordType(rawValue: frame.type) {
        case .a: try reader.check(frame, names: 0, after: 4)
        case .aaaa: try reader.check(frame, names: 0, after: 16)
        case .mx: try reader.check(frame, names: 1, before: 2)
        case .ptr, nil: try reader.check(frame, names: 1)
        case .txt: try checkText(frame, reader)
        }
    }

    /// RFC 1035 § 3.3.14: TXT-DATA is one or more character-strings.
    private static func checkText(
        _ frame: MessageReader.Frame,
        _ reader: MessageReader
    ) throws(MessageReader.Malformed) {
        var position = frame.data.lowerBound
        while position < frame.data.upperBound { position += 1 + Int(reader.octets[position]) }
        guard position == frame.data.upperBound else { throw MessageReader.Malformed() }
    }
}
