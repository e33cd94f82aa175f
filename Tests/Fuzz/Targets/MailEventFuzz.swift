internal import MailEvents
internal import MailSyntax

/// Reads an input as the event of a message; what was read gives rules the same facts wherever its octets lie.
func fuzzMailEvent(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let octets = unsafe input(start, count)
    guard let event = try? MailEvent(line: octets[...]) else { return 0 }
    guard let again = try? MailEvent(line: ([0x20] + octets)[1...]) else { fatalError("it does not read again") }
    expect(again == event)
    expect(event.rcptTo.count <= count)
    guard let summary = try? EventSummary(line: octets[...]) else { fatalError("a list cannot show it") }
    let recipients = event.rcptTo + event.refusedRcptTo + event.deferredRcptTo
    expect(summary.id == event.id && summary.recipient == recipients.first)
    expect(summary.author == event.author?.domains.first && summary.would == event.verdict.would?.action)
    Outcomes.count(event.verdict.action)
    return 0
}
