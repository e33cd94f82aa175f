internal import MailSyntax

/// Reads what `OctetWriter` has written; no input can make it trap, or reserve more memory than the input has.
struct OctetReader {
    /// The octets end early, or say what no writer says.
    struct Damaged: Error {}

    private let octets: [UInt8]
    private var index = 0

    init(_ octets: [UInt8]) {
        self.octets = octets
    }

    var isAtEnd: Bool { index >= octets.count }

    mutating func octet() throws(Damaged) -> UInt8 {
        guard index < octets.count else { throw Damaged() }
        defer { index += 1 }
        return octets[index]
    }

    mutating func number() throws(Damaged) -> Int {
        var value = 0
        // Five octets hold 35 bits: no number in stored facts is larger.
        for shift in stride(from: 0, through: 28, by: 7) {
            let octet = try octet()
            value |= Int(octet & 0x7F) << shift
            if octet < 0x80 { return value }
        }
        throw Damaged()
    }

    mutating func fixed<Value: FixedWidthInteger & UnsignedInteger>() throws(Damaged) -> Value {
        var value: Value = 0
        for _ in 0..<Value.bitWidth / 8 { value = value << 8 | Value(truncatingIfNeeded: try octet()) }
        return value
    }

    /// The number of things that follow, each of which takes an octet at least.
    mutating func count() throws(Damaged) -> Int {
        let count = try number()
        guard count <= octets.count - index else { throw Damaged() }
        return count
    }

    /// A view of the next text.
    mutating func text() throws(Damaged) -> Octets {
        let count = try count()
        defer { index += count }
        return octets[index..<index + count]
    }

    /// Numbers below a limit, each larger than the one before.
    mutating func places(below limit: Int) throws(Damaged) -> [Int] {
        let count = try count()
        var places = [Int]()
        places.reserveCapacity(count)
        for _ in 0..<count {
            let place = try number()
            guard place < limit, place > places.last ?? -1 else { throw Damaged() }
            places.append(place)
        }
        return places
    }

    /// The word of a number; nil for 0.
    static func word<Word>(_ number: UInt8, _ words: [Word]) throws(Damaged) -> Word? {
        guard number > 0 else { return nil }
        guard words.indices.contains(Int(number) - 1) else { throw Damaged() }
        return words[Int(number) - 1]
    }

    mutating func word<Word>(_ words: [Word]) throws(Damaged) -> Word? { try Self.word(octet(), words) }

    /// A word that is always there.
    mutating func definiteWord<Word>(_ words: [Word]) throws(Damaged) -> Word {
        guard let word = try word(words) else { throw Damaged() }
        return word
    }
}
