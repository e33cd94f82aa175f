/// The value of an address header field: From, Sender, To and their Resent- forms (RFC 5322 §§ 3.4 and 4.4, RFC 6854).
///
/// Comments, quoted strings, folds, routes and the other obsolete forms are understood. Whatever two readers could
/// understand differently is an error, never a guess.
public struct AddressList: Hashable, Sendable {
    /// Why a value is no address list.
    public typealias SyntaxError = StructuredFieldError

    /// One member of the list.
    public enum Element: Hashable, Sendable {
        /// A mailbox that stands alone.
        case mailbox(Mailbox)
        /// Mailboxes with a common name, perhaps none (RFC 5322 § 3.4, group).
        case group(name: Octets, [Mailbox])
    }

    /// How many mailboxes a list may have.
    public static let mostMailboxes = 1000

    /// The members in their order.
    public let elements: [Element]

    /// Reads the value of an address field, folds and leading space included.
    public init(parsing value: Octets) throws(SyntaxError) {
        var parser = AddressParser(value.trimmed)
        elements = try parser.addressList()
    }

    /// All mailboxes, those in groups included.
    public var mailboxes: [Mailbox] {
        var mailboxes = [Mailbox]()
        mailboxes.reserveCapacity(elements.count)
        for element in elements {
            switch element {
            case .mailbox(let mailbox): mailboxes.append(mailbox)
            case .group(_, let members): mailboxes += members
            }
        }
        return mailboxes
    }
}
