internal import MailSyntax

/// Reads an input as the value of a From field; each address in it must read back as itself.
func fuzzFrom(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let text = unsafe input(start, count)
    let identity = AuthorIdentity(from: text[...])
    expect(identity.domains.count <= max(identity.mailboxes.count, AuthorIdentity.maximumFields))
    for mailbox in identity.mailboxes {
        let bare = Mailbox(
            localPart: mailbox.localPart,
            domain: mailbox.domain,
            hasDomainLiteral: mailbox.hasDomainLiteral
        )
        let again = try? AddressList(parsing: mailbox.addrSpec[...]).mailboxes
        expect(again == [bare], "an address that reads as another")
        // Whatever it holds, it is written as one value.
        if let value = FieldText.propertyValue(mailbox.addrSpec[...]) {
            expect(!value.contains { $0 < 0x20 || $0 == 0x7F })
        }
    }
    return 0
}
