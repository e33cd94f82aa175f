internal import DMARC
internal import MailEvents
internal import MailSyntax

extension PolicyConfiguration {
    /// The policy that an event was judged by; nil where there is no record, or nobody wants reports.
    init?(_ event: MailEvent) {
        guard let dmarc = event.dmarc, let tags = dmarc.tags,
            let domain = dmarc.domain.flatMap({ try? DomainName(escaped: Octets($0)) }), domain.isOfHost
        else { return nil }
        let usable = dmarc.rua.compactMap { ReportDestination($0) }
        let destinations = ReportDestination.destinations(of: usable)
        guard !destinations.isEmpty else { return nil }
        self.init(domain: domain)
        self.destinations = destinations
        discoveryMethod = dmarc.method.flatMap(DiscoveryMethod.init) ?? .treewalk
        policy = tags.p.flatMap(DMARCPolicy.init) ?? .none
        subdomainPolicy = tags.sp.flatMap(DMARCPolicy.init)
        nonexistentSubdomainPolicy = tags.np.flatMap(DMARCPolicy.init)
        dkimAlignment = tags.adkim == "s" ? .strict : .relaxed
        spfAlignment = tags.aspf == "s" ? .strict : .relaxed
        failureOptions = tags.fo.uniqueOptions
        isTesting = tags.t == "y"
        problem = Self.problem(tags, usable.filter { !$0.isRoute }, of: dmarc.rua.count)
    }

    /// What is wrong with the record (RFC 9990 § 3.1.5: "invalid "rua" or "sp", etc.").
    private static func problem(
        _ tags: MailEvent.DMARC.Tags,
        _ usable: [ReportDestination],
        of count: Int
    ) -> String? {
        var problems = [String]()
        if tags.p == nil { problems.append("no valid p, so none applies (RFC 9989, section 4.10.1)") }
        if usable.count < count {
            problems.append("\(count - usable.count) of \(count) addresses in rua cannot be used")
        }
        if usable.count > ReportBounds.destinations,
            Set(usable.map(\.address)).count > ReportBounds.destinations
        {
            problems.append("only the first \(ReportBounds.destinations) addresses in rua are used")
        }
        return problems.isEmpty ? nil : problems.joined(separator: "; ")
    }

    /// The policy that the tags ask for; `exists` is whether the author's domain does.
    func asked(of author: DomainName?, exists: Bool) -> DMARCPolicy {
        // RFC 9989 § 4.7: np gives way to sp, and sp to p, when absent.
        guard author != domain else { return policy }
        return (exists ? nil : nonexistentSubdomainPolicy) ?? subdomainPolicy ?? policy
    }
}

extension DomainName {
    /// Whether a host can have the name, so that it may be part of a file's name.
    var isOfHost: Bool { isHostName && labelCount > 0 }
}

extension String {
    /// The options of `fo`, each once.
    fileprivate var uniqueOptions: String {
        var options = [Substring]()
        guard utf8.contains(UInt8(ascii: ":")) else { return self }
        for option in split(separator: ":") where !options.contains(option) { options.append(option) }
        return options.joined(separator: ":")
    }
}
