/// The words that the X- fields write results with.
public enum ResultWords {
    /// A result of SPF or Sender ID as X-SID-Result writes it: `pass` becomes `Pass`, `softfail` becomes `SoftFail`.
    public static func senderID(_ result: String) -> String {
        switch result {
        case "pass": "Pass"
        case "fail": "Fail"
        case "softfail": "SoftFail"
        case "neutral": "Neutral"
        case "temperror": "TempError"
        case "permerror": "PermError"
        default: "None"
        }
    }

    /// The results of all signatures as X-DKIM-Result writes them.
    ///
    /// The best counts. `Pass(t)` says that only keys in testing mode (RFC 6376 § 3.6.1, `t=y`) vouch.
    public static func dkim(_ signatures: [(result: String, isTesting: Bool)]) -> String {
        let passes = signatures.filter { $0.result == "pass" }
        guard !passes.isEmpty else {
            return signatures.allSatisfy { $0.result == "none" } ? "None" : "Fail"
        }
        return passes.allSatisfy(\.isTesting) ? "Pass(t)" : "Pass"
    }

    /// What all checks together say of the author's domain, as X-AUTH-Result writes it.
    ///
    /// DMARC's answer is the answer where there is one. Without it, a domain that vouched for itself, by a signature or
    /// by Sender ID, passes; one whose Sender ID policy refuses the client fails.
    public static func authentication(dmarc: String, authorSigned: Bool, senderID: String) -> String {
        switch dmarc {
        case "pass": "PASS"
        case "fail": "FAIL"
        default: authorSigned || senderID == "pass" ? "PASS" : senderID == "fail" ? "FAIL" : "NONE"
        }
    }
}
