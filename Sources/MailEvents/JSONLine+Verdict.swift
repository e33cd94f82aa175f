internal import DNSLookup
internal import MailAuthentication
internal import MailSyntax
internal import Policy

// What the rules decided, and what the DNS answered.

extension JSONLine {
    /// Writes the members of the verdict on a judged message.
    mutating func add(_ verdict: PolicyVerdict, _ transcript: Transcript, _ form: EventForm, removed: Int) {
        add("mode", transcript.mode.rawValue)
        add("action", verdict.action.rawValue)
        add("stage", verdict.stage.rawValue)
        add("rule", verdict.rule?.name)
        // A reply may repeat an address.
        add("reply", form.hasLocalParts ? verdict.reply?.description : nil)
        if let would = verdict.would { object("would") { $0.add(would) } } else { null("would") }
        array("marks", verdict.marks.lazy.map(\.name))
        array("exempted", verdict.exempted.lazy.map(\.name))
        array("trial") { list in for match in verdict.observed { list.object { $0.add(match) } } }
        array("undecided") { list in
            for open in verdict.undecided {
                list.object { object in
                    object.add("rule", open.rule.name)
                    object.add("condition", open.condition.rawValue)
                }
            }
        }
        addRefusals(transcript, form)
        add(verdict.mixture)
        add("removed", removed)
    }

    /// Writes the verdict on a message that no rule judged.
    mutating func addVerdict(_ action: String, would: String?, removed: Int, _ transcript: Transcript) {
        object("verdict") { verdict in
            verdict.add("mode", transcript.mode.rawValue)
            verdict.add("action", action)
            verdict.add("stage", PolicyStage.endOfMessage.rawValue)
            verdict.null("rule")
            verdict.null("reply")
            if let would {
                verdict.object("would") { match in
                    match.add("action", would)
                    match.null("rule")
                    match.add("stage", PolicyStage.endOfMessage.rawValue)
                }
            } else {
                verdict.null("would")
            }
            for list: StaticString in ["marks", "exempted", "trial", "undecided", "refused"] {
                verdict.array(list) { _ in }
            }
            verdict.null("partial")
            verdict.add("removed", removed)
        }
    }

    private mutating func add(_ match: RuleMatch) {
        add("action", match.action.rawValue)
        add("rule", match.rule.name)
        add("stage", match.stage.rawValue)
    }

    private mutating func addRefusals(_ transcript: Transcript, _ form: EventForm) {
        var groups: [(verdict: PolicyVerdict, places: [Int])] = []
        for (place, verdict) in transcript.refusals.enumerated() {
            let known = groups.firstIndex { $0.verdict.rule == verdict.rule && $0.verdict.action == verdict.action }
            if let known { groups[known].places.append(place) } else { groups.append((verdict, [place])) }
        }
        array("refused") { list in
            for group in groups {
                list.object { object in
                    object.add("action", group.verdict.action.rawValue)
                    object.add("rule", group.verdict.rule?.name)
                    object.add("reply", form.hasLocalParts ? group.verdict.reply?.description : nil)
                    object.array("refused_rcpt_to", group.places)
                }
            }
        }
    }

    private mutating func add(_ mixture: Mixture?) {
        guard let mixture else { return null("partial") }
        object("partial") { object in
            object.array("outcomes") { list in
                for outcome in mixture.outcomes {
                    list.object { object in
                        object.add("action", outcome.isUndecided ? "undecided" : outcome.action.rawValue)
                        object.add("rule", outcome.rule?.name)
                        object.add("stage", outcome.stage.rawValue)
                        object.array("rcpt_to", outcome.recipients)
                    }
                }
            }
            object.add("put_off", mixture.isPutOff)
        }
    }
}

// MARK: The DNS

extension JSONLine {
    /// The most octets of answers in an event.
    private static let mostAnswerOctets = 128 << 10

    /// Writes that there were no lookups.
    mutating func addNoLookups() {
        add("lookups", 0)
        add("cached", 0)
        add("starved", 0)
        null("answers")
    }

    /// Writes the lookups, and their answers where these are kept.
    mutating func add(_ lookups: [LookupRecord.Entry], _ counts: (all: Int, cached: Int), hasAnswers: Bool) {
        add("lookups", counts.all)
        add("cached", counts.cached)
        add("starved", lookups.count { $0.reply.isStarved })
        guard hasAnswers else { return null("answers") }
        let end = count + Self.mostAnswerOctets
        array("answers") { list in
            for lookup in lookups where list.count < end { list.object { $0.add(lookup) } }
        }
    }

    private mutating func add(_ lookup: LookupRecord.Entry) {
        add("name", lookup.question.name)
        add("type", lookup.question.type.description)
        switch lookup.reply.result {
        case .failure(let error):
            add("outcome", error.description)
            null("ttl")
            add("source", lookup.reply.source.description)
            array("records") { _ in }
        case .success(let answer):
            add("outcome", answer.status.words)
            add("ttl", Int(answer.timeToLive))
            add("source", lookup.reply.source.description)
            array("records") { list in
                for record in answer.records.prefix(100) { list.add(record) }
            }
        }
    }

    /// Writes the data as text: that of a TXT record as it is, an MX record as `10 mx.example.org`.
    private mutating func add(_ record: DNSRecord) {
        switch record {
        case .a(let address): element(address.description)
        case .aaaa(let address): element(address.description)
        case .mx(let preference, let exchange): element("\(preference) \(exchange)")
        case .ptr(let name): element(name.description)
        case .txt(let text): element(octets: text[...])
        }
    }
}

extension DNSReply {
    /// Whether the question had no room here.
    fileprivate var isStarved: Bool {
        if case .failure(let error) = result { error == .noRoom || error == .tooMuch } else { false }
    }
}

extension DNSAnswer.Status {
    fileprivate var words: String {
        switch self {
        case .records: "records"
        case .noData: "no data"
        case .noSuchName: "no such name"
        }
    }
}
