internal import MailSyntax

/// Lines of text that fit a terminal.
struct TextLines {
    private static let width = 80

    private(set) var lines = [String]()

    mutating func line(_ text: String = "") { lines.append(text) }

    /// Adds items behind a label, on as many lines as they need.
    mutating func items(_ label: String, indent: Int = 2, _ items: [String]) {
        guard !items.isEmpty else { return }
        let start = indent + 10
        var line = String(repeating: " ", count: indent) + label.padded(to: 10)
        for (place, item) in items.enumerated() {
            let item = item + (place < items.count - 1 ? "," : "")
            if line.count > start, line.count + 1 + item.count > Self.width {
                lines.append(line)
                line = String(repeating: " ", count: start)
            }
            line += (line.count > start ? " " : "") + item
        }
        lines.append(line)
    }

    /// Adds a text, on as many lines as it needs.
    mutating func paragraph(_ text: String, indent: Int = 0) {
        let start = String(repeating: " ", count: indent)
        var line = start
        for word in text.split(separator: " ") {
            if line.count > indent, line.count + 1 + word.count > Self.width {
                lines.append(line)
                line = start
            }
            line += (line.count > indent ? " " : "") + word
        }
        lines.append(line)
    }
}

extension String {
    /// The text with spaces behind it.
    func padded(to width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }

    /// The text with spaces before it.
    func aligned(to width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }

    /// The text, or its beginning.
    func cut(to width: Int) -> String { count > width ? prefix(width - 3) + "..." : self }
}

extension Int {
    /// `12.3 %` of a whole.
    func share(of whole: Int) -> String {
        guard whole > 0 else { return "" }
        let thousandths = (self * 1000 + whole / 2) / whole
        return "\(thousandths / 10).\(thousandths % 10) %"
    }

    /// `1 message`, `2,000 messages`.
    var messages: String { grouped + (self == 1 ? " message" : " messages") }
}
