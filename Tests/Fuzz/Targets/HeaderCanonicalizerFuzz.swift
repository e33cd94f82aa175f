internal import DKIM
internal import MailSyntax

/// Canonicalizes an input as a header; the relaxed form of a relaxed form is itself, and refolding changes nothing.
func fuzzHeader(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let headers = StoredMessage(unsafe input(start, count)[...]).headers
    for field in headers {
        let relaxed = form(field.name, field.value)
        guard let colon = relaxed.firstIndex(of: UInt8(ascii: ":")) else { fatalError("no colon") }
        let (name, value) = (relaxed[..<colon], relaxed[(colon + 1)...])
        expect(form(name, value) == relaxed, "a form that is not stable")
        expect(!value.contains(0x09) && value.first != 0x20 && value.last != 0x20)
        var refolded = [UInt8]()
        for octet in value {
            if octet == 0x20 { refolded += [0x20, 0x0D, 0x0A, 0x09] } else { refolded.append(octet) }
        }
        // A CR at the end of a word would join the LF of the fold that follows it.
        if !value.contains(0x0D) { expect(form(name, refolded[...]) == relaxed, "a fold that changes the form") }
    }
    return 0
}

private func form(_ name: Octets, _ value: Octets) -> [UInt8] {
    var canonicalizer = HeaderCanonicalizer(.relaxed)
    canonicalizer.appendWithoutLineEnd(HeaderField(name: name, value: value))
    return canonicalizer.octets
}
