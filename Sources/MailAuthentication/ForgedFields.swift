internal import AuthenticationResults
public import MailSyntax

/// A header field to delete.
public struct RemovedField: Hashable, Sendable {
    /// The field's name, as the message writes it.
    public let name: Octets
    /// The field's position among the fields of that name, counted from 1 as milters do.
    public let index: Int
}

/// Finds the fields of a message that this host must delete, as the fields pass from the top.
///
/// RFC 8601 § 5: a field from outside that claims to come from this host is forged. The size of the header makes no
/// difference, because the field's name or value shows the claim.
public struct ForgedFields: Sendable {
    /// The most fields that are deleted.
    ///
    /// An MTA searches for each field from the top, so the time for deletions grows with the square of their number:
    /// Postfix needs 0.1 s for a thousand and 7 s for ten thousand, and its cleanup(8) gives up at more.
    public static let maximumDeleted = 1000
    /// How many octets of fields are read in every way in which a reader might read them; each field counts as at least
    /// 512.
    ///
    /// Comments and quotes of a hundred hosts fit in. A sender that writes more wants to keep the filter busy: further
    /// fields count as forged without being read.
    private static let maximumReadCarefully = 65_536
    /// How many deleted fields are kept under another name.
    private static let maximumKept = 10

    private let settings: HeaderSettings
    /// How many Authentication-Results fields have passed.
    private var resultCount = 0
    /// How many fields of each other relevant name have passed; the names are in lower case.
    private var counts: [[UInt8]: Int] = [:]
    /// The fields to delete, from the top.
    public private(set) var deleted: [RemovedField] = []
    /// The contents of deleted Authentication-Results fields, under a name that nobody trusts.
    public private(set) var kept: [NewField] = []
    private var octetsToRead = Self.maximumReadCarefully
    /// Our authserv-id; one value for the whole message, because it counts the cost of the search for the id.
    private lazy var service = ServiceName(settings.authservID)

    /// An empty result.
    public init(_ settings: HeaderSettings) {
        self.settings = settings
    }

    /// The fields of a header that claim to be ours.
    public init(_ headers: HeaderBlock, _ settings: HeaderSettings) {
        self.init(settings)
        add(headers)
    }

    /// Examines all fields of a header.
    public mutating func add(_ headers: HeaderBlock) {
        for position in headers.indices where settings.mayRemove(initial: headers.initial(at: position)) {
            let field = headers[position]
            add(name: field.name, value: field.value)
        }
    }

    /// Examines a field in its packet.
    public mutating func add(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        guard settings.mayRemove(initial: unsafe name.first.map(\.lowercased) ?? 0) else { return }
        unsafe add(name: Array(name)[...].trimmed, value: Array(value)[...])
    }

    private mutating func add(name: Octets, value: Octets) {
        guard deleted.count < Self.maximumDeleted, let claim = settings.claim(of: name) else { return }
        let index = nextIndex(of: name, claim)
        guard claim == .ours || settings.removeForeign || isOurs(value) else { return }
        // A copy, so that a remembered field does not keep the whole header in memory.
        deleted.append(RemovedField(name: Array(name)[...], index: index))
        if claim == .result, settings.keepRemoved, kept.count < Self.maximumKept { kept.append(NewField(kept: value)) }
    }

    /// The position of the next field of a name among the fields of that name.
    private mutating func nextIndex(of name: Octets, _ claim: HeaderSettings.Claim) -> Int {
        guard claim == .ours else {
            resultCount += 1
            return resultCount
        }
        let key = name.map(\.lowercased)
        let index = counts[key, default: 0] + 1
        counts[key] = index
        return index
    }

    /// Whether a result claims to be ours, for at least one way of reading it.
    private mutating func isOurs(_ value: Octets) -> Bool {
        if AuthenticationResultsField.isPlainlyOfAnother(than: settings.authservID, value: value) { return false }
        octetsToRead -= max(512, value.count)
        return octetsToRead < 0 || service.isClaimed(by: value)
    }
}

extension HeaderSettings {
    /// The claim that a field makes by its name.
    fileprivate enum Claim {
        /// The field has a name that only this host writes.
        case ours
        /// The field is Authentication-Results, whose value names the host.
        case result
    }

    /// The name under which deleted fields are kept.
    private static let keptName: StaticString = "X-Received-Authentication-Results"

    /// Whether a field whose name begins with this letter, in lower case, may have to go; most fields need no further
    /// check.
    fileprivate func mayRemove(initial: UInt8) -> Bool {
        guard removeForged || removeForeign else { return false }
        switch initial {
        case UInt8(ascii: "a"), UInt8(ascii: "x"): return true
        case UInt8(ascii: "r") where receivedSPF: return true
        default: return initial == junk.name.utf8.first?.lowercased
        }
    }

    /// The claim of a field with this name; nil for a name without a claim.
    fileprivate func claim(of name: Octets) -> Claim? {
        if name.equalsIgnoringCase("Authentication-Results") { return .result }
        // RFC 7208 § 9.1: the field does not say in any reliable way who wrote it.
        if receivedSPF, name.equalsIgnoringCase("Received-SPF") { return .ours }
        let isOurs =
            name.prefix(6).equalsIgnoringCase("X-SID-") || name.equalsIgnoringCase("X-DKIM-Result")
            || name.equalsIgnoringCase("X-AUTH-Result") || name.equalsIgnoringCase(Self.keptName)
            || name.count == junk.name.utf8.count && name.equalsIgnoringCase(Octets(junk.name))
        return isOurs ? .ours : nil
    }
}

extension NewField {
    /// The contents of a deleted Authentication-Results field, on one line.
    fileprivate init(kept value: Octets) {
        let text = value.trimmed.filter { $0 != .cr && $0 != .lf }.map { $0.isWSP ? .space : $0 }
        // The RFC's limit for a line, minus room for the name.
        self.init(name: "X-Received-Authentication-Results", value: FieldText.printable(text[...], limit: 900))
    }
}
