internal import MailSyntax

/// Writes numbers, texts and words behind one another.
struct OctetWriter {
    private(set) var octets = [UInt8]()

    init(capacity: Int) {
        octets.reserveCapacity(capacity)
    }

    mutating func octet(_ value: UInt8) { octets.append(value) }

    /// The largest number that is written as it is: 35 bits.
    private static let largest = 0x7_FFFF_FFFF

    /// Writes a number that is not negative, seven bits an octet, the lowest first; the highest bit says that more follow.
    mutating func number(_ value: Int) {
        var rest = UInt(min(max(0, value), Self.largest))
        while rest >= 0x80 {
            octets.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        octets.append(UInt8(truncatingIfNeeded: rest))
    }

    /// Writes a number of 4 or 8 octets, the highest first.
    mutating func fixed(_ value: some FixedWidthInteger & UnsignedInteger) {
        for shift in stride(from: value.bitWidth - 8, through: 0, by: -8) {
            octets.append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }

    mutating func text(_ text: String) {
        number(text.utf8.count)
        octets.append(text)
    }

    mutating func numbers(_ values: [Int]) {
        number(values.count)
        for value in values { number(value) }
    }

    /// Writes the number of a word: its place in the list, from 1; 0 for nil.
    mutating func word<Word: Equatable>(_ word: Word?, _ words: [Word]) { octet(Self.number(of: word, words)) }

    /// The number of a word, which fits into four bits.
    static func number<Word: Equatable>(of word: Word?, _ words: [Word]) -> UInt8 {
        let place = word.flatMap { words.firstIndex(of: $0) }
        return place.map { UInt8(truncatingIfNeeded: $0 + 1) } ?? 0
    }
}
