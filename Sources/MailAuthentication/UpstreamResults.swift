internal import AuthenticationResults
internal import MailSyntax
internal import SPF

/// What an upstream host of our own found of the client, by its Authentication-Results field (RFC 8601 § 2.7).
struct UpstreamResults {
    /// SPF of MAIL FROM, or of HELO for the null sender.
    let spf: SPFOutcome
    /// The client's address, if the field says it.
    let client: IPAddress?
    /// The argument of the client's HELO, if the field says it.
    let helo: [UInt8]

    /// The result of SPF that counts in a field; nil for a field without one.
    static func result(in field: AuthenticationResultsField) -> MethodResult? {
        let all = field.results.lazy.filter { $0.method == "spf" }
        // Some hosts also write what they found of HELO.
        return all.first { $0.value("smtp", "mailfrom") != nil } ?? all.first
    }

    /// Whether words of the client may stand where the host's stand.
    ///
    /// Some hosts tell the sender's address in a comment first. Whoever ends that comment by `)` in his local part can write
    /// results behind it; the host's own property then has the parenthesis, or is a second one.
    static func mayHaveWordsOfClient(_ field: AuthenticationResultsField) -> Bool {
        guard field.results.contains(where: { $0.comment != nil }) else { return false }
        let senders = field.results.flatMap(\.properties).filter { $0.type == "smtp" && $0.name == "mailfrom" }
        return senders.count > 1 || senders.contains { $0.value.contains(UInt8(ascii: ")")) }
    }

    /// The results in a field with this result of SPF; nil where that is none that SPF has.
    init?(_ result: MethodResult, _ field: AuthenticationResultsField) {
        guard let word = SPFResult(rawValue: result.result) else { return nil }
        let mailFrom = result.value("smtp", "mailfrom")
        let all = field.results.lazy.filter { $0.method == "spf" }
        let helo = all.compactMap { $0.value("smtp", "helo") }.first ?? []
        self.helo = Array(helo)
        let domain =
            mailFrom.map { $0[($0.lastIndex(of: UInt8(ascii: "@")).map { $0 + 1 } ?? $0.startIndex)...] } ?? helo
        spf = SPFOutcome(
            reported: word,
            mailFrom == nil ? .helo : .mfrom,
            domainName: try? DomainName(mailHost: domain)
        )
        let iprev = field.results.lazy.filter { $0.method == "iprev" }.compactMap { $0.value("policy", "iprev") }.first
        client = (result.value("smtp", "remote-ip") ?? iprev).flatMap { IPAddress($0) }
    }
}

extension MethodResult {
    /// The value of the first property with this name.
    fileprivate func value(_ type: String, _ name: String) -> Octets? {
        properties.first { $0.type == type && $0.name == name }?.value
    }
}
