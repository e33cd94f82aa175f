internal import MailSyntax
internal import PosternConfiguration
internal import PosternSetup

extension Tally {
    private static let barWidth = 20
    private static let valueWidth = 40

    /// The counts as a table: how many, which share, a bar of that share, and of what.
    ///
    /// - Parameters:
    ///   - isNarrow: whether the table has to fit 80 columns.
    ///   - span: what is said of the messages' time, such as ` of the last day`.
    public func text(isNarrow: Bool = true, span: String = "") -> String {
        let sum = subject == .recipient ? "recipients" : "messages"
        guard total > 0 else { return "no \(sum)\(span)\n" }
        let width = max(5, (entries.lazy.map(\.count).max() ?? 0).grouped.utf8.count)
        var text = ""
        for entry in entries {
            let bar = String(repeating: "#", count: max(1, entry.count * Self.barWidth / total))
            let value = entry.value ?? subject.absent
            text += TextTable.line([
                Self.right(entry.count.grouped, width), Self.right(Self.share(entry.count, of: total), 7),
                TextTable.cell(bar, Self.barWidth),
                isNarrow ? TextTable.cell(value, Self.valueWidth) : TextTable.printable(value),
            ])
        }
        if values > entries.count { text += "and \((values - entries.count).grouped) more\n" }
        return text + "\(total.grouped) \(sum)\(span)\n"
    }

    private static func share(_ part: Int, of whole: Int) -> String {
        let thousandths = (part * 2000 / whole + 1) / 2
        return "\(thousandths / 10).\(thousandths % 10) %"
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.utf8.count)) + text
    }
}

extension Tally.Subject {
    /// What stands for the messages without a value.
    fileprivate var absent: String {
        switch self {
        case .author: "(no author)"
        case .client, .network: "(no address)"
        case .clientName: "(no verified name)"
        case .helo, .sender, .recipient, .action, .would, .rule, .problem, .day: "-"
        }
    }
}

extension StoreStatus {
    /// The state for people.
    ///
    /// - Parameters:
    ///   - maximumOctets: how large the store may become.
    ///   - keep: how many days messages are kept.
    ///   - isAlone: whether the store was named without its spool, so that none is missed.
    public func text(maximumOctets: Int, keep: Int64, isAlone: Bool) -> String {
        var lines = ["messages     \(messages.grouped)"]
        if let oldest, let newest {
            lines.append("from         \(UTCTime(UnixTime(oldest)))")
            lines.append("to           \(UTCTime(UnixTime(newest)))")
        }
        lines.append("store        \(Self.size(usedOctets)) used of a file of \(Self.size(octets))")
        let days = daysThatFit.map { "; about \(Int($0.rounded()).grouped) days would fit" } ?? ""
        lines.append("room         \(Self.size(usedOctets)) of \(Self.size(maximumOctets)); kept \(keep) days\(days)")
        lines.append("taken in     \(taken.grouped), of which \(removed.grouped) are gone")
        lines.append(
            "set aside    \(Counted.grouped(rejected, "line")), \(Counted.grouped(outdated, "segment")) too old"
        )
        if let spool {
            let lag = spool.segments == 0 ? "" : ", the oldest of \(spool.lag.grouped) s ago"
            let waiting = Counted.grouped(spool.segments, "segment") + (spool.segments == 1 ? " waits" : " wait")
            lines.append("spool        \(Self.size(spool.octets)), \(waiting)\(lag)")
        } else if !isAlone {
            lines.append("spool        cannot be read")
        }
        if let reports {
            let words = ReportStatus.words(reports, DeliveryState.allCases.map(\.rawValue))
            lines += TextTable.entry("reports", "\(words) (postern report status)", indent: 13)
        }
        for trouble in troubles {
            let words = "\(UTCTime(UnixTime(trouble.time))) \(TextTable.printable(trouble.text))"
            lines += TextTable.entry("trouble", words, indent: 13)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func size(_ octets: Int) -> String {
        let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")]
        guard let (unit, name) = units.first(where: { octets >= $0.0 }) else { return "\(octets) B" }
        let tenths = octets * 10 / unit
        return "\(tenths / 10).\(tenths % 10) \(name)"
    }
}
