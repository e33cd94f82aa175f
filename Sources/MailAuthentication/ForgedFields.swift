internal import AuthenticationResults
public import MailSyntax

/// A header field to delete.
public struct RemovedField: Hashable, Sendable {
    /// The field's name, as the message writes it.
    public let name: Octets
    /// Its place among the fields of that name, from 1 (how milters count).
    public let index: Int
}

/// Finds the fields of a message that this host is to delete, as they pass from the top.
///
/// RFC 8601 § 5: a field that claims to be of this host, and comes from outside, is forged. Its name tells, whatever the
/// size of the header.
public struct ForgedFields: Sendable {
    /// How many fields are deleted.
    ///
    /// An MTA looks for each one from the top, so that deleting takes it time by the square of their number: Postfix needs
    /// 0.1 s for a thousand, 7 s for ten thousand, and its cleanup(8) ends itself at more.
    public static let maximumDeleted = 1000
    /// How many octets of fields are read in all the ways in which a reader might, where each field counts as 512 at least.
    ///
    /// Comments and quotes of a hundred hosts fit in. Whoever writes more wants to keep the filter busy: such fields are
    /// then forged unread.
    private static let maximumReadCarefully = 65_536
    /// How many deleted fields stay readable under another name.
    private static let maximumKept = 10

    private let settings: HeaderSettings
    /// How many Authentication-Results fields have passed.
    private var resultCount = 0
    /// How many fields of each other name that matters have passed, in lower case.
    private var counts: [[UInt8]: Int] = [:]
    /// The fields to delete, from the top.
    public private(set) var deleted: [RemovedField] = []
    /// What deleted Authentication-Results fields said, under a name that nobody trusts.
    public private(set) var kept: [NewField] = []
    private var octetsToRead = Self.maximumReadCarefully
    /// Our name; one for the whole message, because it counts what finding it costs.
    private lazy var service = ServiceName(settings.authservID)

    /// Nothing so far.
    public init(_ settings: HeaderSettings) {
        self.settings = settings
    }

    /// Takes all fields of a header.
    public mutating func add(_ headers: HeaderBlock) {
        for position in headers.indices where settings.mayRemove(initial: headers.initial(at: position)) {
            let field = headers[position]
            add(name: field.name, value: field.value)
        }
    }

    /// Takes a field from where a packet has it.
    public mutating func add(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        guard settings.mayRemove(initial: unsafe name.first.map(\.lowercased) ?? 0) else { return }
        unsafe add(name: Array(name)[...].trimmed, value: Array(value)[...])
    }

    private mutating func add(name: Octets, value: Octets) {
        guard deleted.count < Self.maximumDeleted, let claim = settings.claim(of: name) else { return }
        let index = nextIndex(of: name, claim)
        guard claim == .ours || settings.removeForeign || isOurs(value) else { return }
        // A copy: what is remembered of a message must not hold its whole header.
        deleted.append(RemovedField(name: Array(name)[...], index: index))
        if claim == .result, settings.keepRemoved, kept.count < Self.maximumKept { kept.append(NewField(kept: value)) }
    }

    /// The place of the next field of a name among those of that name.
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

    /// Whether a result says that it is ours, to some reader.
    private mutating func isOurs(_ value: Octets) -> Bool {
        if AuthenticationResultsField.isPlainlyOfAnother(than: settings.authservID, value: value) { return false }
        octetsToRead -= max(512, value.count)
        return octetsToRead < 0 || service.isClaimed(by: value)
    }
}

extension HeaderSettings {
    /// What a field claims by its name.
    fileprivate enum Claim {
        /// To be a field that only this host writes.
        case ours
        /// To be Authentication-Results, whose value says of which host.
        case result
    }

    /// The name under which deleted fields are kept.
    private static let keptName: StaticString = "X-Received-Authentication-Results"

    /// Whether a field whose name begins with this letter, in lower case, may have to go; most need no second look.
    fileprivate func mayRemove(initial: UInt8) -> Bool {
        guard removeForged || removeForeign else { return false }
        switch initial {
        case UInt8(ascii: "a"), UInt8(ascii: "x"): return true
        case UInt8(ascii: "r") where receivedSPF: return true
        default: return initial == junk.name.utf8.first?.lowercased
        }
    }

    /// What a field of this name claims; nil for a name that says nothing of ours.
    fileprivate func claim(of name: Octets) -> Claim? {
        if name.equalsIgnoringCase("Authentication-Results") { return .result }
        // RFC 7208 § 9.1: the field says in no way that can be relied on who wrote it.
        if receivedSPF, name.equalsIgnoringCase("Received-SPF") { return .ours }
        let isOurs =
            name.prefix(6).equalsIgnoringCase("X-SID-") || name.equalsIgnoringCase("X-DKIM-Result")
            || name.equalsIgnoringCase("X-AUTH-Result") || name.equalsIgnoringCase(Self.keptName)
            || name.count == junk.name.utf8.count && name.equalsIgnoringCase(Octets(junk.name))
        return isOurs ? .ours : nil
    }
}

extension NewField {
    /// What a deleted Authentication-Results field said, on one line.
    fileprivate init(kept value: Octets) {
        let text = value.trimmed.filter { $0 != .cr && $0 != .lf }.map { $0.isWSP ? .space : $0 }
        // A line of the RFC's length, with room for the name.
        self.init(name: "X-Received-Authentication-Results", value: FieldText.printable(text[...], limit: 900))
    }
}
