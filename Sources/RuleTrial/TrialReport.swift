internal import MailSyntax
internal import Policy

/// What a trial found, for people and for programs.
public struct TrialReport: Encodable, Equatable, Sendable {
    /// A name and how often it occurs.
    public struct Count: Encodable, Equatable, Sendable {
        /// The name, printable.
        public var name: String
        /// How often it occurs, at most.
        public var count: Int
        /// How much of the count may belong to others.
        public var over: Int
        /// Of a forwarder, how many authors' domains it sent for; sixteen are the most that are told apart.
        public var authors: Int?
    }

    /// Mail that a rule acts against.
    public struct Hits: Encodable, Equatable, Sendable {
        /// How many messages.
        public var messages: Int
        /// The domains of their authors, or of MAIL FROM where no header came.
        public var authors: [Count]
        /// Their clients: a verified name, or a network, or the only address of one.
        public var clients: [Count]
        /// Clients for which SPF fails although the authors' signatures pass, for several authors.
        public var forwarders: [Count]
        /// Queue IDs.
        public var samples: [String]
    }

    /// Clients of mail that rules act against and that nothing proves, but that may be honest all the same.
    public struct Unproven: Encodable, Equatable, Sendable {
        /// A client whose verified name is at the author's domain: perhaps a host that the domain's SPF record forgets.
        public struct Host: Encodable, Equatable, Sendable {
            /// The client's name.
            public var client: String
            /// The author's domain.
            public var author: String
            /// How many messages, at most.
            public var count: Int
            /// How much of the count may belong to others.
            public var over: Int
        }

        /// Hosts of the authors' domains.
        public var hosts: [Host]
        /// Clients that sent for several authors whose signatures are broken: perhaps mailing lists.
        public var lists: [Count]
    }

    /// What came of one rule.
    public struct RuleResult: Encodable, Equatable, Sendable {
        /// The name of the rule.
        public var rule: String
        /// Its action.
        public var action: String
        /// Whether it is on trial itself.
        public var observe: Bool
        /// How many messages it matched.
        public var matched: Int
        /// How many messages it decided, by action.
        public var acted: ActionCounts
        /// How many messages it matched on trial.
        public var onTrial: Int
        /// How many messages only an exemption kept from it.
        public var exempted: Int
        /// How many messages a missing answer of the DNS left undecided.
        public var undecided: Int
        /// How many messages it could not be decided for, because a check was not made then.
        public var lacked: [String: Int]
        /// The mail that it acts against.
        public var hits: Hits
        /// The mail among it that passes DMARC, or that its author has signed.
        public var honest: Hits
    }

    /// A difference to what was done then.
    public struct Change: Encodable, Equatable, Sendable {
        /// What was done then.
        public var then: String
        /// What the new rules do.
        public var now: String
        /// How many messages.
        public var messages: Int
        /// Queue IDs.
        public var samples: [String]
    }

    /// Why messages could not be tried.
    public struct UntriedCount: Encodable, Equatable, Sendable {
        /// The reason.
        public var reason: String
        /// How many messages.
        public var messages: Int
    }

    /// The mode of the new rules; actions are those of enforce mode in any case.
    public var mode: String
    /// How many messages were tried.
    public var tried: Int
    /// What would be done with them.
    public var actions: ActionCounts
    /// How many would be refused for some of their recipients only.
    public var partial: Int
    /// What would be done with those that pass DMARC, or that their author has signed.
    public var honest: ActionCounts
    /// How many of these would be refused for some of their recipients only.
    public var honestPartial: Int
    /// Mail that rules act against and that is not proven honest: where to look.
    public var unproven: Unproven
    /// What came of each rule, in their order.
    public var rules: [RuleResult]
    /// The differences to what was done then, the most frequent first.
    public var changes: [Change]
    /// How many messages are decided by the same rules as then.
    public var unchanged: Int
    /// How many messages end as they did then, by other rules.
    public var otherRules: Int
    /// Messages that could not be tried.
    public var untried: [UntriedCount]
}

// MARK: From a tally

extension TrialReport {
    /// The most names of a table.
    static let mostNames = 10

    /// The report of a tally.
    public init(_ tally: TrialTally) {
        mode = tally.trial.engine.mode.rawValue
        tried = tally.tried
        actions = tally.actions
        partial = tally.partial
        honest = tally.honest
        honestPartial = tally.honestPartial
        unproven = Unproven(tally.unproven)
        rules = zip(tally.trial.engine.rules, tally.rules).map { RuleResult($0, $1) }
        changes = tally.changes.map { change, tally in
            Change(
                then: change.then.description,
                now: change.now.description,
                messages: tally.count,
                samples: tally.samples.ids
            )
        }
        changes.sort { ($1.messages, $0.then, $0.now) < ($0.messages, $1.then, $1.now) }
        unchanged = tally.unchanged
        otherRules = tally.otherwise
        untried = Untried.allCases.compactMap { reason in
            tally.untried[reason].map { UntriedCount(reason: reason.rawValue, messages: $0) }
        }
    }
}

extension TrialReport.RuleResult {
    fileprivate init(_ rule: Rule, _ tally: RuleTally) {
        self.rule = FieldText.printable(Octets(rule.name), limit: 200)[...].text
        action = rule.action.rawValue
        observe = rule.observe
        matched = tally.matched
        acted = tally.acted
        onTrial = tally.onTrial
        exempted = tally.exempted
        undecided = tally.undecided
        lacked = [:]
        for check in Check.allCases where tally.lacked[check] > 0 { lacked[check.rawValue] = tally.lacked[check] }
        hits = TrialReport.Hits(tally.hits)
        honest = TrialReport.Hits(tally.honest)
    }
}

extension TrialReport.Hits {
    fileprivate init(_ tally: HitTally) {
        messages = tally.count
        authors = tally.authors.sorted.prefix(TrialReport.mostNames).map { TrialReport.Count($0.entry) }
        clients = tally.clients.sorted.prefix(TrialReport.mostNames).map { client in
            TrialReport.Count(name: client.name, count: client.entry.count, over: client.entry.over)
        }
        forwarders = TrialReport.Count.table(tally.forwarders)
        samples = tally.samples.ids
    }
}

extension TrialReport.Unproven {
    fileprivate init(_ tally: UnprovenTally) {
        hosts = tally.hosts.sorted.prefix(TrialReport.mostNames).map { host in
            let (key, count, over) = (host.entry.key, host.entry.count, host.entry.over)
            return Host(client: key.client.description, author: key.author.description, count: count, over: over)
        }
        lists = TrialReport.Count.table(tally.lists)
    }
}

extension TrialReport.Count {
    fileprivate static func table(_ clients: ForwarderTable) -> [Self] {
        clients.sorted.prefix(TrialReport.mostNames).map { client in
            var count = Self(client.entry)
            count.authors = client.authors
            return count
        }
    }

    fileprivate init<Key: CustomStringConvertible>(_ entry: TopTable<Key>.Entry) {
        self.init(name: entry.key.description, count: entry.count, over: entry.over)
    }
}
