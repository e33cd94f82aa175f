internal import MailSyntax

/// Writes numbers, texts and words behind one another.
struct BlobWriter {
    private(set) var octets = [UInt8]()

    mutating func octet(_ value: UInt8) { octets.append(value) }

    /// Writes a number, seven bits an octet, the lowest first; the highest bit says that more follow.
    mutating func number(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            octets.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        octets.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func text(_ text: String) {
        number(UInt64(text.utf8.count))
        octets.append(text)
    }

    /// Writes a text or nil: the first octet tells which.
    mutating func optionalText(_ text: String?) {
        octet(text == nil ? 0 : 1)
        if let text { self.text(text) }
    }

    /// Writes a word's place in the list of all, from 1; 0 for nil.
    mutating func word<Word: CaseIterable & Equatable>(_ word: Word?) {
        let place = word.flatMap { word in Word.allCases.enumerated().first { $1 == word }?.offset }
        octet(place.map { UInt8(truncatingIfNeeded: $0 + 1) } ?? 0)
    }
}

/// Reads what `BlobWriter` has written; no input can make it trap, or reserve more memory than the input has.
struct BlobReader {
    /// The octets end early, or say what no writer says.
    struct Damaged: Error {}

    private let octets: [UInt8]
    private var index = 0

    init(_ octets: [UInt8]) {
        self.octets = octets
    }

    var isAtEnd: Bool { index == octets.count }

    mutating func octet() throws(Damaged) -> UInt8 {
        guard index < octets.count else { throw Damaged() }
        defer { index += 1 }
        return octets[index]
    }

    mutating func number() throws(Damaged) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, through: 63, by: 7) {
            let octet = try octet()
            value |= UInt64(octet & 0x7F) << shift
            if octet < 0x80 { return value }
        }
        throw Damaged()
    }

    /// The number of things that follow, each of which takes an octet at least.
    mutating func count() throws(Damaged) -> Int {
        let count = try number()
        guard count <= UInt64(octets.count - index) else { throw Damaged() }
        return Int(count)
    }

    mutating func text() throws(Damaged) -> String {
        let count = try count()
        defer { index += count }
        guard let text = String(validating: octets[index..<index + count], as: UTF8.self) else { throw Damaged() }
        return text
    }

    mutating func optionalText() throws(Damaged) -> String? {
        switch try octet() {
        case 0: nil
        case 1: try text()
        default: throw Damaged()
        }
    }

    mutating func optionalWord<Word: CaseIterable>(_ type: Word.Type = Word.self) throws(Damaged) -> Word? {
        let place = Int(try octet())
        guard place > 0 else { return nil }
        let words = Array(Word.allCases)
        guard place <= words.count else { throw Damaged() }
        return words[place - 1]
    }

    mutating func word<Word: CaseIterable>(_ type: Word.Type = Word.self) throws(Damaged) -> Word {
        guard let word = try optionalWord(type) else { throw Damaged() }
        return word
    }

    mutating func flag() throws(Damaged) -> Bool {
        switch try octet() {
        case 0: false
        case 1: true
        default: throw Damaged()
        }
    }
}
