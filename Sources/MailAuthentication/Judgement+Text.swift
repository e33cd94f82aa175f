internal import DMARC
internal import DNSLookup
internal import MailSyntax
internal import Policy

extension Judgement {
    /// The judgement as a text: the verdict with its reason, then each check, then the header fields.
    ///
    /// - Parameter withTrace: whether to show the steps of each check.
    public func text(withTrace: Bool) -> String {
        var lines = [verdictLine]
        if let obstacle = review?.line { lines.append("  obstacle   " + obstacle) }
        if let reply = (verdict.reply ?? verdict.would?.reply) { lines.append("  reply      \(reply)") }
        lines += remarks.map { "  " + $0 }
        lines += recipientLines
        lines += envelopeLines
        lines += assessment.lines(withTrace: withTrace)
        if !newFields.isEmpty {
            lines.append("stamped")
            for field in newFields { lines.append("  \(field.name): \(field.value[...].text)") }
        }
        if !removedFields.isEmpty {
            lines.append("removed")
            for field in removedFields { lines.append("  \(field.name.text) (number \(field.index) of that name)") }
        }
        if withTrace, !lookups.isEmpty {
            lines.append("lookups")
            for entry in lookups { lines.append("  \(entry)") }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var verdictLine: String {
        if let would = verdict.would {
            return
                "verdict      accept (observe mode; enforced: \(would.action.rawValue) by rule \"\(would.rule.name)\", "
                + "\(would.rule.location), stage \(would.stage.rawValue))"
        }
        guard let rule = verdict.rule else { return "verdict      \(verdict.action.rawValue), no rule decided" }
        return "verdict      \(verdict.action.rawValue) by rule \"\(rule.name)\", \(rule.location), "
            + "stage \(verdict.stage.rawValue)"
    }

    private var remarks: [String] {
        var remarks = verdict.relayed.map { ["not \($0.rawValue): a relay of our own passed it on"] } ?? []
        remarks += verdict.marks.map { "marked by \"\($0.name)\", \($0.location)" }
        remarks += verdict.exempted.map { "exempted from \"\($0.name)\", \($0.location)" }
        if let excuse = verdict.excuse { remarks.append("excused from DMARC: \(excuse)") }
        remarks += verdict.undecided.map {
            "not decided: \"\($0.rule.name)\", \($0.rule.location): the DNS gave no answer for \($0.condition.rawValue)"
        }
        remarks += verdict.observed.map { "on trial: \"\($0.rule.name)\", \($0.rule.location): \($0.action.rawValue)" }
        return remarks
    }

    /// The most recipients that are named.
    private static let maximumNamed = 50

    /// The rules' decision for each recipient, where it differs.
    private var recipientLines: [String] {
        guard let mixture = verdict.mixture else { return [] }
        let lines = mixture.outcomes.map { outcome in
            let rule = outcome.rule.map { "by rule \"\($0.name)\", \($0.location)" } ?? "no rule decides"
            let reply = outcome.reply.map { ": \($0)" } ?? ""
            let action = outcome.isUndecided ? "undecided" : outcome.action.rawValue
            return "    \(action), \(rule), stage \(outcome.stage.rawValue)\(reply)\n"
                + "        \(names(of: outcome.recipients))"
        }
        let obstacle = mixture.obstacle.map { ["    not put off: \($0.rawValue)"] } ?? []
        return ["  the rules differ between recipients"] + lines + obstacle
    }

    /// The recipients with these indices, as far as there is room for them.
    public func names(of places: [Int]) -> String {
        let known = places.prefix(Self.maximumNamed).filter(envelope.recipients.indices.contains)
        let names = known.map { "<" + FieldText.printable(envelope.recipients[$0][...], limit: 320)[...].text + ">" }
        let more = places.count - known.count
        return names.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
    }

    private var envelopeLines: [String] {
        let recipients = names(of: Array(envelope.recipients.indices))
        let sender = FieldText.printable(envelope.sender[...], limit: 320)[...].text
        let helo = FieldText.printable(envelope.helo[...], limit: 320)[...].text
        let client = envelope.clientAddress?.description ?? (envelope.relay == nil ? "local" : "not known")
        return ["client       \(client), " + (helo.isEmpty ? "no HELO" : "HELO \(helo)")]
            + (envelope.relay.map { ["relay        \($0)"] } ?? []) + [
                "from         " + (envelope.isSenderKnown ? "<\(sender)>" : "not known"),
                "to           \(recipients.isEmpty ? "nobody" : recipients)",
            ]
    }
}

extension MailAssessment {
    /// A few lines for each check that was made.
    fileprivate func lines(withTrace: Bool) -> [String] {
        var lines = [String]()
        func add(_ title: String, _ result: String, _ details: [String?]) {
            let padded = title + String(repeating: " ", count: max(1, 13 - title.utf8.count))
            let known = details.compactMap { $0.map { FieldText.printable(Octets($0), limit: 512)[...].text } }
            lines.append(padded + result + (known.isEmpty ? "" : " (" + known.joined(separator: "; ") + ")"))
        }
        for check in Check.allCases {
            if check == .senderID, let author {
                add("author", author.reading.rawValue, author.domains.map(\.description))
            }
            guard let findings = findings(of: check, withTrace: withTrace) else { continue }
            if findings.isEmpty { add(check.rawValue, "none", ["no signature"]) }
            for finding in findings {
                add(finding.title, finding.result, finding.details)
                for line in finding.trace ?? [] { lines.append("    " + line.replacing("\n", with: "\n    ")) }
            }
        }
        return lines
    }
}

extension LookupRecord.Entry: CustomStringConvertible {
    /// The question, the reply, and the source of the reply.
    public var description: String {
        switch reply.result {
        case .failure(let error): "\(question): \(error) (\(reply.source))"
        case .success(let answer):
            switch answer.status {
            case .noSuchName: "\(question): no such name (\(reply.source))"
            case .noData: "\(question): no data (\(reply.source))"
            case .records:
                "\(question): \(answer.records.count) record\(answer.records.count == 1 ? "" : "s") (\(reply.source))"
            }
        }
    }
}
