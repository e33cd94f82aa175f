internal import Dispatch
internal import EventSpool
internal import Logging
internal import MailEvents
internal import MailSyntax
internal import PosternConfiguration
internal import Synchronization

/// Hands events to the ledger, from a thread of its own: mail never waits for a disk.
///
/// An event is lost, and counted, if too many others wait or the disk takes none.
final class EventLog: Sendable {
    /// The settings.
    struct Settings: Equatable, Sendable {
        /// The spool's directory.
        let directory: String
        /// The host in the names of segments.
        let host: String
        /// The most octets of the spool.
        let limit: Int
        /// After how many seconds a segment goes, whether or not it was taken in.
        let keep: Int64
    }

    /// What has become of events so far.
    struct Values: Encodable, Sendable {
        /// Whether events are written.
        var isOn = false
        /// The spool's directory; nil when nothing is known of a ledger.
        var directory: String?
        /// Why none are written.
        var obstacle: String?
        /// Events that are in a segment.
        var written = 0
        /// Events that are lost.
        var dropped = 0
        /// Segments that were removed for room or for age before the ledger took them in.
        var removedSegments = 0
        /// The size of the spool when it was last looked at, in octets.
        var spoolOctets = 0
    }

    /// The most octets that may wait for the disk.
    private static let maximumWaiting = 8 << 20
    /// How long the first event waits for others: one write takes them all.
    private static let gathering = DispatchTimeInterval.milliseconds(50)
    /// How many octets are written without waiting for more, while they are still in the processor's caches.
    private static let block = 128 << 10
    /// The most octets of room that is used again.
    private static let maximumRoom = 1 << 20

    fileprivate struct State {
        var waiting: [UInt8] = []
        var count = 0
        /// Room for lines that wait, while others are written.
        var room: [UInt8] = []
        /// Room in which lines are made: one for each that is made at the same time.
        var texts: [JSONText] = []
        /// Whether what waits will be written within the time for gathering.
        var isScheduled = false
        var values = Values()
        /// Events lost since this was last said.
        var unsaid = 0
        /// Of the events that are lost, those that went with their segments.
        var lostWithSegments = 0
        /// Whether the directory is missing, and looked for from time to time.
        var isLooking = false
    }

    private let isOn = Atomic(false)
    private let state = Mutex(State())
    private let queue = DispatchQueue(label: "postern.events")
    private let spool: Mutex<SpoolFiles>

    /// A log that writes nowhere before it is told where.
    ///
    /// - Parameter report: told in words when events begin or cease to be lost, and where they go.
    init(report: @escaping @Sendable (Logger.Level, String) -> Void = { _, _ in }) {
        spool = Mutex(SpoolFiles(report: report))
    }

    /// What has become of events so far.
    var values: Values { state.withLock { $0.values } }

    /// Uses the first settings, and is ready when it returns; says nothing yet.
    func begin(_ settings: Settings) {
        queue.sync { change(to: settings) }
    }

    /// Says what there is to say, from now on.
    func speak() {
        queue.async { [self] in spool.withLock { $0.speak() } }
    }

    /// Uses other settings from now on.
    func use(_ settings: Settings) {
        queue.async { [self] in change(to: settings) }
    }

    private func change(to settings: Settings) {
        if spool.withLock({ $0.use(settings) }) { look() }
    }

    /// Queues a line.
    ///
    /// - Parameter write: makes the line; not called where nothing is written.
    func append(_ write: (inout JSONText) -> Void) {
        guard isOn.load(ordering: .relaxed) else { return }
        var text = state.withLock { $0.texts.popLast() } ?? JSONText()
        write(&text)
        let (begins, isBlock) = state.withLock { state in
            if text.capacity <= Self.block { state.texts.append(text) }
            let before = state.waiting.count
            guard before + text.octets.count < Self.maximumWaiting else {
                state.lose(1)
                return (false, false)
            }
            state.waiting += text.octets
            state.count += 1
            defer { state.isScheduled = true }
            return (!state.isScheduled, before < Self.block && state.waiting.count >= Self.block)
        }
        if isBlock { queue.async { self.writeWaiting() } }
        if begins { queue.asyncAfter(deadline: .now() + Self.gathering) { self.writeGathered() } }
    }

    /// Writes what waits, and closes the segment; waits for that, but no longer than the disk may take.
    func close(seconds: Int = 5) {
        let done = DispatchSemaphore(value: 0)
        queue.async { [self] in
            isOn.store(false, ordering: .relaxed)
            writeWaiting()
            spool.withLock { $0.closeSegment() }
            done.signal()
        }
        _ = done.wait(timeout: .now() + .seconds(seconds))
    }
}

// MARK: On the log's own thread

extension EventLog {
    /// How often a missing directory is looked for.
    private static let interval = DispatchTimeInterval.seconds(10)

    /// Looks whether the directory is there, and closes the orphans in it; where it is missing, again and again.
    private func look() {
        let isThere = spool.withLock { $0.open() }
        isOn.store(isThere, ordering: .relaxed)
        update()
        let looksAgain = state.withLock { state in
            defer { state.isLooking = !isThere }
            return !isThere && !state.isLooking
        }
        if looksAgain { lookLater() }
    }

    private func lookLater() {
        queue.asyncAfter(deadline: .now() + Self.interval) { [self] in
            guard state.withLock({ $0.isLooking }) else { return }
            state.withLock { $0.isLooking = false }
            look()
        }
    }

    private func writeGathered() {
        state.withLock { $0.isScheduled = false }
        writeWaiting()
    }

    private func writeWaiting() {
        var (lines, count) = state.withLock { $0.takeWaiting() }
        guard !lines.isEmpty else { return }
        let outcome = spool.withLock { $0.write(lines, count: count) }
        if lines.capacity <= Self.maximumRoom {
            lines.removeAll(keepingCapacity: true)
            state.withLock { $0.room = lines }
        }
        let unsaid = state.withLock { state in
            if outcome.isWritten { state.values.written += count } else { state.lose(count) }
            return state.unsaid
        }
        if spool.withLock({ $0.tell(lost: unsaid, isWritten: outcome.isWritten) }) {
            state.withLock { $0.unsaid -= unsaid }
        }
        // The directory may be gone.
        if !outcome.isWritten { look() }
        if outcome.hasOpened {
            queue.asyncAfter(deadline: .now() + SpoolFiles.age) { [self] in
                spool.withLock { $0.closeIfOld() }
                update()
            }
        }
        update()
    }

    private func update() {
        let (directory, obstacle) = spool.withLock { ($0.directory, $0.obstacle) }
        let (octets, removed, lost) = spool.withLock { ($0.octetCount, $0.removedSegments, $0.lostWithSegments) }
        state.withLock { state in
            state.values.obstacle = obstacle
            state.values.isOn = isOn.load(ordering: .relaxed)
            state.values.directory = directory
            state.values.spoolOctets = octets
            state.values.removedSegments = removed
            // They had been counted as written.
            state.values.written -= lost - state.lostWithSegments
            state.values.dropped += lost - state.lostWithSegments
            state.lostWithSegments = lost
        }
    }
}

extension EventLog.State {
    /// The lines that wait, and how many they are; from then on none waits.
    fileprivate mutating func takeWaiting() -> (lines: [UInt8], count: Int) {
        defer { (waiting, room, count) = (room, [], 0) }
        return (waiting, count)
    }

    fileprivate mutating func lose(_ count: Int) {
        values.dropped += count
        unsaid += count
    }
}
