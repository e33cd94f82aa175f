internal import MailSyntax

// The report on a terminal: the first lines say whether the rules can be enforced.

extension TrialReport {
    /// The report as lines of at most 80 columns, unless a name is longer.
    public var text: String {
        var lines = TextLines()
        addAnswer(to: &lines)
        addActions(to: &lines)
        addHonest(to: &lines)
        addUnproven(to: &lines)
        addRules(to: &lines)
        addChanges(to: &lines)
        addUntried(to: &lines)
        return lines.lines.joined(separator: "\n") + "\n"
    }

    /// Mail that is proven to be its author's, and that does not reach all of its recipients.
    private var honestWithheld: Int { honest.withheld + honestPartial }

    private func addAnswer(to lines: inout TextLines) {
        guard !rules.isEmpty else { return lines.paragraph("There is no rule: nothing would be done.") }
        guard tried > 0 else {
            return lines.paragraph("Can these rules be enforced? Nobody knows: no message was tried.")
        }
        if honestWithheld > 0 {
            lines.paragraph(
                "Can these rules be enforced? Look first at \(honestWithheld.grouped) of \(tried.messages): they are "
                    + "proven honest, and would not arrive."
            )
        } else {
            let unproven = actions.withheld + partial
            let rest = unproven == 0 ? "" : " \(unproven.grouped) would not arrive that nothing proves."
            lines.paragraph(
                "Can these rules be enforced? Yes, as far as can be proven by \(tried.messages): all that are proven honest "
                    + "would arrive.\(rest)"
            )
        }
        if honest.junk > 0 { lines.paragraph("\(honest.junk.messages) proven honest would be flagged as junk.") }
        let onTrial = rules.filter { $0.observe && $0.honest.messages > 0 }
        if !onTrial.isEmpty {
            lines.paragraph("Rules on trial that hit honest mail too: \(onTrial.map(\.rule).joined(separator: ", ")).")
        }
        lines.paragraph("(Proven honest: it passes DMARC, or the author's domain has signed it.)")
    }

    private func addActions(to lines: inout TextLines) {
        lines.line()
        lines.line(
            "\(tried.messages) tried"
                + (mode == "observe" ? "; mode = \"observe\", so this is what enforce would do" : "")
        )
        let rows: [(String, Int, Int?)] = [
            ("accepted", actions.accept, nil), ("flagged as junk", actions.junk, honest.junk),
            ("held", actions.quarantine, honest.quarantine), ("dropped", actions.discard, honest.discard),
            ("deferred", actions.tempfail, honest.tempfail), ("refused", actions.reject, honest.reject),
            ("(for some of its recipients)", partial, honestPartial),
        ]
        for (name, count, honest) in rows where count > 0 {
            let counts = count.grouped.aligned(to: 11) + count.share(of: tried).aligned(to: 9)
            lines.line("  " + name.padded(to: 28) + counts + (honest.map { "  \($0.grouped) proven honest" } ?? ""))
        }
    }

    private func addHonest(to lines: inout TextLines) {
        let hit = rules.filter { $0.honest.messages > 0 }
        guard !hit.isEmpty else { return }
        lines.line()
        lines.line("HONEST MAIL THAT RULES ACT AGAINST")
        for rule in hit {
            lines.line("\(rule.title): \(rule.honest.messages.messages)")
            lines.add(rule.honest)
        }
    }

    private func addUnproven(to lines: inout TextLines) {
        guard !unproven.hosts.isEmpty || !unproven.lists.isEmpty else { return }
        lines.line()
        lines.line("NOT PROVEN, LOOK AT")
        for host in unproven.hosts.prefix(TextLines.mostNames) {
            let names = "\(host.client.cut(to: 50)) \(host.over > 0 ? "~" : "")\(host.count.grouped) of \(host.author)"
            lines.paragraph("\(names): perhaps a host that its SPF record forgets", indent: 2)
        }
        for list in unproven.lists.prefix(TextLines.mostNames) {
            lines.paragraph("\(TextLines.text(list)) whose signatures are broken: perhaps a mailing list", indent: 2)
        }
    }

    private func addRules(to lines: inout TextLines) {
        guard !rules.isEmpty else { return }
        lines.line()
        lines.line("RULES")
        for rule in rules where rule.isInteresting {
            lines.paragraph("\(rule.title): \(rule.parts)")
            lines.add(rule.hits)
            let lacked = rule.lacked.sorted { $0.key < $1.key }.map { "\($0.key) in \($0.value.messages)" }
            lines.items("lacked", lacked)
        }
        let idle = rules.filter { !$0.isInteresting }.map(\.rule)
        if !idle.isEmpty { lines.paragraph("never matched: \(idle.joined(separator: ", "))") }
        let names = rules.flatMap { $0.hits.all + $0.honest.all }
        if names.contains(where: { $0.over > 0 }) {
            lines.paragraph("~: at most; the table of names was full.")
        }
    }

    private func addChanges(to lines: inout TextLines) {
        lines.line()
        lines.line("CHANGES: then -> now")
        lines.line("  \(unchanged.grouped.aligned(to: 11))  decided as then")
        if otherRules > 0 { lines.line("  \(otherRules.grouped.aligned(to: 11))  the same end by other rules") }
        for change in changes {
            lines.line("  \(change.messages.grouped.aligned(to: 11))  \(change.then) -> \(change.now)")
            lines.items("", indent: 5, change.samples)
        }
    }

    private func addUntried(to lines: inout TextLines) {
        guard !untried.isEmpty else { return }
        lines.line()
        lines.line("NOT TRIED")
        for reason in untried { lines.line("  \(reason.messages.grouped.aligned(to: 11))  \(reason.reason)") }
    }
}

extension TrialReport.RuleResult {
    /// `spf-strict (reject, on trial)`.
    fileprivate var title: String { "\(rule.cut(to: 40)) (\(action)\(observe ? ", on trial" : ""))" }

    /// Whether there is more to say than that it never matched.
    fileprivate var isInteresting: Bool { matched + exempted + undecided > 0 || !lacked.isEmpty }

    /// What its action makes of a message.
    private var outcome: String {
        switch action {
        case "reject": "refused"
        case "tempfail": "deferred"
        case "discard": "dropped"
        case "quarantine": "held"
        case "accept": "accepted"
        case "mark": "marked"
        default: action
        }
    }

    /// What the messages were that it matched, or nearly.
    fileprivate var parts: String {
        let parts: [(String, Int)] = [
            ("refused", acted.reject), ("deferred", acted.tempfail), ("dropped", acted.discard),
            ("held", acted.quarantine), ("junk", acted.junk), ("accepted", acted.accept), ("marked", acted.mark),
            ("would be \(outcome)", onTrial), ("exempted", exempted), ("left open by the DNS", undecided),
        ]
        let some = parts.filter { $0.1 > 0 }.map { "\($0.1.grouped) \($0.0)" }
        return some.isEmpty ? "no match" : some.joined(separator: ", ")
    }
}

extension TrialReport.Hits {
    fileprivate var all: [TrialReport.Count] { authors + clients + forwarders }
}

extension TextLines {
    /// The most names of a list.
    fileprivate static let mostNames = 5

    fileprivate mutating func add(_ hits: TrialReport.Hits) {
        items("authors", hits.authors.prefix(Self.mostNames).map(Self.text))
        items("clients", hits.clients.prefix(Self.mostNames).map(Self.text))
        items("forward", hits.forwarders.prefix(Self.mostNames).map(Self.text))
        items("messages", hits.samples)
    }

    fileprivate static func text(_ count: TrialReport.Count) -> String {
        let authors = count.authors.map { " of \($0 >= ForwarderTable.mostAuthors ? "many" : "\($0)") authors" } ?? ""
        return "\(count.name.cut(to: 50)) \(count.over > 0 ? "~" : "")\(count.count.grouped)\(authors)"
    }
}
