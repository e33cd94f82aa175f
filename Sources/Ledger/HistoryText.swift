internal import MailEvents
internal import MailSyntax
internal import PosternSetup

/// Messages as lines of a table that fits 80 columns.
public enum HistoryText {
    private static let widths = (time: 14, action: 10, id: 15, from: 18, to: 19)

    /// The heads of the columns.
    public static let head = TextTable.line([
        TextTable.cell("TIME (UTC)", widths.time), TextTable.cell("ACTION", widths.action),
        TextTable.cell("QUEUE ID", widths.id), TextTable.cell("AUTHOR", widths.from),
        TextTable.cell("RECIPIENT", widths.to),
    ])

    /// A message: when, what was done, or in brackets what would have been, the queue ID, the author's domain, or the
    /// sender where no author is known, and the first recipient.
    public static func line(_ stored: StoredSummary) -> String {
        let event = stored.summary
        return TextTable.line([
            time(stored.time), TextTable.cell(action(event), widths.action),
            TextTable.whole(event.id ?? "-", widths.id), TextTable.cell(from(event), widths.from),
            TextTable.cell(recipients(event), widths.to),
        ])
    }

    /// The heads of the columns of `long`.
    public static let longHead = TextTable.line(
        zip(["TIME (UTC)", "ACTION", "QUEUE ID", "CLIENT", "CLIENT NAME", "SENDER", "AUTHOR", "RECIPIENT"], longWidths)
            .map { TextTable.whole($0, $1) }
    )

    private static let longWidths = [20, 10, 15, 15, 28, 28, 20, 0]

    /// A message with its client, and nothing cut off: when, what was done, the queue ID, the client's address, its
    /// verified name, or in brackets what it called itself, the sender, the author's domain, and the first recipient.
    public static func long(_ stored: StoredSummary) -> String {
        let event = stored.summary
        let cells = [
            UTCTime(stored.time).description, action(event), event.id ?? "-", event.clientAddress ?? "-",
            event.clientName ?? "(\(event.helo))", event.sender.isEmpty ? "<>" : event.sender, event.author ?? "-",
            recipients(event),
        ]
        return TextTable.line(zip(cells, longWidths).map { TextTable.whole($0, $1, limit: 320) })
    }

    private static func action(_ event: EventSummary) -> String { event.would.map { "(\($0))" } ?? event.action }

    /// `11-27 09:05:03`.
    private static func time(_ time: UnixTime) -> String {
        let text = UTCTime(time).description
        return TextTable.cell("\(text.dropFirst(5).prefix(5)) \(text.dropFirst(11).dropLast())", widths.time)
    }

    private static func from(_ event: EventSummary) -> String {
        event.author ?? (event.sender.isEmpty ? "<>" : event.sender)
    }

    private static func recipients(_ event: EventSummary) -> String {
        let more = event.recipientCount &- 1
        return (event.recipient ?? "-") + (more > 0 ? " +\(more)" : "")
    }
}
