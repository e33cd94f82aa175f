internal import MailEvents
internal import MailSyntax
internal import PosternSetup

/// What happened to a stored message, and why, in the form of `postern why`.
public struct EventStory: Sendable {
    private static let maximumNamed = 50

    private let stored: StoredEvent
    private var event: MailEvent { stored.event }

    /// The story of an event.
    public init(_ stored: StoredEvent) {
        self.stored = stored
    }

    /// The story for people: the verdict with its reason, then each check, then the lookups.
    public var text: String {
        let id = TextTable.printable(event.id ?? "without a queue ID", limit: 128)
        let how = event.direction == .inbound ? "judged" : "seen"
        var lines = ["Message \(id), \(how) at \(UTCTime(stored.time)) on \(TextTable.printable(event.host))"]
        lines.append("verdict      \(verdict)")
        if let problem = event.problem { lines.append("  obstacle   \(TextTable.printable(problem))") }
        if let reply = event.verdict.reply { lines.append("  reply      \(TextTable.printable(reply))") }
        lines += remarks.map { "  " + $0 } + refusals + partial + envelope
        lines += StoryFindings(event).lines
        lines += signing + lookups
        return lines.joined(separator: "\n") + "\n"
    }

    private var verdict: String {
        if let would = event.verdict.would {
            return "accept (observe mode; enforced: \(named(would)))"
        }
        let action = TextTable.printable(event.verdict.action)
        guard let rule = event.verdict.rule else { return "\(action), no rule decided" }
        return "\(action) by rule \"\(TextTable.printable(rule))\", stage \(TextTable.printable(event.verdict.stage))"
    }

    private func named(_ match: MailEvent.Verdict.Match) -> String {
        let rule = match.rule.map { " by rule \"\(TextTable.printable($0))\"" } ?? ""
        return "\(TextTable.printable(match.action))\(rule), stage \(TextTable.printable(match.stage))"
    }

    private var remarks: [String] {
        let verdict = event.verdict
        var remarks = verdict.marks.map { "marked by \"\(TextTable.printable($0))\"" }
        remarks += verdict.exempted.map { "exempted from \"\(TextTable.printable($0))\"" }
        if let override = event.dmarc?.override {
            let reason = "\(TextTable.printable(override.type))/\(TextTable.printable(override.comment))"
            remarks.append("excused from DMARC: \(reason)")
        }
        remarks += verdict.undecided.map {
            "not decided: \"\(TextTable.printable($0.rule))\": the DNS gave no answer for \(TextTable.printable($0.condition))"
        }
        remarks += verdict.trial.map { "on trial: \(named($0))" }
        if verdict.removed > 0 { remarks.append("removed fields: \(verdict.removed)") }
        return remarks
    }

    /// The recipients that rules refused before DATA.
    private var refusals: [String] {
        event.verdict.refused.flatMap { refusal in
            let rule = refusal.rule.map { " by rule \"\(TextTable.printable($0))\"" } ?? ""
            let reply = refusal.reply.map { ": \(TextTable.printable($0))" } ?? ""
            let names = names(
                refusal.refusedRcptTo.filter(event.refusedRcptTo.indices.contains).map { event.refusedRcptTo[$0] }
            )
            return ["  refused: \(TextTable.printable(refusal.action))\(rule)\(reply)", "      \(names)"]
        }
    }

    private var partial: [String] {
        guard let partial = event.verdict.partial else { return [] }
        let outcomes = partial.outcomes.flatMap { outcome in
            let rule = outcome.rule.map { "by rule \"\(TextTable.printable($0))\"" } ?? "no rule decides"
            let names = names(outcome.rcptTo.filter(event.rcptTo.indices.contains).map { event.rcptTo[$0] })
            return [
                "    \(TextTable.printable(outcome.action)), \(rule), stage \(TextTable.printable(outcome.stage))",
                "        \(names)",
            ]
        }
        return ["  the rules differ between recipients"] + outcomes + (partial.putOff ? ["    put off"] : [])
    }

    private func names(_ addresses: [String]) -> String {
        let named = addresses.prefix(Self.maximumNamed).map { "<\(TextTable.printable($0, limit: 320))>" }
        let more = addresses.count - named.count
        return named.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
    }

    private var envelope: [String] {
        let client = event.client
        let helo = client.helo.isEmpty ? "no HELO" : "HELO \(TextTable.printable(client.helo, limit: 320))"
        let name = client.name.map { ", name \(TextTable.printable($0, limit: 320))" } ?? ""
        var lines = [
            "client       \(TextTable.printable(client.ip ?? (event.relay == nil ? "local" : "not known"))), \(helo)\(name)",
            "from         <\(TextTable.printable(event.mailFrom, limit: 320))>",
            "to           \(event.rcptTo.isEmpty ? "nobody" : names(event.rcptTo))",
        ]
        if let relay = event.relay {
            lines.insert("relay        \(TextTable.printable(relay.ip)) (\(TextTable.printable(relay.state)))", at: 1)
        }
        if event.unnamedRcptTo > 0 { lines.append("  and \(event.unnamedRcptTo) more, whose names were not kept") }
        if !event.deferredRcptTo.isEmpty { lines.append("put off      \(names(event.deferredRcptTo))") }
        return lines
    }

    private var signing: [String] {
        event.signed.map { "signed       \(TextTable.printable($0))" }
            + [event.unsigned].compactMap { $0 }.map { "not signed   \(TextTable.printable($0))" }
            + [event.sealed].compactMap { $0 }.map { seal in
                let names = TextTable.printable("\(seal.domain)/\(seal.selector)")
                return "sealed       \(names) (i=\(seal.instance), cv=\(TextTable.printable(seal.cv)))"
            }
    }

    private var lookups: [String] {
        guard let answers = event.dns.answers, !answers.isEmpty else { return [] }
        return ["lookups"]
            + answers.flatMap { answer in
                let count = answer.records.count
                let what = answer.outcome == "records" ? "\(count) record\(count == 1 ? "" : "s")" : answer.outcome
                let question = TextTable.printable("\(answer.name) \(answer.type): \(what) (\(answer.source))")
                return ["  \(question)"] + answer.records.map { "      \(TextTable.printable($0, limit: 1024))" }
            }
    }
}
