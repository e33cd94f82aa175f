package import DNSLookup
package import MailSyntax

/// Which of a domain's TXT records is its policy.
public enum SPFRecordSelection: Sendable {
    /// None.
    case none
    /// More than one, so that nobody knows which is meant.
    case several
    /// One that cannot be understood.
    case damaged(SPFRecord.SyntaxError)
    /// This one.
    case record(SPFRecord)

    /// Understands the texts that selection left over.
    package init(_ candidates: [[UInt8]], parse: (Octets) throws(SPFRecord.SyntaxError) -> SPFRecord) {
        guard let text = candidates.first else {
            self = .none
            return
        }
        // RFC 7208 § 4.5: "If the resultant record set includes more than one record, check_host() produces the
        // "permerror" result." Two that are the same are more than one, too.
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

/// Chooses the record by its version and scope: RFC 7208 § 4.5 does so in one way, RFC 4406 § 4.4 in another.
package protocol SPFRecordSelecting: Sendable {
    /// The policy in the answer to a TXT question.
    func select(_ answer: DNSAnswer) -> SPFRecordSelection
}

/// RFC 7208 § 4.5: the one record that begins with `v=spf1`.
package struct SPFVersion1: SPFRecordSelecting {
    /// What is kept beside an answer.
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
