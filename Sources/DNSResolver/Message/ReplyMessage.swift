internal import CLDNS
package import DNSLookup
package import MailSyntax

/// The meaning of an accepted reply.
package enum ReplyMessage {
    /// The question is answered; `deniesName` when the name in the question, not the target of an alias, does not
    /// exist.
    case answer(DNSAnswer, deniesName: Bool)
    /// The name is an alias, and its target must be looked up.
    case alias(DomainName, AliasPath, timeToLive: UInt32)
    /// The reply did not fit into a datagram.
    case truncated
    /// The server cannot read the query, perhaps because of its EDNS record (RFC 6891 § 7).
    case notUnderstood
    /// The server does not answer the question.
    case failure(DNSLookupError)

    /// Reads a reply to a question; for any octets it ends soon, with one of the cases.
    ///
    /// - Parameter path: the aliases that led to the question's name; nil for the first name asked about.
    package init(_ octets: [UInt8], to question: DNSQuestion, after path: AliasPath? = nil) {
        do throws(MessageReader.Malformed) {
            self = try Self.decode(octets, to: question, path ?? AliasPath(from: question.name))
        } catch {
            self = .failure(.malformed)
        }
    }

    private static func decode(
        _ octets: [UInt8],
        to question: DNSQuestion,
        _ path: AliasPath
    ) throws(MessageReader.Malformed) -> ReplyMessage {
        guard let header = MessageHeader(octets), header.isReply else { throw MessageReader.Malformed() }
        if header.isTruncated { return .truncated }
        switch header.code {
        case .formatError, .notImplemented: return .notUnderstood
        case .refused: return .failure(.refused)
        case .noError, .nameError: break
        default: return .failure(.serverFailure)
        }
        guard header.questionCount == 1 else { throw MessageReader.Malformed() }
        var reader = MessageReader(octets, at: MessageHeader.size)
        try reader.skipName()
        _ = try reader.readUInt32()
        let answers = try reader.readFrames(header.answerCount)
        let authorities = try reader.readFrames(header.authorityCount)
        let additional = try reader.readFrames(header.additionalCount)

        switch code(header, additional) {
        case .noError, .nameError: break
        case .badVersion: return .notUnderstood
        default: return .failure(.serverFailure)
        }
        let chain = try AliasChain(answers, of: reader, question: question, path: path)
        if let failure = chain.failure { return .failure(failure) }
        if header.code == .noError, !chain.records.isEmpty {
            let answer = DNSAnswer(question, records: chain.records, timeToLive: chain.timeToLive)
            return .answer(answer, deniesName: false)
        }
        let negativeTimeToLive = try negativeTimeToLive(authorities, of: reader, for: chain.end)
        // RFC 1034 § 5.3.3, step 5: an alias alone is not an answer. Without an SOA record, which would say that its
        // target has no data (RFC 2308 § 2.2), the target must be looked up.
        if header.code == .noError, negativeTimeToLive == nil, chain.end != question.name {
            return .alias(chain.end, chain.path, timeToLive: chain.timeToLive)
        }
        // RFC 2308 § 2.2: a referral has NS records and no SOA; the server has no answer and does not recurse for us.
        if header.code == .noError, negativeTimeToLive == nil, !header.isAuthoritative,
            authorities.contains(where: { $0.type == UInt16(LDNS_RR_TYPE_NS.rawValue) })
        {
            return .failure(.serverFailure)
        }
        let status: DNSAnswer.Status = header.code == .nameError ? .noSuchName : .noData
        // RFC 2308 § 5: a negative answer without an SOA record is not cached.
        let timeToLive = min(chain.timeToLive, negativeTimeToLive ?? 0)
        // RFC 6604 § 3: the response code concerns the name at the end of the aliases.
        return .answer(
            DNSAnswer(question, negative: status, timeToLive: timeToLive),
            deniesName: status == .noSuchName && chain.end == question.name
        )
    }

    /// RFC 6891 § 6.1.3: the OPT record's TTL carries the upper eight bits of the response code.
    private static func code(_ header: MessageHeader, _ additional: [MessageReader.Frame]) -> ResponseCode {
        let option = additional.first { $0.type == UInt16(LDNS_RR_TYPE_OPT.rawValue) }
        let upper = UInt16((option?.timeToLive ?? 0) >> 24)
        return ResponseCode(rawValue: upper << 4 | header.code.rawValue)
    }

    /// How long a negative answer may be kept; nil without an SOA record above the name.
    private static func negativeTimeToLive(
        _ authorities: [MessageReader.Frame],
        of reader: MessageReader,
        for name: DomainName
    ) throws(MessageReader.Malformed) -> UInt32? {
        for frame in authorities where frame.type == UInt16(LDNS_RR_TYPE_SOA.rawValue) {
            try reader.check(frame, names: 2, after: 20)
            guard let record = ResourceRecord(in: reader.octets, at: frame.offset), record.isInternet,
                let owner = record.owner, name.isEqualOrSubdomain(of: owner), let minimum = record.minimum
            else { continue }
            // RFC 2308 § 5: the minimum of the SOA's MINIMUM field and the TTL of the SOA itself.
            return min(minimum, record.timeToLive)
        }
        return nil
    }
}
