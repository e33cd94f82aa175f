internal import MailSyntax
internal import SenderID

/// Looks for the purported responsible address of an input that is a header, and compares with the words of RFC 4407.
func fuzzPRA(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let headers = StoredMessage(unsafe input(start, count)[...]).headers
    let expected = responsibleField(of: headers)
    do throws(PurportedResponsibleAddress.Absence) {
        let address = try PurportedResponsibleAddress.find(in: headers)
        Outcomes.count(address.field.rawValue)
        guard let expected else { fatalError("an address where there is none") }
        expect(expected.name.equalsIgnoringCase(Octets(address.field.rawValue)), "another field")
        guard let list = try? AddressList(reading: expected.value) else { fatalError("an unreadable address") }
        expect(list.mailboxes == [address.mailbox] && address.mailbox.domainName != nil)
    } catch {
        Outcomes.count(error.description)
        switch error {
        case .noField, .severalSenders, .severalAuthors: expect(expected == nil, "a field that was passed over")
        case .malformed(let field), .notOneMailbox(let field), .noDomain(let field):
            expect(expected?.name.equalsIgnoringCase(Octets(field.rawValue)) == true, "another field")
        }
    }
    return 0
}

/// The field that counts by RFC 4407 § 2, steps 1 to 4, written as the steps are.
private func responsibleField(of headers: HeaderBlock) -> HeaderField? {
    func isFilled(_ field: HeaderField) -> Bool { field.value.contains { ![0x20, 0x09, 0x0D, 0x0A].contains($0) } }
    func positions(_ name: String) -> [Int] {
        headers.indices.filter { headers[$0].name.equalsIgnoringCase(Octets(name)) && isFilled(headers[$0]) }
    }
    func isTrace(_ position: Int) -> Bool {
        let name = headers[position].name
        return name.equalsIgnoringCase("Received") || name.equalsIgnoringCase("Return-Path")
    }
    let resentFrom = positions("Resent-From").first
    if let sender = positions("Resent-Sender").first {
        guard let resentFrom, resentFrom < sender, (resentFrom..<sender).contains(where: isTrace) else {
            return headers[sender]
        }
    }
    if let resentFrom { return headers[resentFrom] }
    let senders = positions("Sender")
    if !senders.isEmpty { return senders.count == 1 ? headers[senders[0]] : nil }
    let authors = positions("From")
    return authors.count == 1 ? headers[authors[0]] : nil
}
