internal import Logging
internal import MailAuthentication
internal import MailSyntax
internal import Policy
internal import PosternConfiguration
internal import Synchronization

/// What all sessions of a daemon share.
final class Filter: Sendable {
    /// What was done so far.
    let counters = Counters()
    /// The last verdicts.
    let history: History
    private let log: MessageLog
    private let current: Mutex<Snapshot>

    /// A filter that judges by this configuration.
    init(_ snapshot: Snapshot, log: MessageLog) {
        current = Mutex(snapshot)
        self.log = log
        history = History(capacity: snapshot.configuration.why.history)
    }

    /// The configuration in force; a message takes it once.
    var snapshot: Snapshot { current.withLock { $0 } }

    /// Puts another configuration in force, whole.
    func replace(by snapshot: Snapshot) {
        current.withLock { $0 = snapshot }
        history.resize(to: snapshot.configuration.why.history)
    }

    /// How many lines the system log did not take.
    var droppedLines: Int { log.sink.syslog?.dropped ?? 0 }
}

// MARK: What became of a message

extension Filter {
    /// Logs, counts and remembers a judged message.
    func record(_ judgement: Judgement, _ summary: MessageSummary, headers: HeaderBlock, authservID: Octets) {
        log.write(LogLine(judgement, summary))
        counters.count(judgement, refused: summary.refused)
        guard !judgement.isCleanPass else { return }
        history.remember(
            RememberedMessage(
                time: Clock.now,
                judgement: judgement,
                summary: summary,
                headers: headers.ofSenders,
                authservID: authservID
            )
        )
    }

    /// Logs and counts a message of our own.
    func record(_ outcome: OutgoingMessage.Outcome?, envelope: Envelope, _ summary: MessageSummary) {
        log.write(LogLine(outcome, envelope: envelope, summary))
        counters.update { values in
            let signatures = outcome?.signatures.count ?? 0
            values.messages[signatures > 0 ? "sign" : "accept", default: 0] += 1
            values.signatures += signatures
        }
    }

    /// Logs and counts a message whose header section is beyond the bound.
    func recordOversizedHeader(_ envelope: Envelope, _ summary: MessageSummary) {
        var line = LogLine(subject: summary.queueID ?? LogLine.noQueueID)
        line.add("action", "reject")
        line.add("from", octets: [UInt8(ascii: "<")] + envelope.sender + [UInt8(ascii: ">")])
        line.add("problem", "header section beyond limits.max_header")
        log.write(line)
        counters.update { $0.messages["reject", default: 0] += 1 }
    }
}
