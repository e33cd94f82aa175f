public import MailSyntax

/// The name of this authentication service, looked for in the fields of one message from outside.
///
/// RFC 8601 § 5: a field that claims to be ours must be deleted when it comes from outside. A reader further on may be more
/// lenient than the grammar, so the question is not whether the field is valid, but whether anybody could find our name in
/// front, or alone between two semicolons. `LenientReading` lists the ways in which one might.
public struct ServiceName: Sendable {
    /// How many names with U-labels are turned into A-labels for a message; each takes microseconds.
    ///
    /// Nobody honest has that many stand where a service's name does: a field with one more is taken for ours unread.
    public static let maximumConversions = 32

    /// The name as it is written and as A-labels, in lower case and without blanks.
    private let forms: [[UInt8]]
    /// The name, if it is one of the DNS.
    private let domain: DomainName?
    /// Whether labels of the name stand for others than US-ASCII (RFC 5890 § 2.3.2.1).
    private let hasULabels: Bool
    /// How many names have been turned into A-labels.
    public private(set) var conversions = 0

    /// A name to look for.
    public init(_ authservID: Octets) {
        let written = authservID.filter { !$0.isBlank }.map(\.lowercased)
        domain = try? DomainName(unicode: written[...])
        forms = [written] + (written.isASCII ? [] : domain.map { [Array($0.description.utf8)] } ?? [])
        hasULabels = domain?.labels.contains { $0.starts(with: "xn--".utf8) } ?? false
    }

    /// Whether a field claims to come from this service, however it is written.
    public mutating func isClaimed(by value: Octets) -> Bool {
        guard !forms[0].isEmpty else { return false }
        // Readers differ over an encoded word that cannot be decoded, and nobody needs one here.
        guard let spellings = LenientReading.spellings(of: value) else { return true }
        return spellings.contains { LenientReading.names(&self, in: $0[...]) }
    }

    /// How many octets of a segment matter: blanks may stand between all octets of the name.
    var reach: Int { 2 * forms[0].count + 64 }

    /// Whether an octet may be the first of the name.
    func mayBegin(with octet: UInt8) -> Bool {
        octet >= 0x80 || forms.contains { $0.first == octet.lowercased }
    }

    /// Whether the first segment of a field begins with the name, or a later one is the name alone.
    ///
    /// - Parameter segment: its octets, with one space for all blanks that stand together, and none in front.
    mutating func isNamed(by segment: Octets, isFirst: Bool) -> Bool {
        for form in forms {
            if let rest = Self.rest(of: segment, behind: form[...]), Self.mayFollow(rest, isFirst: isFirst) {
                return true
            }
        }
        guard let domain, isLongEnough(segment, for: domain), !segment.isASCII else { return false }
        // RFC 8601 § 5: A-labels and U-labels are the same name.
        let word = segment.prefix { $0.isNameCharacter }
        if Self.mayFollow(segment[word.endIndex...], isFirst: isFirst), isOurs(word) { return true }
        let joined = segment.filter { $0 != .space }[...]
        guard joined.count < segment.count else { return false }
        let joinedWord = joined.prefix { $0.isNameCharacter }
        return Self.mayFollow(joined[joinedWord.endIndex...], isFirst: isFirst) && isOurs(joinedWord)
    }

    /// What follows the name in a text, where blanks within the name do not count; nil when the text begins otherwise.
    private static func rest(of text: Octets, behind name: Octets) -> Octets? {
        var position = text.startIndex
        for octet in name {
            while position < text.endIndex, text[position] == .space { position += 1 }
            guard position < text.endIndex, text[position].lowercased == octet else { return nil }
            position += 1
        }
        // Dots at the end make no other name.
        let rest = text[position...].drop { $0 == UInt8(ascii: ".") }
        return rest.first?.isNameCharacter == true ? nil : rest
    }

    /// Whether the name may have this behind it: anything in front of a field, a version in a segment of its own.
    private static func mayFollow(_ rest: Octets, isFirst: Bool) -> Bool {
        isFirst || rest.drop { $0 != .space }.allSatisfy { $0.isDigit || !$0.isNameCharacter }
    }

    /// Whether a word with U-labels is our name; asks libidn2 only where it could be.
    private mutating func isOurs(_ word: Octets) -> Bool {
        guard let domain, mayBecome(domain, word) else { return false }
        guard conversions < Self.maximumConversions else { return true }
        conversions += 1
        return (try? DomainName(unicode: word)) == domain
    }

    /// UTS 46 § 4: no octet of UTF-8 becomes more than four characters of a name.
    private func isLongEnough(_ word: Octets, for domain: DomainName) -> Bool { word.count * 4 >= domain.wire.count }

    /// Whether a word could be our name in A-labels, as its length and its letters of US-ASCII tell.
    private func mayBecome(_ domain: DomainName, _ word: Octets) -> Bool {
        guard !word.isASCII, isLongEnough(word, for: domain) else { return false }
        guard !hasULabels else { return true }
        // UTS 46 § 4: letters of US-ASCII stay in their order, whatever the others become; a dot at the end goes.
        var rest = forms[0][...]
        for octet in word.last == UInt8(ascii: ".") ? word.dropLast() : word where octet < 0x80 {
            guard let index = rest.firstIndex(of: octet.lowercased) else { return false }
            rest = rest[(index + 1)...]
        }
        return true
    }
}
