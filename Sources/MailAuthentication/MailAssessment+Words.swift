internal import DKIM
internal import DMARC
internal import MailSyntax
internal import Policy
internal import SPF
internal import SenderID

// The words of the X- fields. postern(8), "Header fields", has them as a table.

extension MailAssessment {
    /// Sender ID's result in the form of X-SID-Result; nil when it was not checked.
    var senderIDWord: String? { senderID.map { ResultWord($0.result).fieldWord } }

    /// The best signature's result in the form of X-DKIM-Result; nil when signatures were not checked.
    ///
    /// `Pass(t)` says that only keys in testing mode (RFC 6376 § 3.6.1, `t=y`) verify. An error is never a `Fail`,
    /// because the result of the failed lookup is unknown.
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

    /// The result of all checks together for the author's domain, in the form of X-AUTH-Result.
    ///
    /// DMARC's pass or fail is the result. Without either, only the author's own domain can give a pass, by a signature
    /// or by Sender ID, or a fail: results of another domain say nothing about the author.
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
    /// The word in the form of the X- fields.
    fileprivate var fieldWord: String {
        switch self {
        case .pass: "Pass"
        case .fail: "Fail"
        case .softfail: "SoftFail"
        case .neutral: "Neutral"
        case .temperror: "TempError"
        case .permerror: "PermError"
        // Correct, but not accepted here: there is neither a pass nor an error.
        case .none, .policy: "None"
        }
    }
}
