internal import DKIM

/// Canonicalizes an input as a body, cut into chunks in several ways: the form is always the same, and stable.
func fuzzBody(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let octets = unsafe input(start, count)
    // The first octets say where the body is cut.
    let cuts = octets.prefix(4).map { Int($0) + 1 }
    let body = Array(octets.dropFirst(4))
    for canonicalization in Canonicalization.allCases {
        let whole = form(canonicalization, body, [max(1, body.count)])
        expect(form(canonicalization, body, [1]) == whole, "octet by octet")
        if !cuts.isEmpty { expect(form(canonicalization, body, cuts) == whole, "cut otherwise") }
        expect(form(canonicalization, whole, [7]) == whole, "a form that is not stable")
        expect(reference(canonicalization, body) == whole, "not what the standard says")
    }
    return 0
}

/// The form of a body that comes in chunks of these lengths, over and over.
private func form(_ canonicalization: Canonicalization, _ body: [UInt8], _ lengths: [Int]) -> [UInt8] {
    var canonicalizer = BodyCanonicalizer(canonicalization)
    var output = [UInt8]()
    var rest = body[...]
    var round = 0
    while !rest.isEmpty {
        // A copy of its own for each chunk, so that a read beyond its end is found.
        let chunk = Array(rest.prefix(lengths[round % lengths.count]))
        unsafe chunk.withUnsafeBytes { unsafe canonicalizer.update($0) { unsafe output.append(contentsOf: $0) } }
        rest = rest.dropFirst(chunk.count)
        round += 1
    }
    unsafe canonicalizer.finish { unsafe output.append(contentsOf: $0) }
    return output
}

/// The form in the words of RFC 6376 § 3.4.3 and § 3.4.4, line by line.
private func reference(_ canonicalization: Canonicalization, _ body: [UInt8]) -> [UInt8] {
    var lines: [[UInt8]] = [[]]
    for octet in body {
        let last = lines.count - 1
        if octet == 0x0A {
            if lines[last].last == 0x0D { lines[last].removeLast() }
            lines.append([])
        } else {
            lines[last].append(octet)
        }
    }
    if canonicalization == .relaxed {
        lines = lines.map { line in
            var reduced = [UInt8]()
            for octet in line {
                let isSpace = octet == 0x20 || octet == 0x09
                if !isSpace { reduced.append(octet) } else if reduced.last != 0x20 { reduced.append(0x20) }
            }
            if reduced.last == 0x20 { reduced.removeLast() }
            return reduced
        }
    }
    while lines.last?.isEmpty == true { lines.removeLast() }
    if lines.isEmpty { return canonicalization == .simple ? [0x0D, 0x0A] : [] }
    return Array(lines.joined(separator: [0x0D, 0x0A])) + [0x0D, 0x0A]
}
