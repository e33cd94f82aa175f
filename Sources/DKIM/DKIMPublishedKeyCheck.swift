public import DNSLookup
internal import MailCrypto

/// Compares a signing key with the record that should publish it.
public enum DKIMPublishedKeyCheck {
    /// The question for the record; pass its reply to `problem`.
    public static func question(for key: DKIMSigningKey) -> DNSQuestion {
        DNSQuestion(key.recordName, .txt)
    }

    /// Why signatures with this key would not verify, in words; nil if they would verify.
    public static func problem(with key: DKIMSigningKey, reply: DNSReply) -> String? {
        let name = "\(key.recordName)"
        let answer: DNSAnswer
        switch reply.result {
        case .success(let found): answer = found
        case .failure(let error): return "\(name) could not be looked up: \(error)"
        }
        switch answer.status {
        case .noSuchName: return "\(name) does not exist"
        case .noData: return "\(name) has no TXT record"
        case .records: break
        }
        // RFC 6376 § 3.6.2.2: "TXT RRs MUST be unique for a particular selector name".
        guard answer.records.count == 1 else { return "\(name) has \(answer.records.count) TXT records instead of one" }
        guard let record = DKIMKeyRecords(answer).records.first else { return "\(name) holds no DKIM key record" }
        guard record.allowsEmail else { return "\(name) is not for email (s=)" }
        guard record.allowsSHA256 else { return "\(name) does not allow sha256 (h=)" }
        switch record.key {
        case .revoked: return "\(name) is revoked (empty p=)"
        case .unusable(let error): return "the key at \(name) \(error)"
        case .usable(let published):
            return published.isEqual(to: key.key.publicKey) ? nil : "\(name) publishes another key"
        }
    }
}
