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
        var counts: [Int: Int] = [:]
        var forged = [RemovedField]()
        for field in headers {
            guard let kind = Self.ownNames.firstIndex(where: { field.isNamed($0) }) else { continue }
            counts[kind, default: 0] += 1
            guard kind != 0 || removal == .all || AuthenticationResultsField.belongs(to: authservID, value: field.value)
            else {
                continue
            }
            forged.append(RemovedField(name: field.name, index: counts[kind, default: 1], value: field.value))
        }
        return forged
    }

    /// The names of fields that only this host writes; of the first, others write their own too.
    private static let ownNames: [StaticString] = [
        "Authentication-Results", "X-SID-PRA", "X-SID-Result", "X-DKIM-Result", "X-AUTH-Result",
    ]
}
