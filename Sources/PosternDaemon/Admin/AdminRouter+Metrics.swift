internal import DNSResolver
internal import MailSyntax
internal import MilterServer
internal import Policy
internal import PosternConfiguration
internal import PosternSetup

extension AdminRouter {
    /// What the daemon has done and holds, for Prometheus.
    ///
    /// A series is there before its first event: rates and alerts need the zero that it began with.
    var metrics: String {
        let values = filter.counters.values
        let setup = filter.setup
        var text = MetricsText()
        text.add(
            "build_info",
            .gauge,
            "The program that runs; always 1.",
            [([("version", BuildInfo.version), ("commit", BuildInfo.commit)], 1)]
        )
        text.addMessages(
            values,
            rules: setup.engine.rules,
            forwarders: setup.configuration.trustedForwarders.map(\.name)
        )
        text.add(
            "end_of_message_seconds",
            "How long the MTA waited for the verdict at the end of a message.",
            filter.endOfMessageTimes.values
        )
        text.add(milter.statistics)
        text.add("held_bytes", .gauge, "Memory that messages in progress hold of max_held.", milter.memory.octets)
        text.add(
            "memory_shortages_total",
            .counter,
            "Messages put off because those in progress held max_held.",
            milter.memory.shortages
        )
        text.addConfiguration(values, hash: setup.configuration.contentHash)
        text.add("dropped_log_lines_total", .counter, "Log lines that the log did not take.", filter.droppedLines)
        text.add(filter.events.values)
        setup.resolver.addMetrics(to: &text)
        return text.text + MetricsText.process(began: filter.counters.began).text
    }
}

extension MetricsText {
    /// What was done with messages, and why.
    fileprivate mutating func addMessages(_ values: Counters.Values, rules: [Rule], forwarders: [String]) {
        let actions = RuleAction.allCases.filter { $0 != .mark }.map(\.rawValue)
        add(
            "messages_total",
            .counter,
            "Messages by what was done with them.",
            Self.series("action", actions + ["sign"], values.messages)
        )
        add("results_total", .counter, "Results of checks.", Self.series(values.results))
        add(
            "rule_matches_total",
            .counter,
            "Rules that had a say, by what became of it.",
            Self.series(values.rules, rules)
        )
        add("refused_recipients_total", .counter, "Recipients refused before DATA.", values.refusedRecipients)
        add(
            "undecided_messages_total",
            .counter,
            "Messages of which a rule could not be decided for want of a DNS answer, by what was done with them.",
            Self.series("action", actions, values.undecidedMessages)
        )
        add(
            "excused_messages_total",
            .counter,
            "Messages on which a rule on DMARC did not act, by the trusted forwarder that sent them.",
            Self.series("forwarder", Self.known(forwarders, values.excusedMessages.keys), values.excusedMessages)
        )
        addRecipientsApart(values)
        add("forged_fields_total", .counter, "Header fields removed as forged.", values.forgedFields)
        add("signatures_total", .counter, "DKIM signatures made.", values.signatures)
        add("seals_total", .counter, "ARC seals made.", values.seals)
        add("lookups_total", .counter, "DNS questions of messages.", values.lookups)
        add("cached_lookups_total", .counter, "Those of them that no server was asked for.", values.cachedLookups)
    }

    private mutating func addRecipientsApart(_ values: Counters.Values) {
        add(
            "put_off_messages_total",
            .counter,
            "Messages put off because the rules differ between their recipients.",
            values.putOffMessages
        )
        add(
            "sent_away_recipients_total",
            .counter,
            "Recipients asked to come in another transaction.",
            values.sentAwayRecipients
        )
    }

    /// What the ledger is told.
    fileprivate mutating func add(_ events: EventLog.Values) {
        add("events_total", .counter, "Events written for the ledger.", events.written)
        add("events_dropped_total", .counter, "Events lost because the disk took none.", events.dropped)
        add(
            "spool_removed_segments_total",
            .counter,
            "Segments removed for room or age before the ledger took them in.",
            events.removedSegments
        )
        add("spool_bytes", .gauge, "Closed segments that the ledger has not taken in.", events.spoolOctets)
    }

    /// Connections of MTAs.
    fileprivate mutating func add(_ statistics: MilterServerStatistics) {
        add("connections", .gauge, "Milter connections open.", statistics.openConnections)
        add("connections_total", .counter, "Milter connections accepted.", statistics.connections)
        add("refused_connections_total", .counter, "Connections over the limit.", statistics.refusedConnections)
        add(
            "descriptor_shortages_total",
            .counter,
            "Times that no file descriptor was left for a connection.",
            statistics.descriptorShortages
        )
        add("protocol_violations_total", .counter, "Connections closed for a violation.", statistics.violations)
        add("aborted_messages_total", .counter, "Messages given up by the MTA.", statistics.abortedMessages)
        add("received_bytes_total", .counter, "What MTAs sent.", statistics.receivedOctets)
    }

    /// The configuration in force and how it came there; names as Prometheus and Alertmanager have them for their own.
    fileprivate mutating func addConfiguration(_ values: Counters.Values, hash: Int) {
        add("reloads_total", .counter, "Configurations put in force.", values.reloads)
        add("failed_reloads_total", .counter, "Configurations refused.", values.failedReloads)
        add(
            "config_last_reload_successful",
            .gauge,
            "Whether the configuration was good when it was last read.",
            values.isLastConfigurationGood ? 1 : 0
        )
        add(
            "config_last_reload_success_timestamp_seconds",
            .gauge,
            "When the configuration in force was read.",
            Int(values.configured.seconds)
        )
        add("config_hash", .gauge, "A number that a change of the configuration or of its lists changes.", hash)
    }
}

// MARK: Series before their first event

extension MetricsText {
    private static func series(_ label: String, _ values: [String], _ counts: [String: Int]) -> [Series<Int>] {
        values.map { ([(label, $0)], counts[$0] ?? 0) }
    }

    private static func series(_ counts: [Counters.CheckResult: Int]) -> [Series<Int>] {
        Check.allCases.flatMap { check in
            check.words.map { word in
                let result = Counters.CheckResult(check: check.rawValue, result: word.rawValue)
                return ([("check", result.check), ("result", result.result)], counts[result] ?? 0)
            }
        }
    }

    /// The names in force, and those of earlier configurations that were counted.
    private static func known(_ inForce: [String], _ counted: some Sequence<String>) -> [String] {
        inForce + Set(counted).subtracting(inForce).sorted()
    }

    private static func series(_ counts: [Counters.RuleOutcome: Int], _ rules: [Rule]) -> [Series<Int>] {
        known(rules.map(\.name), counts.keys.map(\.rule)).flatMap { rule in
            Counters.RuleOutcome.outcomes.map { outcome in
                let key = Counters.RuleOutcome(rule: rule, outcome: outcome)
                return ([("rule", rule), ("outcome", outcome)], counts[key] ?? 0)
            }
        }
    }
}
