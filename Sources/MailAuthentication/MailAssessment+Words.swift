internal import DKIM
internal import DMARC
internal import MailSyntax
internal import Policy
internal import SPF
internal import SenderID

// What the X- fields say. postern(8), "Header fields", has the same as one table.

extension MailAssessment {
    /// Sender ID's result as X-SID-Result writes it; nil when it was not checked.
    var senderIDWord: String? { senderID.map { ResultWord($0.result).fieldWord } }

    /// The best signature's result as X-DKIM-Result writes it; nil when signatures were not checked.
    ///
    /// `Pass(t)` says that only keys in testing mode (RFC 6376 § 3.6.1, `t=y`) vouch. An error is never a `Fail`: what a
    /// lookup would have found is not known.
    var signatureWord: String? {
        guard let dkim else { return nil }
        switch bestSignatureResult {
        case .pass:
            let passes = dkim.lazy.filter { $0.result == .pass }
            return passes.allSatisfy(\.testing) ? "Pass(t)" : "Pass"
        // RFC 8601 § 2.7.1, neutral: "some aspect of the signature or signatures contained syntax errors".
        case .neutral: return ResultWord.permerror.fieldWord
        case let result?: return ResultWord(result).fieldWord
        case nil: return ResultWord.none.fieldWord
        }
    }

    /// What all checks together say of the author's domain, as X-AUTH-Result writes it.
    ///
    /// DMARC's pass and fail are the answer. Where it has none, only the author's own domain can vouch, by a signature or
    /// by Sender ID, or disown the client: what another domain says is nothing about the author.
    var authenticationWord: String {
        switch dmarc?.result {
        case .pass: return "PASS"
        case .fail: return "FAIL"
        case .none?, .temperror, .permerror, nil: break
        }
        guard let domain = author?.authorDomain else { return "NONE" }
        if dkim?.contains(where: { $0.result == .pass && $0.signingDomain == domain }) == true { return "PASS" }
        guard let senderID, senderID.address?.mailbox.domainName == domain else { return "NONE" }
        switch senderID.result {
        case .pass: return "PASS"
        case .fail: return "FAIL"
        case .none, .neutral, .softfail, .temperror, .permerror: return "NONE"
        }
    }
}

extension ResultWord {
    /// The word as the X- fields write it.
    fileprivate var fieldWord: String {
        switch self {
        case .pass: "Pass"
        case .fail: "Fail"
        case .softfail: "SoftFail"
        case .neutral: "Neutral"
        case .temperror: "TempError"
        case .permerror: "PermError"
        // Correct, but not accepted here: nobody vouches, and nothing is wrong.
        case .none, .policy: "None"
        }
    }
}
