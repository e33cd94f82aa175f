/// The value of an address header field: From, Sender, To and their Resent- forms (RFC 5322 §§ 3.4 and 4.4, RFC 6854).
///
/// Comments, quoted strings, folds, routes and the other obsolete forms are understood, and dots anywhere in a local part.
/// Whatever two readers could understand differently is an error, never a guess.
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

    /// How many mailboxes a list may have: more authors than any message names.
    public static let maximumMailboxes = 100

    /// How many octets of a field are read.
    ///
    /// A hundred authors with long names fit in. A mail server takes megabytes, and each octet costs time here.
    public static let maximumValueLength = 16_384

    /// The members in their order.
    public let elements: [Element]
    /// Whether the value was no list, but can mean this one mailbox only.
    public let isRepaired: Bool
    /// Whether some addresses stand in angle brackets and others do not: a reader who looks for brackets sees only those.
    let isMixed: Bool

    /// Reads the value of an address field, folds and leading space included.
    public init(parsing value: Octets) throws(SyntaxError) {
        guard value.count <= Self.maximumValueLength else { throw .tooLong }
        var parser = AddressParser(value.trimmed)
        let elements = try parser.addressList()
        self.init(elements, isMixed: parser.isMixed, isRepaired: false)
    }

    /// Reads the value of an address field as people and their programs do, as far as all of them agree.
    ///
    /// A value that is no list is taken for the one mailbox in it, if no reader could see another.
    public init(reading value: Octets) throws(SyntaxError) {
        do throws(SyntaxError) {
            try self.init(parsing: value)
        } catch {
            guard value.count <= Self.maximumValueLength else { throw error }
            var parser = AddressParser(value.trimmed)
            guard let mailbox = try? parser.onlyMailbox() else { throw error }
            self.init([.mailbox(mailbox)], isMixed: false, isRepaired: true)
        }
    }

    /// What `init(reading:)` makes of a value.
    public static func reading(_ value: Octets) -> Result<AddressList, SyntaxError> {
        do throws(SyntaxError) {
            return .success(try AddressList(reading: value))
        } catch {
            return .failure(error)
        }
    }

    private init(_ elements: [Element], isMixed: Bool, isRepaired: Bool) {
        self.elements = elements
        self.isMixed = isMixed
        self.isRepaired = isRepaired
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
