internal import DMARC
internal import MailSyntax

extension PolicyConfiguration {
    /// The version of the octets, and their first one.
    private static let version: UInt8 = 1

    /// The policy in few octets, for a table: equal policies have equal octets.
    public var octets: [UInt8] {
        var writer = BlobWriter()
        writer.octet(Self.version)
        writer.text(domain.description)
        writer.word(discoveryMethod)
        writer.word(policy)
        writer.word(subdomainPolicy)
        writer.word(nonexistentSubdomainPolicy)
        writer.octet(dkimAlignment == .strict ? 1 : 0)
        writer.octet(spfAlignment == .strict ? 1 : 0)
        writer.octet(isTesting ? 1 : 0)
        writer.text(failureOptions)
        writer.number(UInt64(destinations.count))
        for destination in destinations { writer.add(destination) }
        writer.optionalText(problem)
        return writer.octets
    }

    /// Reads the octets of a policy; nil when they are not those of any, or of a later version.
    public init?(octets: [UInt8]) {
        var reader = BlobReader(octets)
        guard let configuration = try? Self(&reader), configuration.octets == octets else { return nil }
        self = configuration
    }

    private init(_ reader: inout BlobReader) throws(BlobReader.Damaged) {
        guard try reader.octet() == Self.version, let domain = try? DomainName(escaped: Octets(reader.text())),
            domain.isOfHost
        else {
            throw BlobReader.Damaged()
        }
        self.init(domain: domain)
        discoveryMethod = try reader.word()
        policy = try reader.word()
        subdomainPolicy = try reader.optionalWord()
        nonexistentSubdomainPolicy = try reader.optionalWord()
        dkimAlignment = try reader.flag() ? .strict : .relaxed
        spfAlignment = try reader.flag() ? .strict : .relaxed
        isTesting = try reader.flag()
        failureOptions = try reader.text()
        for _ in 0..<(try reader.count()) { destinations.append(try reader.destination()) }
        problem = try reader.optionalText()
        guard reader.isAtEnd else { throw BlobReader.Damaged() }
    }
}

extension BlobWriter {
    fileprivate mutating func add(_ destination: ReportDestination) {
        text(destination.localPart)
        text(destination.host.description)
        // 0 for none: a limit is one octet more.
        number(destination.limit.map { UInt64($0) + 1 } ?? 0)
    }
}

extension BlobReader {
    fileprivate mutating func destination() throws(Damaged) -> ReportDestination {
        let (localPart, host, limit) = (try text(), try? DomainName(escaped: Octets(text())), try number())
        guard let host, limit <= UInt64(Int.max),
            let destination = ReportDestination(
                localPart: localPart,
                host: host,
                limit: limit == 0 ? nil : Int(limit - 1)
            )
        else { throw Damaged() }
        return destination
    }
}
