internal import DNSResolver
internal import Logging
internal import MailAuthentication
internal import MailEvents
internal import MailSyntax
internal import MilterServer
internal import Policy
internal import PosternConfiguration
internal import PosternSetup
internal import Synchronization

/// The state that all sessions of a daemon share.
final class Filter: Sendable {
    /// The counts of messages so far.
    let counters = Counters()
    /// How long MTAs waited at the end of a message.
    let endOfMessageTimes = DurationHistogram()
    /// The last verdicts.
    let history: History
    /// Messages that were deferred, so that each kind of recipient comes in its own transaction.
    let putOff = PutOffMessages()
    /// What the ledger is told.
    let events: EventLog
    private let log: MessageLog
    private let current: Mutex<Setup>
    /// The roles with which the listeners were opened; they stay open whatever a later configuration says.
    private let openedRoles: [String: Configuration.Listen.Role]

    /// A filter that uses this configuration.
    init(_ setup: Setup, log: MessageLog, events: EventLog = EventLog()) {
        current = Mutex(setup)
        self.events = events
        openedRoles = setup.roles
        self.log = log
        history = History(capacity: setup.configuration.why.history)
    }

    /// The configuration in force; a message reads it once.
    var setup: Setup { current.withLock { $0 } }

    /// Replaces the configuration in force as a whole.
    func replace(by setup: Setup) {
        current.withLock { $0 = setup }
        history.resize(to: setup.configuration.why.history)
        events.use(EventLog.Settings(setup.configuration))
    }

    /// The role of the listener at this address.
    func role(of place: String, by setup: Setup) -> Configuration.Listen.Role {
        setup.roles[place] ?? openedRoles[place] ?? .auto
    }

    /// How many lines the log has lost.
    var droppedLines: Int { log.sink.dropped }
}

// MARK: The outcome of a message

extension Filter {
    /// Logs, counts and remembers a judged message, and tells the ledger.
    func record(
        _ judgement: Judgement,
        _ delivery: Delivery,
        headers: HeaderBlock,
        authservID: Octets,
        _ tell: (inout Transcript) -> Void,
        by setup: Setup
    ) {
        log.write(LogLine(judgement, delivery))
        counters.count(judgement, delivery)
        let (isClean, problem) = (judgement.isCleanPass, delivery.problem)
        events.append {
            setup.eventForm.write(judgement, Transcript(tell), isClean: isClean, problem: problem, to: &$0)
        }
        guard !isClean else { return }
        history.remember(
            RememberedMessage(
                time: Clock.now,
                judgement: judgement,
                delivery: delivery,
                headers: headers.ofSenders,
                authservID: authservID,
                cost: headers.octetCount + 96 * judgement.removedFields.count
                    + judgement.lookups.reduce(0) { $0 + $1.octetCount }
                    + judgement.envelope.recipients.reduce(0) { $0 + $1.count + 48 } + 2048
            )
        )
    }

    /// Logs and counts a message of our own; `removed` is the number of its forged fields.
    func record(
        _ outcome: OutgoingMessage.Outcome?,
        envelope: Envelope,
        from source: SignedMessage.Source,
        removed: Int,
        _ delivery: Delivery,
        _ tell: (inout Transcript) -> Void,
        by setup: Setup
    ) {
        log.write(LogLine(outcome, envelope: envelope, from: source, removed: removed, delivery))
        events.append {
            setup.eventForm.write(
                signedBy: outcome?.keys ?? [],
                unsigned: outcome?.problem,
                removed: removed,
                Transcript(tell),
                to: &$0
            )
        }
        counters.update { values in
            values.forgedFields += removed
            let signatures = outcome?.signatures.count ?? 0
            values.messages[signatures > 0 ? "sign" : "accept", default: 0] += 1
            values.signatures += signatures
        }
    }

    /// Logs and counts a message that was not judged because of its header.
    func recordUnjudged(
        _ action: String,
        would: String?,
        problem: String,
        removed: Int,
        _ envelope: Envelope,
        _ delivery: Delivery,
        _ direction: MailEvent.Direction,
        _ tell: (inout Transcript) -> Void,
        by setup: Setup
    ) {
        let line = LogLine(
            unjudged: action,
            would: would,
            problem: problem,
            removed: removed,
            envelope: envelope,
            delivery
        )
        log.write(line)
        events.append {
            setup.eventForm.write(
                unjudged: action,
                would: would,
                problem: problem,
                removed: removed,
                direction,
                Transcript(tell),
                to: &$0
            )
        }
        counters.update { values in
            values.messages[action, default: 0] += 1
            values.forgedFields += removed
        }
    }
}

extension Transcript {
    /// A transcript of what is told.
    @inline(__always)
    fileprivate init(_ tell: (inout Transcript) -> Void) {
        self.init()
        tell(&self)
    }
}
