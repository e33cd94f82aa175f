/// The value of an address header field: From, Sender, To and their Resent- forms (RFC 5322 §§ 3.4 and 4.4, RFC 6854).
///
/// The parser understands comments, quoted strings, folds, routes and the other obsolete forms, and dots anywhere in a
/// local part. A value that two readers could understand differently is an error, never a guess.
public struct AddressList: Hashable, Sendable {
    /// Why a value is not an address list.
    public typealias SyntaxError = StructuredFieldError

    /// One member of the list.
    public enum Element: Hashable, Sendable {
        /// A mailbox that stands alone.
        case mailbox(Mailbox)
        /// Mailboxes with a common name, perhaps none (RFC 5322 § 3.4, group).
        case group(name: Octets, [Mailbox])
    }

    /// The most mailboxes that a list may have: more authors than any message names.
    public static let maximumMailboxes = 100

    /// The most octets of a field that are read.
    ///
    /// A hundred authors with long names fit. Mail servers accept fields of megabytes, and each octet takes time.
    public static let maximumValueLength = 16_384

    /// The members in their order.
    public let elements: [Element]
    /// Whether the value is not a list, but can mean only this one mailbox.
    public let isRepaired: Bool
    /// Whether some addresses have angle brackets and others do not: a reader who looks for brackets misses the others.
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
    /// If the value is not a list, but every reader would find the same single mailbox in it, the result is that one.
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

    /// The result of `init(reading:)`, without throwing.
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
