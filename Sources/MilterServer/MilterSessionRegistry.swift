internal import Logging
internal import MilterProtocol
internal import NIOCore
import Synchronization

/// Tells a session that the server is ending.
struct MilterDrainEvent: Sendable {}

/// The sessions of a server, and their statistics.
final class MilterSessionRegistry: Sendable {
    /// The decision about a new connection.
    enum Admission {
        /// The connection is served.
        case serve
        /// There are too many connections: the MTA is told to try again later.
        case refuse
        /// There are so many connections that even such an answer costs too much.
        case close
    }

    private struct Place: Hashable {
        /// The index of the listener in the configuration.
        let number: Int
        let admission: Admission
    }

    private struct Entry {
        let channel: any Channel
        let place: Place
    }

    private struct State {
        var entries: [ObjectIdentifier: Entry] = [:]
        var counts: [Place: Int] = [:]
        var statistics = MilterServerStatistics()
        var reported: Set<MilterViolation> = []
        /// The notices of each listener, by its number.
        var refusals: [Int: OccasionalNotice] = [:]
        var shortages = OccasionalNotice()
        var isDraining = false
        var whenEmpty: (@Sendable () -> Void)?

        func admission(to listener: MilterListener, _ number: Int, most: Int?) -> Admission {
            func count(_ admission: Admission) -> Int { counts[Place(number: number, admission: admission)] ?? 0 }
            if isDraining { return .close }
            let hasRoom = most.map { statistics.openConnections < $0 } ?? true
            if hasRoom, count(.serve) < listener.maximumConnections { return .serve }
            let maximumRefusing = min(MilterSessionRegistry.maximumRefusing, most.map { $0 / 8 } ?? .max)
            return count(.refuse) < maximumRefusing ? .refuse : .close
        }

        /// Counts a connection that is not served.
        ///
        /// - Returns: the number of such connections since the last log line, if it is time for another line.
        mutating func countRefusal(of listener: Int) -> Int? {
            statistics.refusedConnections += 1
            // Connections during the shutdown need no log line.
            return isDraining ? nil : refusals[listener, default: OccasionalNotice()].count()
        }
    }

    /// How many connections of a listener may be answered at a time with the advice to try again later.
    private static let maximumRefusing = 100

    private let logger: Logger
    private let maximumConnections: Int?
    private let state = Mutex(State())
    private let openCount = Atomic(0)

    /// An empty registry; up to `maximumConnections` connections of all listeners are served.
    init(logger: Logger, maximumConnections: Int? = nil) {
        self.logger = logger
        self.maximumConnections = maximumConnections
    }

    /// How many connections are open.
    var openConnections: Int { openCount.load(ordering: .relaxed) }

    var statistics: MilterServerStatistics { state.withLock { $0.statistics } }

    /// Adds a new connection of the listener with this index in the configuration.
    ///
    /// - Returns: the decision about the connection, and the number of open connections including it.
    func add(
        _ channel: any Channel,
        of listener: MilterListener,
        _ number: Int
    ) -> (admission: Admission, openConnections: Int) {
        let (admission, openConnections, refusals) = state.withLock { state in
            let admission = state.admission(to: listener, number, most: maximumConnections)
            let place = Place(number: number, admission: admission)
            state.counts[place, default: 0] += 1
            state.entries[ObjectIdentifier(channel)] = Entry(channel: channel, place: place)
            state.statistics.connections += 1
            state.statistics.openConnections += 1
            let refusals = admission == .serve ? nil : state.countRefusal(of: number)
            return (admission, state.statistics.openConnections, refusals)
        }
        openCount.store(openConnections, ordering: .relaxed)
        channel.closeFuture.whenComplete { [self] _ in remove(channel) }
        if let refusals { logRefusals(refusals, listener, open: openConnections) }
        return (admission, openConnections)
    }

    /// Logs that connections are told to try again later, or are closed.
    private func logRefusals(_ count: Int, _ listener: MilterListener, open: Int) {
        let isBoundByFiles = maximumConnections.map { open > $0 } ?? false
        logger.warning(
            """
            too many connections: \(count) refused, \
            \(isBoundByFiles ? "the limit on open files leaves no room for more" : "max_connections are open")
            """,
            metadata: [
                "milter.listener": "\(listener.address)", "milter.max_connections": "\(listener.maximumConnections)",
            ]
        )
    }

    private func remove(_ channel: any Channel) {
        let action = state.withLock { state in
            if let entry = state.entries.removeValue(forKey: ObjectIdentifier(channel)) {
                state.statistics.openConnections -= 1
                state.counts[entry.place, default: 1] -= 1
                openCount.store(state.statistics.openConnections, ordering: .relaxed)
            }
            return state.entries.isEmpty ? state.whenEmpty.take() : nil
        }
        action?()
    }

    /// Tells every session that the server is ending.
    func drain() {
        let channels = state.withLock { state in
            state.isDraining = true
            return state.entries.values.map { $0.channel }
        }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(MilterDrainEvent()) }
    }

    /// Calls `action` as soon as there is no connection.
    func whenEmpty(_ action: @escaping @Sendable () -> Void) {
        let isEmpty = state.withLock { state in
            if !state.entries.isEmpty { state.whenEmpty = action }
            return state.entries.isEmpty
        }
        if isEmpty { action() }
    }

    /// Closes every connection.
    func closeAll() {
        for channel in state.withLock({ $0.entries.values.map { $0.channel } }) { channel.close(promise: nil) }
    }

    /// Adds a session's statistics.
    func report(_ statistics: SessionStatistics) { state.withLock { $0.statistics.add(statistics) } }

    /// Counts a connection that was idle, or took for a packet, too long; the first such connection is logged.
    func reportTimeout(on listener: MilterListener) {
        let isFirst = state.withLock { state in
            state.statistics.timeouts += 1
            return state.statistics.timeouts == 1
        }
        guard isFirst else { return }
        logger.info(
            "closed a connection that was idle, or took too long to complete a packet; more are counted only",
            metadata: ["milter.listener": "\(listener.address)"]
        )
    }

    /// Counts a connection for which there was no file descriptor; logged once a minute.
    func reportShortage() {
        let shortages = state.withLock { state in
            state.statistics.descriptorShortages += 1
            return state.shortages.count()
        }
        guard let shortages else { return }
        logger.error(
            """
            no file descriptor is left for a connection (\(shortages) times): accepting waits; raise the limit on open \
            files, LimitNOFILE= in the unit or "ulimit -n"
            """
        )
    }

    /// Counts a protocol violation.
    ///
    /// Each kind is logged once, because health checkers connect every few seconds.
    func report(_ violation: MilterViolation, on listener: MilterListener) {
        let isFirst = state.withLock { state in
            state.statistics.violations += 1
            return state.reported.count < 100 && state.reported.insert(violation.kind).inserted
        }
        guard isFirst else { return }
        logger.info(
            "closed a connection that broke the milter protocol; more of this kind are counted only",
            metadata: ["milter.violation": "\(violation)", "milter.listener": "\(listener.address)"]
        )
    }
}

extension MilterViolation {
    /// The violation without details that may differ from case to case.
    fileprivate var kind: MilterViolation {
        switch self {
        case .packetLength: .packetLength(0)
        case .unknownCommand: .unknownCommand(0)
        case .notMilter, .misplaced, .payload: self
        }
    }
}
