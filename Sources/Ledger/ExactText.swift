/// A text that equals another one only octet for octet, as it does in the database.
///
/// Two `String`s are equal where their characters are, in whichever form Unicode has for them.
struct ExactText: Hashable {
    let text: String

    init(_ text: String) { self.text = text }

    static func == (one: Self, other: Self) -> Bool { one.text.utf8.elementsEqual(other.text.utf8) }

    func hash(into hasher: inout Hasher) {
        for octet in text.utf8 { hasher.combine(octet) }
    }

    /// The text as SQLite can hold it: it would end at a NUL, for which U+FFFD stands.
    static func storable(_ text: String) -> String {
        text.utf8.contains(0) ? text.replacing("\u{0}", with: "\u{FFFD}") : text
    }
}
