internal import MailSyntax

/// Reads an input as a tag-list; what was read, written again, must read as the same.
func fuzzTagList(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let text = unsafe input(start, count)
    guard let list = try? TagList(text[...]) else { return 0 }
    expect(!list.tags.isEmpty && list.tags.count <= TagList.maximumTags)
    let written = list.tags.map { Array($0.name) + [UInt8(ascii: "=")] + Array($0.value) }.joined(
        separator: Octets("; ")
    )
    guard let again = try? TagList(Array(written)[...]) else { fatalError("a list that does not read again") }
    expect(again.tags.map(\.name) == list.tags.map(\.name) && again.tags.map(\.value) == list.tags.map(\.value))
    for tag in list.tags {
        expect(!tag.value.contains(UInt8(ascii: ";")) && tag.value.trimmed == tag.value)
        if let octets = Base64.decode(tag.value) { expect(Base64.decode(Base64.encode(octets)[...]) == octets) }
    }
    return 0
}
