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
    public static func line(_ stored: StoredEvent) -> String {
        let event = stored.event
        let action = event.verdict.would.map { "(\($0.action))" } ?? event.verdict.action
        return TextTable.line([
            time(stored.time), TextTable.cell(action, widths.action),
            TextTable.whole(event.id ?? "-", widths.id), TextTable.cell(from(event), widths.from),
            TextTable.cell(recipients(event), widths.to),
        ])
    }

    /// `11-27 09:05:03`.
    private static func time(_ time: UnixTime) -> String {
        TextTable.cell(
            String(UTCTime(time).description.dropFirst(5).dropLast(1)).replacing("T", with: " "),
            widths.time
        )
    }

    private static func from(_ event: MailEvent) -> String {
        if let author = event.author?.domains.first { return author }
        return event.mailFrom.isEmpty ? "<>" : event.mailFrom
    }

    private static func recipients(_ event: MailEvent) -> String {
        let all = event.rcptTo + event.refusedRcptTo + event.deferredRcptTo
        let more = all.count + event.unnamedRcptTo - 1
        return (all.first ?? "-") + (more > 0 ? " +\(more)" : "")
    }
}
