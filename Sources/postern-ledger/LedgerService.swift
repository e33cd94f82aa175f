internal import CommandSupport
internal import EventSpool
internal import Ledger
internal import MailSyntax
internal import PosternConfiguration
internal import PosternSetup
internal import ServiceManager
internal import Synchronization

/// The daemon: takes segments in every second, and removes what is too old every few minutes.
final class LedgerService: Sendable {
    private struct State {
        var configuration: Configuration
        var isStopped = false
    }

    private static let interval = Duration.seconds(1)
    /// How often what is too old is removed, in seconds.
    private static let retentionInterval: Int64 = 60

    private let state: Mutex<State>

    init(_ configuration: Configuration) {
        state = Mutex(State(configuration: configuration))
    }

    /// Goes on with another configuration.
    func use(_ configuration: Configuration) {
        state.withLock { $0.configuration = configuration }
        Report.write("configuration reloaded: \(configuration.work)")
    }

    /// Stops after the segment that is being taken in.
    func stop() { state.withLock { $0.isStopped = true } }

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    /// Works until it is stopped.
    func run() async {
        Report.write("started: \(state.withLock { $0.configuration }.work)")
        var store: Store?
        var pause = Pause()
        var cleaned = UnixTime(0)
        var skipped = [SegmentName: Pause]()
        while !isStopped {
            SystemdNotification.ofThisProcess.send(.alive)
            let configuration = state.withLock { $0.configuration }
            if pause.isOver {
                do throws(StoreError) {
                    let opened = try current(store, configuration)
                    store = opened
                    try take(into: opened, configuration, &skipped)
                    // The spool holds nothing more of a day that is over.
                    if !isStopped, let reports = configuration.reportSettings {
                        try opened.closeDays(reports.window, now: Clock.now)
                    }
                    // New segments do not wait until all that is too old is gone.
                    if Clock.now - cleaned >= Self.retentionInterval, try retain(opened, configuration) {
                        cleaned = Clock.now
                    }
                    if pause.succeeded() { Report.write("the store works again") }
                } catch {
                    if pause.failed(error) {
                        Report.write("\(error); tried again until it works, and events wait in the spool")
                    }
                    // It may be replaced or repaired meanwhile.
                    store = nil
                }
            }
            try? await Task.sleep(for: Self.interval)
        }
    }

    /// The store that the configuration names.
    private func current(_ store: Store?, _ configuration: Configuration) throws(StoreError) -> Store {
        let ledger = configuration.ledger
        if let store, store.path == ledger.store, store.maximumOctets == ledger.maximumOctets {
            if store.isInPlace { return store }
            Report.write("\(ledger.store) is another file now, or gone; it is opened anew")
        }
        return try Store.open(ledger.store, maximumOctets: ledger.maximumOctets)
    }

    /// Takes in what waits.
    ///
    /// - Parameters:
    ///   - store: where it goes.
    ///   - configuration: the settings.
    ///   - skipped: the segments that stay, and when each is tried again.
    private func take(
        into store: Store,
        _ configuration: Configuration,
        _ skipped: inout [SegmentName: Pause]
    ) throws(StoreError) {
        var seen = Set<SegmentName>()
        _ = try? configuration.spool.closeOrphans()
        try configuration.intake(store).run(notBefore: configuration.oldest) { taken in
            SystemdNotification.ofThisProcess.send(.alive)
            skipped[taken.name] = nil
            if let reasons = taken.reasons { Report.write("\(taken.name.fileName(.closed)): \(reasons)") }
        } skipped: { name, error in
            guard skipped[name, default: Pause()].failed(error) else { return }
            Report.write("\(error); it stays in the spool, and the others go on")
        } isPaused: { name in
            seen.insert(name)
            return skipped[name]?.isOver == false
        } isStopped: {
            isStopped
        }
        // What is gone from the spool is not remembered.
        skipped = skipped.filter { seen.contains($0.key) }
    }

    /// Removes what is too old, as far as it goes in a short time; returns whether that was all.
    private func retain(_ store: Store, _ configuration: Configuration) throws(StoreError) -> Bool {
        let end = ContinuousClock.now + Self.interval
        var isInterrupted = false
        try configuration.retention(store).apply(now: Clock.now) {
            SystemdNotification.ofThisProcess.send(.alive)
            isInterrupted = isStopped || ContinuousClock.now >= end
            return isInterrupted
        }
        return !isInterrupted
    }
}

/// When a store, or a segment, that did not work is tried again.
struct Pause {
    /// The longest pause.
    private static let longest = Duration.seconds(300)

    private var length: Duration?
    private var end = ContinuousClock.now
    private var problem: StoreError?

    /// Whether it is time to try.
    var isOver: Bool { ContinuousClock.now >= end }

    /// Makes the pause longer, and returns whether the problem is another one than before.
    mutating func failed(_ error: StoreError) -> Bool {
        length = min(Self.longest, (length ?? .milliseconds(500)) * 2)
        end = .now + (length ?? Self.longest)
        defer { problem = error }
        return error != problem
    }

    /// Ends the pauses, and returns whether there was a problem.
    mutating func succeeded() -> Bool {
        length = nil
        defer { problem = nil }
        return problem != nil
    }
}
