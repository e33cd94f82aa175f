internal import Policy
internal import PosternConfiguration

extension DaemonStatus {
    /// The status for people, with what the resolver says of itself.
    func text(resolver: [String]) -> String {
        var lines = daemonLines + messageLines + ruleLines + [reloadLine]
        lines += lostSockets.map { "  LOST          \($0)" }
        lines.append("events          \(events.words)")
        lines += resolver
        if lostLogLines > 0 { lines.append("log             \(Counted.words(lostLogLines, "line")) lost") }
        return lines.joined(separator: "\n") + "\n"
    }

    private var daemonLines: [String] {
        [
            "version         \(version)" + (commit == "unknown" ? "" : " (commit \(commit))"),
            "running         since \(since), for \(Self.span(uptimeSeconds))",
            "listening on    \(listeners.map { "\($0.socket) (\($0.role))" }.joined(separator: ", "))",
            "mode            \(mode), \(Counted.words(rules, "rule"))"
                + (rulesOnTrial > 0 ? ", \(rulesOnTrial) on trial" : ""),
            "connections     \(connections.open) open, \(connections.total) in all, "
                + "\(connections.refused) over the limit",
            "held            \(held.octets >> 10) KiB of \(held.limit >> 10) by messages in progress, "
                + "\(Counted.words(held.shortages, "time")) none left",
        ]
    }

    private var messageLines: [String] {
        let perSecond = String(messagesPerSecond)
        var lines = [
            "messages        \(Self.list(messages, orElse: "none yet"))",
            "rate            \(perSecond) messages a second over \(uptimeSeconds < 60 ? "this time" : "the last minute")",
        ]
        for check in Check.allCases {
            guard let counts = results[check.rawValue] else { continue }
            let label = "  \(check.rawValue)".padding(toLength: 16)
            lines.append(label + Self.list(counts, orElse: ""))
        }
        lines += [
            "refused before  \(Counted.words(refusedRecipients, "recipient"))",
            "undecided       \(Self.list(undecided, orElse: "none")) for want of an answer of the DNS",
            "put off         \(Counted.words(putOff.messages, "message")) to mixed recipients, "
                + "\(Counted.words(putOff.recipients, "recipient")) sent away, "
                + "\(Counted.words(putOff.senders, "sender")) remembered",
            "forged fields   \(forgedFields) removed",
            "lookups         \(lookups), \(cachedLookups) of them from the cache",
            "remembered      \(Counted.words(remembered, "verdict")) for postern why",
        ]
        return lines
    }

    private var ruleLines: [String] {
        guard !ruleMatches.isEmpty else { return [] }
        let width = max(16, 4 + (ruleMatches.map(\.name.count).max() ?? 0))
        return ["rules           what came of each since the start"]
            + ruleMatches.map { "  \($0.name)".padding(toLength: width) + $0.words }
    }

    private var reloadLine: String {
        let line = "reloads         \(reloads.done) done, \(reloads.failed) failed"
        guard let last = reloads.last else { return line }
        let outcome = last.problems.isEmpty ? "done" : "failed: \(last.problems.joined(separator: "; "))"
        return line + "; the last at \(last.time) \(outcome)"
    }

    private static func list(_ counts: [String: Int], orElse none: String) -> String {
        counts.isEmpty
            ? none : counts.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
    }

    /// A time in its two largest units: `3 h 12 min`.
    static func span(_ seconds: Int) -> String {
        let units = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")]
        let largest = units.firstIndex { seconds >= $0.0 } ?? units.count - 1
        return units[largest...].prefix(2).enumerated().compactMap { place, unit in
            let number = (place == 0 ? seconds : seconds % units[largest].0) / unit.0
            return number == 0 && place > 0 ? nil : "\(number) \(unit.1)"
        }.joined(separator: " ")
    }
}

extension EventLog.Values {
    fileprivate var words: String {
        let place = directory ?? "a spool"
        guard isOn else { return "off: \(obstacle ?? "there is no directory") \(place)" }
        let removed =
            removedSegments == 0 ? "" : ", \(Counted.words(removedSegments, "segment")) removed for room or age"
        return "\(written) written to \(place), \(dropped) lost" + removed
    }
}

extension String {
    fileprivate func padding(toLength length: Int) -> String {
        self + String(repeating: " ", count: max(1, length - count))
    }
}
