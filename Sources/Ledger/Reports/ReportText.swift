public import MailSyntax
internal import PosternConfiguration
internal import PosternSetup

/// Reports as text for people, in 80 columns.
public enum ReportText {
    private static let widths = (day: 10, domain: 24, messages: 8, state: 14, destination: 20)

    /// The heads of the columns.
    public static let head = TextTable.line([
        TextTable.cell("DAY", widths.day), TextTable.cell("DOMAIN", widths.domain), right("MESSAGES"),
        TextTable.cell("STATE", widths.state), TextTable.cell("DESTINATION", widths.destination),
    ])

    /// A report, a line for each destination.
    ///
    /// - Parameters:
    ///   - report: the report.
    ///   - isCut: whether long names are cut, so that a line fits on a terminal.
    public static func lines(_ report: ReportSummary, isCut: Bool) -> String {
        guard !report.deliveries.isEmpty else {
            let state = report.isDayOpen ? "(\(report.state))" : report.state
            let more = report.destinations.count > 1 ? " +\(report.destinations.count - 1)" : ""
            return line(report, state, report.destinations.first ?? "-", more, isCut: isCut)
        }
        return report.deliveries.map { line(report, $0.state, $0.destination, isCut: isCut) }.joined()
    }

    private static func line(
        _ report: ReportSummary,
        _ state: String,
        _ destination: String,
        _ more: String = "",
        isCut: Bool
    ) -> String {
        func cell(_ text: String, _ width: Int) -> String {
            isCut ? TextTable.cell(text, width) : TextTable.whole(text, width, limit: 320)
        }
        let address = more.isEmpty ? destination : cell(destination, isCut ? widths.destination - more.count : 0)
        return TextTable.line([
            TextTable.cell(report.day, widths.day), cell(report.domain, widths.domain), right(report.messages.grouped),
            TextTable.cell(state, widths.state), cell(address + more, widths.destination),
        ])
    }

    /// A destination that gets no reports.
    public static func line(_ suppression: Suppression) -> String {
        TextTable.line([
            TextTable.whole(suppression.destination, 32, limit: 320), TextTable.printable(suppression.text),
        ])
    }

    private static func right(_ text: String) -> String {
        String(repeating: " ", count: max(0, widths.messages - text.count)) + text
    }

    /// A report with all that is known of it, and why it goes or does not.
    ///
    /// - Parameters:
    ///   - report: the report.
    ///   - lastPass: when a message of its domain last passed DMARC.
    public static func story(_ report: ReportSummary, lastPass: UnixTime?) -> String {
        let rows = "\(Counted.grouped(report.messages, "message")) in \(Counted.grouped(report.rows, "row"))"
        var lines = ["\(report.day) \(TextTable.printable(report.domain)): \(rows)"]
        if let id = report.id { lines.append("  report \(id)") }
        if report.folded > 0 {
            lines.append("  \(Counted.grouped(report.folded, "message")) in rows that do not tell everything")
        }
        if report.further > 0 {
            lines.append("  \(Counted.grouped(report.further, "message")) of further policies of the day")
        }
        if report.lateOfDay > 0 {
            let late = Counted.grouped(report.lateOfDay, "message")
            lines.append("  \(late) of that day, on whatever domain, came too late to be counted")
        }
        if let word = ReportState(rawValue: report.state) {
            lines += reason(word, report, lastPass).flatMap { TextTable.folded($0, indent: 2) }
        }
        lines += report.deliveries.flatMap(story)
        return lines.map { $0 + "\n" }.joined()
    }

    /// Why a report does not go at all; nil where it does.
    ///
    /// - Parameters:
    ///   - report: the report.
    ///   - lastPass: when a message of its domain last passed DMARC.
    public static func obstacle(_ report: ReportSummary, lastPass: UnixTime?) -> String? {
        guard let state = ReportState(rawValue: report.state), state != .open else { return nil }
        let why: [String]
        switch state {
        case .made: why = report.destinations.isEmpty ? routes(report) : []
        default: why = reason(state, report, lastPass)
        }
        guard !why.isEmpty else { return nil }
        let whose = "the report on \(TextTable.printable(report.domain)) of \(report.day)"
        return TextTable.folded("\(whose) \(why.joined(separator: "; "))").joined(separator: "\n")
    }

    /// Where a report does not go, because the address asks a mail server to pass it on.
    private static func routes(_ report: ReportSummary) -> [String] {
        report.routes.map { "does not go to \(TextTable.printable($0)): \(Delivery.route)" }
    }

    private static func reason(_ state: ReportState, _ report: ReportSummary, _ lastPass: UnixTime?) -> [String] {
        let ending = report.isDayOpen ? ", as it is now" : ""
        switch state {
        case .open: return ["its day is closed; what becomes of it is decided soon"]
        case .made:
            guard report.isDayOpen else { return [] }
            let addresses = report.destinations.map { TextTable.printable($0) }.joined(separator: ", ")
            return (addresses.isEmpty ? [] : ["goes when the day is closed, to \(addresses)"]) + routes(report)
        case .gated:
            let last = lastPass.map { "; the last one did \(UTCTime($0))" } ?? ""
            return ["does not go\(ending): no message of the domain passed DMARC within 30 days\(last)"]
        case .excluded: return ["does not go\(ending): [reports] exclude has the domain"]
        case .uncaused:
            return ["does not go\(ending): only bounces, automatic answers or reports came, which cause none alone"]
        case .dropped: return ["does not go: its rows had no room in the store ([ledger] max_bytes)"]
        case .damaged: return ["does not go: it cannot be read; see: postern ledger check"]
        case .limited:
            return [
                "does not go: its organization gets as many others of the day as one may (a twentieth of [reports] per_day)"
            ]
        }
    }

    private static func story(_ delivery: ReportDelivery) -> [String] {
        let recipient = delivery.recipient.map { " (for \(TextTable.printable($0)))" } ?? ""
        let last = delivery.last.map { " \(UTCTime(UnixTime($0)))" } ?? ""
        var lines = ["  \(TextTable.printable(delivery.destination))\(recipient): \(delivery.state)\(last)"]
        let course = [
            delivery.attempts > 1 ? "\(delivery.attempts) attempts" : nil,
            delivery.due.map { "next \(UTCTime(UnixTime($0)))" },
        ].compactMap { $0 }
        if !course.isEmpty { lines.append("    " + course.joined(separator: ", ")) }
        return lines + (delivery.detail.map { TextTable.folded(TextTable.printable($0), indent: 4) } ?? [])
    }
}
