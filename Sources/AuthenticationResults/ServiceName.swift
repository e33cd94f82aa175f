public import MailSyntax

/// Looks for the name of this authentication service in the fields of one message from outside.
///
/// RFC 8601 § 5: a field that claims to be ours must be deleted when it comes from outside. A later reader may be more
/// lenient than the grammar. So the question is not whether the field is valid, but whether any reader could find our
/// name at the beginning, or alone between two semicolons. `LenientReading` lists the ways to do so.
public struct ServiceName: Sendable {
    /// The most names with U-labels that are turned into A-labels for a message; each takes microseconds.
    ///
    /// No honest message has that many names where a service's name belongs: after that, a field counts as ours unread.
    public static let maximumConversions = 32

    /// The name as written and as A-labels, in lower case and without blanks.
    private let forms: [[UInt8]]
    /// The name, if it is a domain name.
    private let domain: DomainName?
    /// Whether labels of the name stand for U-labels (RFC 5890 § 2.3.2.1).
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

    /// Whether a field claims to come from this service, in any spelling.
    public mutating func isClaimed(by value: Octets) -> Bool {
        guard !forms[0].isEmpty else { return false }
        // Readers differ over an encoded word that cannot be decoded, and no honest field needs one here.
        guard let spellings = LenientReading.spellings(of: value) else { return true }
        return spellings.contains { LenientReading.names(&self, in: $0[...]) }
    }

    /// How many octets of a segment matter: blanks may separate all octets of the name.
    var reach: Int { 2 * forms[0].count + 64 }

    /// Whether the name may begin with an octet.
    func mayBegin(with octet: UInt8) -> Bool {
        octet >= 0x80 || forms.contains { $0.first == octet.lowercased }
    }

    /// Whether the first segment of a field begins with the name, or a later one is the name alone.
    ///
    /// - Parameter segment: its octets, with one space for each run of blanks, and no space in front.
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

    /// The text behind the name, ignoring blanks within the name; nil when the text does not begin with it.
    private static func rest(of text: Octets, behind name: Octets) -> Octets? {
        var position = text.startIndex
        for octet in name {
            while position < text.endIndex, text[position] == .space { position += 1 }
            guard position < text.endIndex, text[position].lowercased == octet else { return nil }
            position += 1
        }
        // Dots at the end do not make another name.
        let rest = text[position...].drop { $0 == UInt8(ascii: ".") }
        return rest.first?.isNameCharacter == true ? nil : rest
    }

    /// Whether the text behind the name is allowed: any text in the first segment, only a version in a later one.
    private static func mayFollow(_ rest: Octets, isFirst: Bool) -> Bool {
        isFirst || rest.drop { $0 != .space }.allSatisfy { $0.isDigit || !$0.isNameCharacter }
    }

    /// Whether a word with U-labels is our name; calls libidn2 only if it could be.
    private mutating func isOurs(_ word: Octets) -> Bool {
        guard let domain, mayBecome(domain, word) else { return false }
        guard conversions < Self.maximumConversions else { return true }
        conversions += 1
        return (try? DomainName(unicode: word)) == domain
    }

    /// UTS 46 § 4: an octet of UTF-8 never becomes more than four characters of a name.
    private func isLongEnough(_ word: Octets, for domain: DomainName) -> Bool { word.count * 4 >= domain.wire.count }

    /// Whether a word could be our name in A-labels, by its length and its US-ASCII letters.
    private func mayBecome(_ domain: DomainName, _ word: Octets) -> Bool {
        guard !word.isASCII, isLongEnough(word, for: domain) else { return false }
        guard !hasULabels else { return true }
        // UTS 46 § 4: US-ASCII letters stay in their order, whatever the others become; a dot at the end goes.
        var rest = forms[0][...]
        for octet in word.last == UInt8(ascii: ".") ? word.dropLast() : word where octet < 0x80 {
            guard let index = rest.firstIndex(of: octet.lowercased) else { return false }
            rest = rest[(index + 1)...]
        }
        return true
    }
}
