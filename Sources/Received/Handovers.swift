internal import MailSyntax

/// The places in a Received field where a server may have written its own `by`, at any depth of comments.
///
/// A server writes it behind what it says of the client, which ends in `)` or `]`. What a client puts into its HELO name,
/// its user name or its certificate stands before that, so where there are several places, the client has made up one.
struct Handovers {
    /// The place; of several, one.
    private let place: Int?
    /// Whether it is not clear which is the server's.
    let isUnclear: Bool

    /// Whether there is none.
    var isEmpty: Bool { place == nil }

    /// The places in a value, also with its cuts: a client may have chosen where these are.
    init(_ value: Octets, _ text: Octets) {
        let places = text.handovers
        place = places.first
        let count = value.handovers.count
        isUnclear = places.count > 1 || count > places.count
    }

    /// Whether the word at a position can be the server's.
    func mayBegin(at position: Int) -> Bool { place == nil || place == position }
}

extension Octets {
    /// The length from which on a line is one that a server has cut; no server folds its own field so late.
    private static let cutLine = 600

    /// The value without the folds where a server has cut an overlong line wherever the limit came, as Postfix does at 998
    /// octets (RFC 5321 § 4.5.3.1.6): by its HELO a client could have a word of the server cut.
    var withoutCuts: Octets {
        guard count >= Self.cutLine - Self.label else { return self }
        var text = [UInt8]()
        text.reserveCapacity(count)
        var lineLength = Self.label
        var position = startIndex
        while position < endIndex {
            if let end = endOfCut(at: position), lineLength >= Self.cutLine {
                position = end
                lineLength = 1
                continue
            }
            lineLength = self[position] == .lf ? 0 : lineLength + 1
            text.append(self[position])
            position += 1
        }
        return text[...]
    }

    /// The octets of the field's name, which are in its first line.
    private static var label: Int { "Received:".utf8.count }

    /// The end of a line end and one space before a word, which is what a server cuts with.
    private func endOfCut(at position: Int) -> Int? {
        let rest = self[position...]
        let behind = rest.drop { $0 == .cr }
        guard rest.startIndex + 1 >= behind.startIndex, behind.first == .lf, behind.dropFirst().first == .space else {
            return nil
        }
        let word = behind.dropFirst(2)
        return word.first?.isWSP == false ? word.startIndex : nil
    }

    /// The positions of the words `by` behind `)` or `]`.
    fileprivate var handovers: [Int] {
        var places = [Int]()
        var last: UInt8?
        var position = startIndex
        while position < endIndex {
            let octet = self[position]
            if octet == UInt8(ascii: "b") || octet == UInt8(ascii: "B"), isHandover(at: position, behind: last) {
                places.append(position)
            }
            if !octet.isBlank { last = octet }
            position += 1
        }
        return places
    }

    private func isHandover(at position: Int, behind last: UInt8?) -> Bool {
        guard self[position...].prefix(2).equalsIgnoringCase("by") else { return false }
        guard self[(position + 2)...].first?.isBlank ?? true else { return false }
        switch last {
        case UInt8(ascii: ")"): return true
        // The word is one by itself.
        case UInt8(ascii: "]"): return self[..<position].last?.isBlank == true
        default: return false
        }
    }
}

extension UInt8 {
    private static let blanks: [UInt8] = [.space, .tab, .cr, .lf]

    fileprivate var isBlank: Bool { Self.blanks.contains(self) }
}
