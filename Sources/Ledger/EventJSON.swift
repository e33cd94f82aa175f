internal import MailSyntax

/// Takes the DNS answers out of an event's line, and puts them back.
///
/// The store keeps them apart, because they are dropped earlier.
enum EventJSON {
    private static let null = Array("null".utf8)

    /// The line with null for its answers, and the answers; without them when it has none.
    static func split(_ line: Octets) -> (event: [UInt8], answers: Octets?) {
        guard let place = answersPlace(in: line) else { return (Array(line), nil) }
        let answers = line[place]
        guard !answers.elementsEqual(null) else { return (Array(line), nil) }
        return (Array(line[..<place.lowerBound]) + null + line[place.upperBound...], answers)
    }

    /// The line with these answers.
    static func join(_ event: Octets, _ answers: Octets) -> [UInt8] {
        guard let place = answersPlace(in: event) else { return Array(event) }
        return Array(event[..<place.lowerBound]) + answers + event[place.upperBound...]
    }

    /// Where the value of `dns.answers` stands in valid JSON.
    private static func answersPlace(in line: Octets) -> Range<Int>? {
        var scanner = JSONScanner(line)
        guard let dns = scanner.value(of: "dns") else { return nil }
        var inner = JSONScanner(line[dns])
        return inner.value(of: "answers")
    }
}

/// Walks the members of an object in valid JSON.
private struct JSONScanner {
    private let text: Octets
    private var index: Int

    init(_ text: Octets) {
        self.text = text
        index = text.startIndex
    }

    /// Where the value of a member stands; nil when the object has no such member.
    mutating func value(of name: String) -> Range<Int>? {
        let name = Array(name.utf8)
        guard octet == UInt8(ascii: "{") else { return nil }
        index += 1
        while true {
            skipSpace()
            guard octet == UInt8(ascii: "\"") else { return nil }
            let key = index + 1
            skipString()
            let isWanted = key < index && text[key..<(index - 1)].elementsEqual(name)
            skipSpace()
            guard octet == UInt8(ascii: ":") else { return nil }
            index += 1
            skipSpace()
            let start = index
            skipValue()
            guard index > start else { return nil }
            if isWanted { return start..<index }
            skipSpace()
            guard octet == UInt8(ascii: ",") else { return nil }
            index += 1
        }
    }

    private var octet: UInt8? { index < text.endIndex ? text[index] : nil }

    private mutating func skipSpace() {
        while let octet, octet == 0x20 || octet == 0x0A || octet == 0x0D || octet == 0x09 { index += 1 }
    }

    /// Skips a string, whose opening quote is next.
    private mutating func skipString() {
        index += 1
        while let octet {
            index += 1
            if octet == UInt8(ascii: "\"") { return }
            if octet == UInt8(ascii: "\\"), index < text.endIndex { index += 1 }
        }
    }

    /// Skips a value with all that is in it.
    private mutating func skipValue() {
        var depth = 0
        while let octet {
            switch octet {
            case UInt8(ascii: "\""):
                skipString()
                if depth == 0 { return }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                // The end of the object around a number or a word.
                if depth == 0 { return }
                depth -= 1
                if depth == 0 {
                    index += 1
                    return
                }
            case UInt8(ascii: ","), 0x20, 0x0A, 0x0D, 0x09:
                if depth == 0 { return }
            default: break
            }
            index += 1
        }
    }
}
