internal import Glibc
internal import MailSyntax

/// Canonicalizes a body while it streams through (RFC 6376 §§ 3.4.3 and 3.4.4).
///
/// Octets that need no change are passed on from where they lie, in runs as long as possible. Only line ends, and white
/// space that may turn out to be trailing, are held back, as a count or a flag. So the result does not depend on how
/// the body is cut into chunks.
///
/// RFC 6376 § 5.3 requires the text in the form in which it goes over the wire, where a line ends in CRLF: an LF
/// without a CR before it is read as CRLF, as MTAs deliver it. A CR without an LF after it is data, as elsewhere.
public struct BodyCanonicalizer {
    /// The canonical form to produce.
    public let canonicalization: Canonicalization

    /// How many line ends were read but not passed on; at the end of a body they count as one.
    private var heldLineEnds = 0
    /// Whether the last octet read was a CR.
    private var holdsCR = false
    /// Whether white space was read that disappears before a line end, and becomes one space before data.
    private var holdsWhiteSpace = false
    private var hasContent = false

    /// A canonicalizer at the beginning of a body.
    public init(_ canonicalization: Canonicalization) {
        self.canonicalization = canonicalization
    }

    /// Receives the canonical octets, run by run; each run is valid only during the call.
    public typealias Emit = (UnsafeRawBufferPointer) -> Void

    /// Takes the next octets of the body, cut at any place.
    public mutating func update(_ chunk: UnsafeRawBufferPointer, _ emit: Emit) {
        guard let first = unsafe chunk.first else { return }
        var start = 0
        if holdsCR {
            holdsCR = false
            if first == .lf {
                endLine()
                start = 1
            } else {
                unsafe passHeldWhiteSpace(emit)
                unsafe pass(Constants.cr, emit)
            }
        }
        switch canonicalization {
        case .simple: unsafe simple(chunk, from: start, emit)
        case .relaxed: unsafe relaxed(chunk, from: start, emit)
        }
    }

    /// Ends the body, and passes on the octets that its end decides.
    public mutating func finish(_ emit: Emit) {
        if holdsCR {
            unsafe passHeldWhiteSpace(emit)
            unsafe pass(Constants.cr, emit)
        }
        // RFC 6376 § 3.4.3: "If there is no body or no trailing CRLF on the message body, a CRLF is added." § 3.4.4:
        // "If the body is non-empty but does not end with a CRLF, a CRLF is added": an empty body stays empty. Both
        // forms ignore all empty lines at the end.
        if hasContent || canonicalization == .simple { unsafe emit(Constants.lineEnds(1)) }
    }

    private mutating func simple(_ chunk: UnsafeRawBufferPointer, from first: Int, _ emit: Emit) {
        var start = first
        var end = chunk.count
        if end > start, unsafe chunk[end - 1] == .cr {
            holdsCR = true
            end -= 1
        }
        var search = start
        while let lineFeed = unsafe chunk.firstIndex(ofLineFeedFrom: search, to: end) {
            if unsafe lineFeed == start || chunk[lineFeed - 1] != .cr {
                unsafe pass(chunk.run(start, lineFeed), emit)
                endLine()
                start = lineFeed + 1
            }
            search = lineFeed + 1
        }
        unsafe pass(chunk.run(start, end), emit)
    }

    private mutating func relaxed(_ chunk: UnsafeRawBufferPointer, from first: Int, _ emit: Emit) {
        var start = first
        var index = first
        if holdsWhiteSpace { unsafe whiteSpace(chunk, from: &index, start: &start, emit) }
        while true {
            index = unsafe chunk.firstIndex(ofRelaxableFrom: index)
            guard index < chunk.count else { break }
            switch unsafe chunk[index] {
            case .cr:
                unsafe pass(chunk.run(start, index), emit)
                holdsCR = true
                return
            case .lf:
                unsafe pass(chunk.run(start, index), emit)
                endLine()
                index += 1
                start = index
            case .space, .tab:
                unsafe pass(chunk.run(start, index), emit)
                holdsWhiteSpace = true
                start = index
                unsafe whiteSpace(chunk, from: &index, start: &start, emit)
            default: index += 1
            }
        }
        if !holdsWhiteSpace, !holdsCR { unsafe pass(chunk.run(start, chunk.count), emit) }
    }

    /// Reads white space, which may have begun earlier, and decides what replaces it.
    ///
    /// RFC 6376 § 3.4.4: "Ignore all whitespace at the end of lines." and "Reduce all sequences of WSP within a line to a
    /// single SP character."
    private mutating func whiteSpace(
        _ chunk: UnsafeRawBufferPointer,
        from index: inout Int,
        start: inout Int,
        _ emit: Emit
    ) {
        while index < chunk.count, unsafe chunk[index] == .space || chunk[index] == .tab { index += 1 }
        start = index
        guard index < chunk.count else { return }
        let octet = unsafe chunk[index]
        if octet == .cr, index + 1 == chunk.count {
            holdsCR = true
            index += 1
        } else if unsafe octet == .lf || octet == .cr && chunk[index + 1] == .lf {
            holdsWhiteSpace = false
        } else if index > 0, unsafe chunk[index - 1] == .space {
            // The one space that stays can be the last space read, so that one run includes it and the octets after it.
            holdsWhiteSpace = false
            start = index - 1
        } else {
            unsafe passHeldWhiteSpace(emit)
        }
    }

    private mutating func endLine() {
        holdsWhiteSpace = false
        heldLineEnds += 1
    }

    private mutating func passHeldWhiteSpace(_ emit: Emit) {
        guard holdsWhiteSpace else { return }
        holdsWhiteSpace = false
        unsafe pass(Constants.space, emit)
    }

    /// Passes on a run in which every LF follows its CR, and holds back the line ends at its end.
    private mutating func pass(_ run: UnsafeRawBufferPointer, _ emit: Emit) {
        var end = run.count
        var lineEnds = 0
        while end >= 2, unsafe run[end - 1] == .lf, unsafe run[end - 2] == .cr {
            end -= 2
            lineEnds += 1
        }
        if end > 0 {
            while heldLineEnds > 0 {
                let count = min(heldLineEnds, Constants.maximumLineEnds)
                unsafe emit(Constants.lineEnds(count))
                heldLineEnds -= count
            }
            unsafe emit(run.run(0, end))
            hasContent = true
        }
        heldLineEnds += lineEnds
    }
}

/// Octets that a canonical form may need but the message lacks.
private enum Constants {
    static let maximumLineEnds = 512

    // The memory is never freed, so a view of it is always valid.
    private nonisolated(unsafe) static let octets: UnsafeRawBufferPointer = {
        let octets = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * maximumLineEnds + 1, alignment: 1)
        for index in 0..<maximumLineEnds {
            unsafe octets[2 * index] = .cr
            unsafe octets[2 * index + 1] = .lf
        }
        unsafe octets[2 * maximumLineEnds] = .space
        return UnsafeRawBufferPointer(octets)
    }()

    static var cr: UnsafeRawBufferPointer { unsafe octets.run(0, 1) }
    static var space: UnsafeRawBufferPointer { unsafe octets.run(2 * maximumLineEnds, 2 * maximumLineEnds + 1) }
    static func lineEnds(_ count: Int) -> UnsafeRawBufferPointer {
        unsafe octets.run(0, 2 * min(count, maximumLineEnds))
    }
}

extension UnsafeRawBufferPointer {
    /// The octets from `start` up to `end`, both within the buffer.
    fileprivate func run(_ start: Int, _ end: Int) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: self[start..<end])
    }

    /// The position of the first LF from `start` up to `end`.
    func firstIndex(ofLineFeedFrom start: Int, to end: Int) -> Int? {
        guard start < end, let base = baseAddress else { return nil }
        // memchr reads only within the given length.
        guard let found = unsafe memchr(base + start, Int32(UInt8.lf), end - start) else { return nil }
        return unsafe UnsafeRawPointer(found) - base
    }

    /// The first index from `start` where relaxed canonicalization must change or decide something; `count` if none.
    ///
    /// Each octet is examined with its neighbours: line ends in CRLF and single spaces need no work.
    fileprivate func firstIndex(ofRelaxableFrom start: Int) -> Int {
        var index = start
        if index == 0, count > 0 {
            if unsafe isRelaxable(at: 0) { return 0 }
            index = 1
        }
        // The loads stay within the buffer: it has one octet before and 64 after `index`.
        while count - index > 64, let block = unsafe baseAddress?.advanced(by: index) {
            if let offset = unsafe block.offsetOfRelaxable() { return index + offset }
            index += 64
        }
        while index < count, unsafe !isRelaxable(at: index) { index += 1 }
        return index
    }

    /// Whether an octet needs work: a tab, a space before white space or a line end, an LF without a CR before it, or a
    /// last octet that is not known to be data.
    private func isRelaxable(at index: Int) -> Bool {
        let isLast = index + 1 == count
        return switch unsafe octet(index) {
        case .tab: true
        case .lf: unsafe index == 0 || octet(index - 1) != .cr
        case .cr: isLast
        case .space: unsafe isLast || octet(index + 1) <= 0x20
        default: false
        }
    }

    /// The octet at an index within the buffer.
    private func octet(_ index: Int) -> UInt8 { unsafe self[index] }
}

extension UnsafeRawPointer {
    /// The first of the next 64 octets where relaxed canonicalization must change or decide something.
    ///
    /// Reads one octet before and one after these 64.
    @inline(__always) fileprivate func offsetOfRelaxable() -> Int? {
        let found = unsafe (relaxable(at: 0), relaxable(at: 16), relaxable(at: 32), relaxable(at: 48))
        let any = (found.0 | found.1) | (found.2 | found.3)
        guard any.x | any.y != 0 else { return nil }
        return found.0.firstOctet ?? found.1.firstOctet.map { 16 + $0 }
            ?? found.2.firstOctet.map { 32 + $0 } ?? found.3.firstOctet.map { 48 + $0 }
    }

    /// Marks which of the 16 octets from `offset` on are a tab, a space before white space or a line end, or an LF
    /// without a CR before it.
    ///
    /// The mark is the highest bit of an octet, in the order of a number's octets from the lowest.
    ///
    /// Only arithmetic, which works on 16 octets at once; comparisons of vectors would go one by one.
    @inline(__always) private func relaxable(at offset: Int) -> SIMD2<UInt64> {
        let before = unsafe loadUnaligned(fromByteOffset: offset - 1, as: SIMD16<UInt8>.self)
        let here = unsafe loadUnaligned(fromByteOffset: offset, as: SIMD16<UInt8>.self)
        let after = unsafe loadUnaligned(fromByteOffset: offset + 1, as: SIMD16<UInt8>.self)
        let found =
            here.equal(to: .tab) | (here.equal(to: .lf) & ~before.equal(to: .cr))
            | (here.equal(to: .space) & after.below(0x21))
        let words = unsafe unsafeBitCast(found & SIMD16(repeating: 0x80), to: SIMD2<UInt64>.self)
        return SIMD2(UInt64(littleEndian: words.x), UInt64(littleEndian: words.y))
    }
}

extension SIMD2<UInt64> {
    /// The index of the first octet that is not 0, counted from the lowest octet.
    @inline(__always) fileprivate var firstOctet: Int? {
        if x != 0 { return x.trailingZeroBitCount / 8 }
        return y != 0 ? 8 + y.trailingZeroBitCount / 8 : nil
    }
}

extension SIMD16<UInt8> {
    /// Octets whose highest bits mark which of these octets are below `bound`, which is at most 0x80.
    @inline(__always) fileprivate func below(_ bound: UInt8) -> Self { ~self & (self &- Self(repeating: bound)) }

    /// Octets whose highest bits mark which of these octets equal `octet`.
    @inline(__always) fileprivate func equal(to octet: UInt8) -> Self { (self ^ Self(repeating: octet)).below(1) }
}
