package import DNSLookup
package import MailSyntax

/// The one of a domain's TXT records that is its policy.
public enum SPFRecordSelection: Sendable {
    /// There is no policy record.
    case none
    /// There is more than one policy record, so it is unknown which one applies.
    case several
    /// The policy record has a syntax error.
    case damaged(SPFRecord.SyntaxError)
    /// The policy record.
    case record(SPFRecord)

    /// Parses the texts that the selection found.
    package init(_ candidates: [[UInt8]], parse: (Octets) throws(SPFRecord.SyntaxError) -> SPFRecord) {
        guard let text = candidates.first else {
            self = .none
            return
        }
        // RFC 7208 § 4.5: "If the resultant record set includes more than one record, check_host() produces the
        // "permerror" result." Two identical records are more than one, too.
        guard candidates.count == 1 else {
            self = .several
            return
        }
        do {
            self = .record(try parse(text[...]))
        } catch {
            self = .damaged(error)
        }
    }
}

/// Chooses the record by its version and scope, by the rules of RFC 7208 § 4.5 or of RFC 4406 § 4.4.
package protocol SPFRecordSelecting: Sendable {
    /// The policy in the answer to a TXT question.
    func select(_ answer: DNSAnswer) -> SPFRecordSelection
}

/// RFC 7208 § 4.5: the only record that begins with `v=spf1`.
package struct SPFVersion1: SPFRecordSelecting {
    /// The value that an answer keeps.
    private struct Policy: Sendable {
        let selection: SPFRecordSelection
    }

    /// The selection of RFC 7208.
    package init() {}

    /// The policy in the answer to a TXT question.
    package func select(_ answer: DNSAnswer) -> SPFRecordSelection {
        answer.derived { answer in
            let candidates = answer.texts.filter { SPFRecord.hasVersion1($0[...]) }
            return Policy(selection: SPFRecordSelection(candidates, parse: SPFRecord.init(parsing:)))
        }.selection
    }
}
