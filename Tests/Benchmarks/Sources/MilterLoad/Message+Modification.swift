import NIOCore

extension Message {
    /// Does what a filter asked for to the header, as Postfix does it for the next filter; leaves all else.
    ///
    /// - Parameters:
    ///   - octet: What is to be done: `h` adds a field, `i` inserts one, `m` changes or removes one.
    ///   - data: Where (a number, but for `h`), the field's name and its new value, each ended by NUL.
    ///   - keepsSpace: Whether the filter writes the space after a field's colon itself.
    mutating func apply(_ octet: UInt8, _ data: ByteBuffer, keepsSpace: Bool) {
        var data = data
        let number = octet == UInt8(ascii: "h") ? nil : data.readInteger(as: UInt32.self).map { Int($0) }
        let parts = Array(data.readableBytesView).split(separator: 0, omittingEmptySubsequences: false)
        guard parts.count >= 2 else { return }
        let space: [UInt8] = keepsSpace ? [] : [0x20]
        let field = (name: Array(parts[0]), value: space + Array(parts[1]))
        switch (octet, number) {
        case (UInt8(ascii: "h"), _): fields.append(field)
        case (UInt8(ascii: "i"), let number?): fields.insert(field, at: min(number, fields.count))
        case (UInt8(ascii: "m"), let number?) where number > 0:
            let named = fields.indices.filter { fields[$0].name.equalsIgnoringCase(field.name) }
            guard number <= named.count else { return }
            if parts[1].isEmpty { fields.remove(at: named[number - 1]) } else { fields[named[number - 1]] = field }
        default: break
        }
    }
}

extension [UInt8] {
    fileprivate func equalsIgnoringCase(_ other: [UInt8]) -> Bool {
        count == other.count && zip(self, other).allSatisfy { $0 | 0x20 == $1 | 0x20 }
    }
}
