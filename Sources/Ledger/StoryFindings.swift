internal import MailEvents
internal import MailSyntax

/// The lines of a story about the checks.
struct StoryFindings {
    private let event: MailEvent

    init(_ event: MailEvent) {
        self.event = event
    }

    /// A line for each result.
    var lines: [String] {
        var lines = [String]()
        if let spf = event.spf { lines.append(line("spf", spf)) }
        if let spf = event.spfHelo { lines.append(line("spf (helo)", spf)) }
        if let author = event.author { lines.append(line("author", author.reading, author.domains)) }
        if let found = event.senderID {
            let pra = found.pra.map { "PRA \($0) of \(found.header ?? "")" }
            lines.append(line("sender-id", found.result, [pra, found.mechanism, found.explanation, found.problem]))
        }
        if let signatures = event.dkim {
            lines += signatures.isEmpty ? [line("dkim", "none", ["no signature"])] : signatures.map(line)
        }
        if let dmarc = event.dmarc { lines.append(line(dmarc)) }
        if let found = event.arc {
            lines.append(line("arc", found.result, [found.sealer.map { "newest seal of \($0)" }, found.problem]))
        }
        if let found = event.iprev { lines.append(line("iprev", found.result, found.names + [found.problem])) }
        return lines
    }

    private func line(_ title: String, _ result: String, _ details: [String?]) -> String {
        let padded = title + String(repeating: " ", count: max(1, 13 - title.utf8.count))
        let known = details.compactMap { $0.map { TextTable.printable($0) } }
        let rest = known.isEmpty ? "" : " (" + known.joined(separator: "; ") + ")"
        return padded + TextTable.printable(result) + rest
    }

    private func line(_ title: String, _ found: MailEvent.SPF) -> String {
        line(title, found.result, [found.domain, found.mechanism, found.explanation, found.problem])
    }

    private func line(_ found: MailEvent.Signature) -> String {
        let names = [found.d.map { "d=\($0)" }, found.s.map { "s=\($0)" }, found.a]
        let aligned = found.aligned.map { "aligned \($0)" }
        // The problem may say it already.
        let diagnosis = found.diagnosis.filter { found.problem?.contains($0) != true }
        let details = names + [aligned, found.testing ? "key in test mode" : nil, found.problem] + diagnosis
        return line("dkim", found.result, details)
    }

    private func line(_ found: MailEvent.DMARC) -> String {
        let details = [
            found.from.map { "From \($0)" }, policy(found), found.domain.map { "record of \($0)" },
            found.aligned.isEmpty ? nil : "aligned: " + found.aligned.joined(separator: ", "), found.problem,
        ]
        return line("dmarc", found.result, details)
    }

    /// The policy that applies, and the published policy if it differs.
    private func policy(_ found: MailEvent.DMARC) -> String? {
        guard let effective = found.effective, let published = found.published else { return nil }
        return "policy \(effective)" + (published == effective ? "" : ", published as \(published) with t=y")
    }
}
