internal import DNSLookup
internal import MailSyntax

extension SPFEvaluation {
    /// RFC 7208 § 5.5: whether a validated name of the client is the target or below it.
    ///
    /// Names outside the target cannot match, so their addresses are not looked up.
    mutating func ptr(_ target: DomainName) throws(Stop) -> Bool {
        for name in try clientNames(isCounted: true) where name.isEqualOrSubdomain(of: target) {
            if try isValidated(name) { return true }
        }
        return false
    }

    /// RFC 7208 § 7.3, `%{p}`: the validated name that fits the current domain best; nil when there is none.
    ///
    /// "If the <domain> is present in the list of validated domains, it SHOULD be used. Otherwise, if a subdomain of the
    /// <domain> is present, it SHOULD be used. Otherwise, any name from the list can be used."
    mutating func validatedName(_ domain: DomainName, isCounted: Bool) throws(Stop) -> DomainName? {
        let names = try clientNames(isCounted: isCounted)
        for name in names where name == domain {
            if try isValidated(name) { return name }
        }
        for name in names where name.isSubdomain(of: domain) {
            if try isValidated(name) { return name }
        }
        for name in names where !name.isEqualOrSubdomain(of: domain) {
            if try isValidated(name) { return name }
        }
        return nil
    }

    /// The names that the client's address maps to, unvalidated.
    private mutating func clientNames(isCounted: Bool) throws(Stop) -> [DomainName] {
        let question = DNSQuestion(check.client.reverseName, .ptr)
        // RFC 7208 § 5.5: "If a DNS error occurs while doing the PTR RR lookup, then this mechanism fails to match."
        guard let answer = try answer(about: question) else { return [] }
        if isCounted { noteVoid(answer) }
        // RFC 7208 § 4.6.4: "all records other than the first 10 MUST be ignored".
        return answer.records.prefix(10).compactMap { if case .ptr(let name) = $0 { name } else { nil } }
    }

    /// Whether the client is among the addresses of the name.
    ///
    /// RFC 7208 § 5.5: "If a DNS error occurs while doing an A RR lookup, then that domain name is skipped and the search
    /// continues." A name without addresses is skipped in the same way, and is not counted as a void lookup: the owner
    /// of the client's address wrote these names, and could otherwise turn a domain's "fail" into a "permerror".
    private mutating func isValidated(_ name: DomainName) throws(Stop) -> Bool {
        let test = addressTest(32, 128)
        guard let answer = try answer(about: addressQuestion(name), holding: test) else { return false }
        return test.holds(answer)
    }

    /// The answer to a question about the client's names; nil when it is missing, or the DNS gave no answer.
    ///
    /// A question that we gave up asking is not a DNS error: honest mail must not fail because we have no room.
    private mutating func answer(
        about question: DNSQuestion,
        holding test: DNSAddressTest? = nil
    ) throws(Stop) -> DNSAnswer? {
        switch try reply(to: question, holding: test)?.result {
        case .success(let answer): return answer
        case .failure(let error) where error.isLocal:
            throw Stop(result: .temperror, problem: .lookup(question, error))
        case .failure, nil: return nil
        }
    }

    /// RFC 7208 § 6.2: the explanation that the record named when it failed the client.
    ///
    /// "If there are any DNS processing errors (any RCODE other than 0), or if no records are returned, or if more than one
    /// record is returned, or if there are syntax errors in the explanation string, then proceed as if no "exp" modifier
    /// was given."
    /// The explanation's lookups are not counted and do not change the result (§ 4.6.4).
    mutating func explanation(_ verdict: Verdict) -> String? {
        guard let modifier = verdict.record?.explanation else { return nil }
        let step = open(.term(modifier.text), domain: verdict.domain, depth: 0)
        guard let string = explainString(modifier.domain, domain: verdict.domain) else {
            conclude(step, .noMatch)
            return nil
        }
        var name: DomainName?
        if string.uses(.validatedName) { name = (try? validatedName(verdict.domain, isCounted: false)) ?? nil }
        conclude(step, .explained)
        let values = values(verdict.domain, validatedName: name)
        let octets = string.explanation(values, limit: options.maximumExplanationOctets)
        return octets.isEmpty ? nil : String(decoding: octets, as: UTF8.self)
    }

    private mutating func explainString(_ spec: SPFDomainSpec, domain: DomainName) -> SPFMacroString? {
        guard case .name(let name) = try? target(of: spec, domain: domain, isCounted: false),
            let reply = try? reply(to: DNSQuestion(name, .txt)), case .success(let answer) = reply.result,
            answer.records.count == 1, case .txt(let text)? = answer.records.first
        else { return nil }
        return try? SPFMacroString(parsing: text[...], in: .explanation)
    }
}
