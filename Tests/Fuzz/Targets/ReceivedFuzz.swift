internal import MailSyntax
internal import Received

/// Puts an input at the places of a server's Received field that strangers fill, and reads the field: it names the true
/// client and the host that wrote it, or nobody.
///
/// The first octet chooses the server; a NUL begins the words for the next place.
func fuzzReceived(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let text = unsafe input(start, count)
    guard let first = text.first else { return 0 }
    _ = try? ReceivedField(parsing: text[1...])
    let format = ServerFormat.all[Int(first) % ServerFormat.all.count]
    var words: [String: [UInt8]] = [:]
    for (place, word) in zip(format.places, text[1...].split(separator: 0x00, omittingEmptySubsequences: false)) {
        words[place] = Array(word)
    }
    do throws(ReceivedProblem) {
        let field = try ReceivedField(parsing: format.value(words)[...])
        Outcomes.count(format.server)
        expect(field.client.description == ServerFormat.client, "another client")
        expect(field.host.description == ServerFormat.host, "another host")
    } catch {
        Outcomes.count("\(error)")
        expect(error.isOfClient || words["name"] != nil, "a client that hides unseen")
    }
    return 0
}
