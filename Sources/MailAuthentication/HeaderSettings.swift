internal import AuthenticationResults
public import MailSyntax

/// Which header fields a judged message gets, and which it loses.
public struct HeaderSettings: Sendable {
    /// Which foreign fields are deleted.
    public enum Removal: String, CaseIterable, Sendable {
        /// Those that claim to be of this host: Authentication-Results with its authserv-id, and the X- fields.
        case own
        /// Every Authentication-Results field, whoever signed it, and the X- fields.
        case all
        /// None.
        case none
    }

    /// The name under which this host reports (RFC 8601 § 2.5).
    public var authservID: Octets
    /// Whether Authentication-Results is written.
    public var authenticationResults = true
    /// Whether results carry comments for people.
    public var comments = false
    /// Whether Received-SPF is written (RFC 7208 § 9.1).
    public var receivedSPF = false
    /// Whether X-SID-PRA and X-SID-Result are written.
    public var senderID = true
    /// Whether X-DKIM-Result is written.
    public var dkim = true
    /// Whether X-AUTH-Result is written.
    public var authentication = false
    /// The field that is added to junk.
    public var junk = NewField(name: "X-Spam-Flag", value: Array("YES".utf8))
    /// Which foreign fields are deleted.
    public var removal = Removal.own
    /// Whether deleted Authentication-Results fields are kept under another name.
    public var keepsRemoved = false

    /// The default fields, reported by this host.
    public init(authservID: Octets) {
        self.authservID = authservID
    }
}

/// A header field to add: the value has its lines joined by LF and no space in front.
public struct NewField: Hashable, Sendable {
    /// The field's name.
    public let name: String
    /// The field's value.
    public let value: [UInt8]

    /// A field from its parts.
    public init(name: String, value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

/// A header field to delete.
public struct RemovedField: Hashable, Sendable {
    /// The field's name, as the message writes it.
    public let name: Octets
    /// Its place among the fields of that name, from 1 (how milters count).
    public let index: Int
    /// What the field said.
    public let value: Octets
}

extension HeaderSettings {
    /// The fields of a message that this host is to delete, from the top.
    ///
    /// RFC 8601 § 5: a field that claims to be of this host, and comes from outside, is forged.
    public func forged(in headers: HeaderBlock) -> [RemovedField] {
        guard removal != .none else { return [] }
        var counts: [[UInt8]: Int] = [:]
        var forged = [RemovedField]()
        for position in headers.indices where Self.initials.contains(headers.initial(at: position)) {
            let field = headers[position]
            guard let isForeign = Self.mayBeOurs(field.name) else { continue }
            let index = counts[field.name.map(\.lowercased), default: 0] + 1
            counts[field.name.map(\.lowercased)] = index
            let isOurs =
                !isForeign || removal == .all || AuthenticationResultsField.belongs(to: authservID, value: field.value)
            guard isOurs else { continue }
            // Copies: what is remembered of a message must not hold its whole header.
            forged.append(RemovedField(name: Array(field.name)[...], index: index, value: Array(field.value)[...]))
        }
        return forged
    }

    /// With which letters the names begin that `mayBeOurs` knows.
    private static let initials = [UInt8(ascii: "a"), UInt8(ascii: "x")]

    /// Whether others may write fields of this name too; nil for a name that says nothing of ours.
    private static func mayBeOurs(_ name: Octets) -> Bool? {
        if name.equalsIgnoringCase("Authentication-Results") { return true }
        let isOurs =
            name.prefix(6).equalsIgnoringCase("X-SID-") || name.equalsIgnoringCase("X-DKIM-Result")
            || name.equalsIgnoringCase("X-AUTH-Result")
        return isOurs ? false : nil
    }
}
