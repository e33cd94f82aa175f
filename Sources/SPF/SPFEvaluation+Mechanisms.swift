internal import DNSLookup
internal import MailSyntax

extension SPFEvaluation {
    /// The expansion of a domain-spec.
    enum Target {
        /// A name to look up.
        case name(DomainName)
        /// Text that is not a domain name.
        case malformed(SPFProblem)
        /// An answer is missing.
        case missing
    }

    /// Expands a domain-spec (RFC 7208 § 4.8); without a domain-spec, the target is the current domain.
    ///
    /// RFC 7208 § 4.6.4: with `%{p}`, "the number of "PTR" resource records queried is included in the overall limit", so
    /// its query is counted like a term, except in an explanation.
    mutating func target(of spec: SPFDomainSpec?, domain: DomainName, isCounted: Bool = true) throws(Stop) -> Target {
        guard let spec else { return .name(domain) }
        if spec.isConstant { return spec.constantName.map(Target.name) ?? .malformed(.malformedTarget) }
        // RFC 8616 § 4: with a local-part that is not US-ASCII, terms with %{s} and %{l} do not match anything.
        if spec.usesLocalPart, !check.identity.isLocalPartASCII { return .malformed(.internationalizedLocalPart) }
        var name: DomainName?
        if spec.usesValidatedName {
            if isCounted { try countTerm() }
            let missCount = answers.missCount
            name = try validatedName(domain, isCounted: isCounted)
            guard answers.missCount == missCount else { return .missing }
        }
        let target = spec.string.targetName(values(domain, validatedName: name))
        return target.map(Target.name) ?? .malformed(.malformedTarget)
    }

    func values(_ domain: DomainName, validatedName: DomainName?) -> SPFMacroValues {
        SPFMacroValues(
            identity: check.identity,
            helo: check.helo,
            client: check.client,
            domain: domain,
            validatedName: validatedName,
            receiver: options.receiver,
            now: check.now
        )
    }

    /// Whether a mechanism matches (RFC 7208 § 5).
    mutating func matches(
        _ mechanism: SPFMechanism,
        step: Int,
        domain: DomainName,
        depth: Int
    ) throws(Stop) -> Bool {
        switch mechanism {
        // RFC 7208 § 5.1: "The "all" mechanism is a test that always matches."
        case .all: return true
        case .ip(let network): return network.contains(check.client)
        case .include(let spec): return try include(spec, step: step, domain: domain, depth: depth)
        case .ptr(let spec):
            try countTerm()
            guard let name = try matchTarget(of: spec, step: step, domain: domain) else { return false }
            return try ptr(name)
        case .exists(let spec):
            try countTerm()
            guard let name = try matchTarget(of: spec, step: step, domain: domain) else { return false }
            // RFC 7208 § 5.7: "The lookup type is A even when the connection type is IPv6."
            return try lookUp(DNSQuestion(name, .a))?.status == .records
        case .a(let spec, let prefix4, let prefix6):
            try countTerm()
            guard let name = try matchTarget(of: spec, step: step, domain: domain) else { return false }
            return try hasClient(name, prefix4, prefix6)
        case .mx(let spec, let prefix4, let prefix6):
            try countTerm()
            guard let name = try matchTarget(of: spec, step: step, domain: domain) else { return false }
            return try mx(name, prefix4, prefix6)
        }
    }

    /// The name that a mechanism looks up; nil when there is none, and then the mechanism does not match.
    private mutating func matchTarget(
        of spec: SPFDomainSpec?,
        step: Int,
        domain: DomainName
    ) throws(Stop) -> DomainName? {
        switch try target(of: spec, domain: domain) {
        case .name(let name): return name
        case .missing: return nil
        case .malformed(let problem):
            // RFC 7208 § 4.8 leaves a malformed <target-name> undefined; as in § 4.3, no such name can exist, so
            // nothing matches. It is not a void lookup, because there is no lookup.
            conclude(step, .problem(problem))
            return nil
        }
    }

    /// The "include" mechanism (RFC 7208 § 5.2).
    private mutating func include(
        _ spec: SPFDomainSpec,
        step: Int,
        domain: DomainName,
        depth: Int
    ) throws(Stop) -> Bool {
        try countTerm()
        let name: DomainName
        let target = try target(of: spec, domain: domain)
        try countVoidTerm()
        switch target {
        case .name(let target): name = target
        case .missing: return false
        case .malformed(.internationalizedLocalPart):
            conclude(step, .problem(.internationalizedLocalPart))
            return false
        // check_host() gives "none" for a malformed domain (§ 4.3), which § 5.2 turns into "permerror".
        case .malformed(let problem): throw Stop(result: .permerror, problem: problem)
        }
        guard let verdict = try checkHost(name, depth: depth + 1) else {
            resume(step)
            return false
        }
        resume(step)
        switch verdict.result {
        case .pass: return true
        case .none: throw Stop(result: .permerror, problem: verdict.problem ?? .noRecord(name))
        // "temperror" and "permerror" have ended the evaluation already.
        case .fail, .softfail, .neutral, .temperror, .permerror: return false
        }
    }

    /// RFC 7208 § 5.3: whether one of a host's addresses equals the client's in the bits of the prefix.
    private mutating func hasClient(_ name: DomainName, _ prefix4: UInt8, _ prefix6: UInt8) throws(Stop) -> Bool {
        let test = addressTest(prefix4, prefix6)
        return try lookUp(addressQuestion(name), holding: test).map(test.holds) ?? false
    }

    /// The client's network of the given prefix length; an empty one when the prefix is longer than an address, which
    /// the grammar forbids.
    func addressTest(_ prefix4: UInt8, _ prefix6: UInt8) -> DNSAddressTest {
        DNSAddressTest(IPNetwork(check.client, prefixLength: Int(isClientIPv4 ? prefix4 : prefix6)))
    }

    /// RFC 7208 § 5: "when <ip> is an IPv4, A records are fetched; when <ip> is an IPv6 address, AAAA records are fetched".
    func addressQuestion(_ name: DomainName) -> DNSQuestion {
        DNSQuestion(name, isClientIPv4 ? .a : .aaaa)
    }

    private var isClientIPv4: Bool {
        if case .v4 = check.client { true } else { false }
    }

    /// The "mx" mechanism (RFC 7208 § 5.4).
    private mutating func mx(_ name: DomainName, _ prefix4: UInt8, _ prefix6: UInt8) throws(Stop) -> Bool {
        guard let answer = try lookUp(DNSQuestion(name, .mx)) else { return false }
        let exchanges = SPFExchanges.of(answer)
        // RFC 7208 § 4.6.4: more than ten address lookups for one "mx" give "permerror". § 5.4 requires looking up
        // every name, so more than ten names are too many, whichever of them would match.
        guard !exchanges.areTooMany else { throw Stop(result: .permerror, problem: .tooManyExchanges(name)) }
        for exchange in exchanges.names where try hasClient(exchange, prefix4, prefix6) { return true }
        return false
    }
}

/// The names in an MX answer, kept with the answer.
final class SPFExchanges: Sendable {
    let names: [DomainName]
    let areTooMany: Bool

    private init(_ answer: DNSAnswer) {
        areTooMany = answer.records.count > 10
        var hosts: [(preference: UInt16, name: DomainName)] = []
        for case .mx(let preference, let exchange) in answer.records.prefix(10) { hosts.append((preference, exchange)) }
        // RFC 7208 leaves the order open. The order is fixed here, because the DNS changes it from reply to reply, and
        // void lookups before a match count. RFC 7505 § 3: the root stands for "no mail", not for a host.
        hosts.sort { left, right in
            left.preference == right.preference
                ? left.name.wire.lexicographicallyPrecedes(right.name.wire) : left.preference < right.preference
        }
        names = hosts.map(\.name).filter { !$0.wire.isEmpty }
    }

    static func of(_ answer: DNSAnswer) -> SPFExchanges {
        answer.derived(SPFExchanges.init)
    }
}
