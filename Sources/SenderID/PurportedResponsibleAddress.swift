public import MailSyntax

/// The mailbox that, by the header, most recently brought a message into the mail system (RFC 4407).
public struct PurportedResponsibleAddress: Hashable, Sendable {
    /// The fields that it may come from.
    public enum Field: String, Hashable, Sendable {
        /// Resent-Sender.
        case resentSender = "Resent-Sender"
        /// Resent-From.
        case resentFrom = "Resent-From"
        /// Sender.
        case sender = "Sender"
        /// From.
        case from = "From"
    }

    /// Why a message has no purported responsible address (RFC 4407 § 2, step 6).
    public enum Absence: Error, Hashable, Sendable {
        /// None of the fields is present (step 4).
        case noField
        /// There are several Sender fields, and no Resent- field to use instead (step 3).
        case severalSenders
        /// There are several From fields, and no other field to use instead (step 4).
        case severalAuthors
        /// The chosen field is not an address list (step 5).
        case malformed(Field)
        /// The chosen field has several mailboxes, or a group (step 5).
        case notOneMailbox(Field)
        /// The mailbox in the chosen field has no domain name (step 5).
        case noDomain(Field)
    }

    /// The chosen field.
    public let field: Field
    /// Its mailbox.
    public let mailbox: Mailbox
    /// The domain name of the mailbox.
    public let domain: DomainName

    /// The content of a message's only From field, if it has already been read.
    public struct Author: Sendable {
        let list: AddressList
        let domain: DomainName?

        /// - Parameters:
        ///   - list: the field's address list.
        ///   - domain: the domain name that its mailboxes share, if they do.
        public init(list: AddressList, domain: DomainName?) {
            self.list = list
            self.domain = domain
        }
    }

    /// Finds the address in a header (RFC 4407 § 2).
    ///
    /// - Parameters:
    ///   - headers: the message's header.
    ///   - author: the only From field, if it has already been read.
    public static func find(
        in headers: HeaderBlock,
        author: Author? = nil
    ) throws(Absence) -> PurportedResponsibleAddress {
        let candidates = Candidates(headers)
        // Step 1: the topmost Resent-Sender, unless it belongs to an older resending than the topmost Resent-From.
        if let position = candidates.resentSender, !candidates.isResentSenderOlder {
            return try read(.resentSender, headers[position].value)
        }
        // Step 2.
        if let position = candidates.resentFrom { return try read(.resentFrom, headers[position].value) }
        // Step 3.
        if let position = candidates.senders.first {
            guard candidates.senders.count == 1 else { throw .severalSenders }
            return try read(.sender, headers[position].value)
        }
        // Step 4.
        guard let position = candidates.authors.first else { throw .noField }
        guard candidates.authors.count == 1 else { throw .severalAuthors }
        if let author { return try take(.from, author.list, author.domain) }
        return try read(.from, headers[position].value)
    }

    private static func read(_ field: Field, _ value: Octets) throws(Absence) -> PurportedResponsibleAddress {
        guard let list = try? AddressList(reading: value) else { throw .malformed(field) }
        return try take(field, list, nil)
    }

    /// Step 5: the field must have one mailbox, with a domain name.
    private static func take(
        _ field: Field,
        _ list: AddressList,
        _ known: DomainName?
    ) throws(Absence) -> PurportedResponsibleAddress {
        guard list.elements.count == 1, case .mailbox(let mailbox)? = list.elements.first else {
            throw .notOneMailbox(field)
        }
        guard let domain = known ?? mailbox.domainName else { throw .noDomain(field) }
        return PurportedResponsibleAddress(field: field, mailbox: mailbox, domain: domain)
    }
}

/// The positions of the relevant fields that are not empty.
private struct Candidates {
    var resentSender: Int?
    var isResentSenderOlder = false
    var resentFrom: Int?
    var senders: [Int] = []
    var authors: [Int] = []

    init(_ headers: HeaderBlock) {
        var isTraceBelowResentFrom = false
        for position in headers.indices {
            switch Name(at: position, of: headers) {
            case nil: break
            case .trace: isTraceBelowResentFrom = resentFrom != nil
            case .resentSender where resentSender == nil && isFilled(headers[position]):
                resentSender = position
                // Step 1: a Received or Return-Path field between the Resent-From above and this one.
                isResentSenderOlder = isTraceBelowResentFrom
            case .resentFrom where resentFrom == nil && isFilled(headers[position]): resentFrom = position
            // A second field already decides, so further ones need not be kept.
            case .sender where senders.count < 2 && isFilled(headers[position]): senders.append(position)
            case .from where authors.count < 2 && isFilled(headers[position]): authors.append(position)
            case .resentSender, .resentFrom, .sender, .from: break
            }
        }
    }

    /// RFC 4407 § 2: "a header field is "non-empty" if and only if it contains any non-whitespace characters".
    private func isFilled(_ field: HeaderField) -> Bool {
        field.value.contains { !$0.isWSP && $0 != .cr && $0 != .lf }
    }
}

/// The relevant field names.
private enum Name {
    case resentSender, resentFrom, sender, from, trace

    init?(at position: Int, of headers: HeaderBlock) {
        switch headers.nameLength(at: position) {
        case 4 where headers.hasName("from", at: position): self = .from
        case 6 where headers.hasName("sender", at: position): self = .sender
        case 8 where headers.hasName("received", at: position): self = .trace
        case 11 where headers.hasName("return-path", at: position): self = .trace
        case 11 where headers.hasName("resent-from", at: position): self = .resentFrom
        case 13 where headers.hasName("resent-sender", at: position): self = .resentSender
        default: return nil
        }
    }
}

extension PurportedResponsibleAddress.Absence: CustomStringConvertible {
    /// A few words for people.
    public var description: String {
        switch self {
        case .noField: "no From field"
        case .severalSenders: "more than one Sender field"
        case .severalAuthors: "more than one From field"
        case .malformed(let field): "malformed \(field.rawValue) field"
        case .notOneMailbox(let field): "not one mailbox in the \(field.rawValue) field"
        case .noDomain(let field): "no domain name in the \(field.rawValue) field"
        }
    }
}
