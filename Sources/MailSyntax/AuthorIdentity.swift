/// Who a message says its author is: what its From fields hold (RFC 5322 § 3.6.2).
///
/// DMARC evaluates one domain (RFC 9989 § 5.3.1). Each other case has its name here, so that none is passed over.
public enum AuthorIdentity: Hashable, Sendable {
    /// One From field whose mailboxes have one domain between them: usually one mailbox.
    case domain(DomainName, [Mailbox])
    /// One From field whose mailboxes have several domains, in the order they occur.
    case severalDomains([DomainName], [Mailbox])
    /// One From field without a mailbox, or with one whose domain the DNS cannot know; and the other domains.
    case noDomain([DomainName], [Mailbox])
    /// More than one From field, where RFC 5322 § 3.6 allows one: how many, and the domains of those that can be read.
    case severalFields(Int, [DomainName])
    /// No From field; RFC 5322 § 3.6 asks for one.
    case missing
    /// One From field that is no address list; and whatever follows an `@` in it.
    case unparsable(AddressList.SyntaxError, [DomainName])

    /// How many From fields of one message are read.
    public static let mostFields = 8

    /// Reads the From fields of a message.
    public init(of fields: HeaderBlock) {
        let positions = Self.positions(in: fields)
        switch positions.count {
        case 0: self = .missing
        case 1: self.init(from: fields[positions[0]].value)
        default:
            let lists = positions.prefix(Self.mostFields).map { AuthorIdentity(from: fields[$0].value) }
            self = .severalFields(positions.count, Self.distinct(lists.flatMap(\.domains)))
        }
    }

    /// Where the From fields of a message are.
    ///
    /// RFC 5322 § 4.5 lets white space stand in front of the colon. MTAs differ in whether it is part of the name.
    public static func positions(in fields: HeaderBlock) -> [Int] {
        fields.indices.filter { position in
            let initial = fields.initial(at: position)
            return (initial == UInt8(ascii: "f") || !initial.isVChar)
                && fields[position].name.trimmed.equalsIgnoringCase("From")
        }
    }

    /// Reads the value of the only From field.
    public init(from value: Octets) {
        do {
            self.init(mailboxes: try AddressList(parsing: value).mailboxes)
        } catch {
            self = .unparsable(error, Self.domainsBehindAts(of: value))
        }
    }

    /// The domains that a reader with a grammar of his own could find.
    private static func domainsBehindAts(of value: Octets) -> [DomainName] {
        var domains = [DomainName]()
        var rest = value
        while domains.count < mostFields, let at = rest.firstIndex(of: UInt8(ascii: "@")) {
            rest = rest[(at + 1)...]
            let text = rest.prefix {
                $0.isAlpha || $0.isDigit || $0 >= 0x80 || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-")
                    || $0 == UInt8(ascii: "_")
            }
            if let domain = try? DomainName(unicode: text), !domains.contains(domain) { domains.append(domain) }
        }
        return domains
    }

    private init(mailboxes: [Mailbox]) {
        if mailboxes.count == 1, let domain = mailboxes[0].domainName {
            self = .domain(domain, mailboxes)
            return
        }
        let names = mailboxes.map(\.domainName)
        let domains = Self.distinct(names.compactMap { $0 })
        if domains.isEmpty || names.contains(nil) {
            self = .noDomain(domains, mailboxes)
        } else if domains.count == 1 {
            self = .domain(domains[0], mailboxes)
        } else {
            self = .severalDomains(domains, mailboxes)
        }
    }

    private static func distinct(_ domains: [DomainName]) -> [DomainName] {
        var seen = Set<DomainName>()
        return domains.filter { seen.insert($0).inserted }
    }

    /// The domain that DMARC evaluates; nil in every case but `domain`.
    public var authorDomain: DomainName? {
        if case .domain(let domain, _) = self { domain } else { nil }
    }

    /// Every domain that a reader of the message might take for the author's.
    public var domains: [DomainName] {
        switch self {
        case .domain(let domain, _): [domain]
        case .severalDomains(let domains, _), .noDomain(let domains, _), .severalFields(_, let domains),
            .unparsable(_, let domains):
            domains
        case .missing: []
        }
    }

    /// The mailboxes, as far as they can be read without doubt.
    public var mailboxes: [Mailbox] {
        switch self {
        case .domain(_, let mailboxes), .severalDomains(_, let mailboxes), .noDomain(_, let mailboxes): mailboxes
        case .severalFields, .missing, .unparsable: []
        }
    }

    /// How many authors there are: the mailboxes of one From field, or the fields when there are several.
    public var fromCount: Int {
        switch self {
        case .severalFields(let count, _): count
        default: mailboxes.count
        }
    }
}
