/// How the author could be read from the From fields.
public enum AuthorReading: String, CaseIterable, Sendable {
    /// From is a list of addresses.
    case readable
    /// From is not a list of addresses, but can mean only one address.
    case repaired
    /// From does not name the author, or readers could understand it in different ways.
    case unreadable
}

/// The author that a message claims: the content of its From fields (RFC 5322 § 3.6.2).
///
/// DMARC evaluates one domain (RFC 9989 § 5.3.1). Every other case has a name here, so that none is overlooked.
///
/// Passed around for every message, so in one object.
public indirect enum AuthorIdentity: Hashable, Sendable {
    /// One From field whose mailboxes all have the same domain; usually it has one mailbox.
    case domain(DomainName, [Mailbox])
    /// One From field that is not an address list but can mean only this mailbox.
    case repaired(DomainName, Mailbox)
    /// One From field whose mailboxes have several domains, in the order they occur.
    case severalDomains([DomainName], [Mailbox])
    /// One From field without a mailbox, or with an address literal instead of a domain; and the other domains.
    case noDomain([DomainName], [Mailbox])
    /// More than one From field, where RFC 5322 § 3.6 allows one: their number, the domains of the fields that can be
    /// read, and the domains that follow an `@` in the other fields.
    case severalFields(Int, [DomainName], others: [DomainName])
    /// No From field; RFC 5322 § 3.6 asks for one.
    case missing
    /// One From field that cannot be read in exactly one way; and the domains that follow an `@` in it.
    case unreadable(AddressList.SyntaxError, [DomainName])

    /// How many From fields of a message are read, and how many domains are looked for in an unreadable one.
    public static let maximumFields = 8

    /// How many domains the mailboxes of one From field may have.
    public static let maximumDomains = 16

    /// How many octets of domains with U-labels are read in total: each takes time.
    public static let maximumInternationalOctets = 512

    /// Reads the From fields of a message.
    public init(of fields: HeaderBlock) {
        let positions = Self.positions(in: fields)
        switch positions.count {
        case 0: self = .missing
        case 1: self.init(from: fields[positions[0]].value)
        default:
            var octets = Self.maximumInternationalOctets
            let readable = Self.readable(positions, in: fields)
            let lists = readable.map { AuthorIdentity(from: fields[$0].value, internationalOctets: &octets) }
            let (read, all) = (Self.distinct(lists.flatMap(\.policyDomains)), Self.distinct(lists.flatMap(\.domains)))
            self = .severalFields(positions.count, read, others: all.filter { !read.contains($0) })
        }
    }

    /// Which of several From fields are read: together they may have as many octets as a single field.
    private static func readable(_ positions: [Int], in fields: HeaderBlock) -> [Int] {
        var octets = AddressList.maximumValueLength
        return positions.prefix(maximumFields).filter { position in
            let count = fields[position].value.count
            guard count <= octets else { return false }
            octets -= count
            return true
        }
    }

    /// The positions of the From fields of a message.
    public static func positions(in fields: HeaderBlock) -> [Int] {
        fields.indices.filter { fields.hasName("From", at: $0) }
    }

    /// Reads the value of the only From field.
    public init(from value: Octets) {
        var octets = Self.maximumInternationalOctets
        self.init(from: value, internationalOctets: &octets)
    }

    /// Takes an existing reading of the only From field.
    ///
    /// - Parameters:
    ///   - value: the value of the field.
    ///   - reading: the result of `AddressList(reading:)` for the value.
    public init(from value: Octets, reading: Result<AddressList, AddressList.SyntaxError>) {
        var octets = Self.maximumInternationalOctets
        self.init(from: value, reading: reading, internationalOctets: &octets)
    }

    private init(from value: Octets, internationalOctets: inout Int) {
        self.init(from: value, reading: AddressList.reading(value), internationalOctets: &internationalOctets)
    }

    private init(
        from value: Octets,
        reading: Result<AddressList, AddressList.SyntaxError>,
        internationalOctets: inout Int
    ) {
        do throws(AddressList.SyntaxError) {
            try self.init(reading.get(), internationalOctets: &internationalOctets)
        } catch {
            var search = NamedDomains(
                in: value.prefix(AddressList.maximumValueLength),
                internationalOctets: internationalOctets
            )
            self = .unreadable(error, search.found(atMost: Self.maximumFields))
            internationalOctets = search.internationalOctets
        }
    }

    private init(_ list: AddressList, internationalOctets: inout Int) throws(AddressList.SyntaxError) {
        let mailboxes = list.mailboxes
        if mailboxes.count == 1, let domain = mailboxes[0].domainName {
            self = list.isRepaired ? .repaired(domain, mailboxes[0]) : .domain(domain, mailboxes)
            return
        }
        let domains = try Self.domains(of: mailboxes, internationalOctets: &internationalOctets)
        if domains.isEmpty || mailboxes.contains(where: \.hasDomainLiteral) {
            self = .noDomain(domains, mailboxes)
        } else if domains.count == 1 {
            self = .domain(domains[0], mailboxes)
        } else {
            // `a@bank.example, <b@evil.example>` is a list to some readers; those who look for brackets see one address
            // with a name in front.
            guard !list.isMixed else { throw .ambiguous }
            self = .severalDomains(domains, mailboxes)
        }
    }

    /// The domains, each once.
    ///
    /// Reading a U-label takes time, so each spelling is read once.
    private static func domains(
        of mailboxes: [Mailbox],
        internationalOctets: inout Int
    ) throws(AddressList.SyntaxError) -> [DomainName] {
        var spellings = Set<Octets>()
        var domains = [DomainName]()
        for mailbox in mailboxes where !mailbox.hasDomainLiteral && spellings.insert(mailbox.domain).inserted {
            if !mailbox.domain.isASCII { internationalOctets -= mailbox.domain.count }
            guard spellings.count <= maximumDomains, internationalOctets >= 0 else { throw .tooMany }
            guard let domain = mailbox.domainName else { throw .impossibleDomain }
            domains.append(domain)
        }
        return distinct(domains)
    }

    private static func distinct(_ domains: [DomainName]) -> [DomainName] {
        var seen = Set<DomainName>()
        return domains.filter { seen.insert($0).inserted }
    }
}

extension AuthorIdentity {
    /// How the author could be read.
    public var reading: AuthorReading {
        switch self {
        case .domain, .severalDomains: .readable
        case .repaired: .repaired
        case .noDomain, .severalFields, .missing, .unreadable: .unreadable
        }
    }

    /// The domain that DMARC evaluates; nil unless there is exactly one.
    public var authorDomain: DomainName? {
        switch self {
        case .domain(let domain, _), .repaired(let domain, _): domain
        case .severalDomains, .noDomain, .severalFields, .missing, .unreadable: nil
        }
    }

    /// The domains whose policies count: the domains of the mailboxes that are beyond doubt.
    ///
    /// A domain that may be part of a display name does not count.
    public var policyDomains: [DomainName] {
        switch self {
        case .domain(let domain, _), .repaired(let domain, _): [domain]
        case .severalDomains(let domains, _), .noDomain(let domains, _), .severalFields(_, let domains, _): domains
        case .missing, .unreadable: []
        }
    }

    /// Every domain that a reader of the message might take for the author's.
    public var domains: [DomainName] {
        switch self {
        case .unreadable(_, let domains): domains
        case .severalFields(_, let domains, let others): domains + others
        case .domain, .repaired, .severalDomains, .noDomain, .missing: policyDomains
        }
    }

    /// Whether there is one domain, and no other, that a reader of the message might take for the author's.
    public var hasOneDomain: Bool {
        switch self {
        case .domain, .repaired: true
        case .severalDomains, .noDomain, .severalFields, .missing, .unreadable: domains.count == 1
        }
    }

    /// The mailboxes, as far as they can be read without doubt.
    public var mailboxes: [Mailbox] {
        switch self {
        case .domain(_, let mailboxes), .severalDomains(_, let mailboxes), .noDomain(_, let mailboxes): mailboxes
        case .repaired(_, let mailbox): [mailbox]
        case .severalFields, .missing, .unreadable: []
        }
    }

    /// How many authors there are: the mailboxes of one From field, or the fields when there are several.
    public var fromCount: Int {
        if case .severalFields(let count, _, _) = self { count } else { mailboxes.count }
    }
}
