internal import DNSResolver
internal import MailSyntax
internal import MilterServer
internal import Policy
internal import PosternConfiguration
internal import PosternSetup

/// What the daemon is doing, as `postern status` prints it; with `--json` the keys are in snake case.
struct DaemonStatus: Encodable, Sendable {
    struct Connections: Encodable, Sendable {
        var open: Int
        var total: Int
        var refused: Int
    }

    struct Memory: Encodable, Sendable {
        var octets: Int
        var limit: Int
        var shortages: Int
    }

    struct Reloads: Encodable, Sendable {
        var done: Int
        var failed: Int
        var last: Reloader.Outcome?
    }

    struct PutOff: Encodable, Sendable {
        var messages: Int
        var recipients: Int
        var senders: Int
    }

    struct DNS: Encodable, Sendable {
        var zone: String?
        var answering: Bool?
        var queries: Int?
        var timeouts: Int?
        var cacheEntries: Int?
        var cacheHits: Int?
        var cacheMisses: Int?
    }

    var version: String
    var commit: String
    var since: String
    var uptimeSeconds: Int
    var sockets: [String]
    var listeners: [ListenerStatus]
    var mode: String
    var rules: Int
    var rulesOnTrial: Int
    var ruleMatches: [RuleStatus]
    var connections: Connections
    var held: Memory
    var messages: [String: Int]
    var messagesPerSecond: Double
    var results: [String: [String: Int]]
    var refusedRecipients: Int
    var undecided: [String: Int]
    var putOff: PutOff
    var forgedFields: Int
    var signatures: Int
    var seals: Int
    var lookups: Int
    var cachedLookups: Int
    var remembered: Int
    var reloads: Reloads
    var lostSockets: [String]
    var lostLogLines: Int
    var events: EventLog.Values
    var dns: DNS
}

extension DaemonStatus {
    /// The status now.
    init(_ filter: Filter, _ milter: MilterServer, since: UnixTime, rate: Double, lastReload: Reloader.Outcome?) {
        let values = filter.counters.values
        let statistics = milter.statistics
        let setup = filter.setup
        let rules = setup.engine.rules
        self.init(
            version: BuildInfo.version,
            commit: BuildInfo.commit,
            since: "\(UTCTime(since))",
            uptimeSeconds: Int(max(0, Clock.now.seconds - since.seconds)),
            sockets: setup.configuration.listen.map(\.socket.description),
            listeners: setup.configuration.listen.map(ListenerStatus.init),
            mode: setup.configuration.mode.rawValue,
            rules: rules.count,
            rulesOnTrial: rules.count(where: \.observe),
            ruleMatches: RuleStatus.all(rules, values),
            connections: Connections(
                open: statistics.openConnections,
                total: statistics.connections,
                refused: statistics.refusedConnections
            ),
            held: Memory(
                octets: milter.memory.octets,
                limit: milter.memory.limit,
                shortages: milter.memory.shortages
            ),
            messages: values.messages,
            // More digits would be chance.
            messagesPerSecond: (rate * 100).rounded() / 100,
            results: values.results.reduce(into: [:]) { $0[$1.key.check, default: [:]][$1.key.result] = $1.value },
            refusedRecipients: values.refusedRecipients,
            undecided: values.undecidedMessages,
            putOff: PutOff(
                messages: values.putOffMessages,
                recipients: values.sentAwayRecipients,
                senders: filter.putOff.count
            ),
            forgedFields: values.forgedFields,
            signatures: values.signatures,
            seals: values.seals,
            lookups: values.lookups,
            cachedLookups: values.cachedLookups,
            remembered: filter.history.count,
            reloads: Reloads(done: values.reloads, failed: values.failedReloads, last: lastReload),
            lostSockets: milter.files.compactMap(\.loss),
            lostLogLines: filter.droppedLines,
            events: filter.events.values,
            dns: DNS(setup.resolver)
        )
    }
}

extension DaemonStatus.DNS {
    fileprivate init(_ resolver: ConfiguredResolver) {
        switch resolver {
        case .zone(_, let path): self.init(zone: path)
        case .servers(let servers):
            let statistics = servers.statistics
            self.init(
                answering: statistics.health == .unknown ? nil : statistics.health == .answering,
                queries: statistics.queries,
                timeouts: statistics.timeouts,
                cacheEntries: statistics.entries,
                cacheHits: statistics.hits,
                cacheMisses: statistics.misses
            )
        }
    }
}
