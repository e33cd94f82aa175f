internal import Dispatch
internal import EventSpool
internal import Glibc
internal import Logging
internal import MailSyntax
internal import PosternConfiguration
internal import PosternSetup
internal import SystemPackage

/// The segments of this process, and the room that all segments take.
///
/// A value of the log's own thread.
struct SpoolFiles {
    /// How old a segment becomes before it is closed.
    static let age = DispatchTimeInterval.seconds(5)
    /// How large a segment becomes before it is closed, in octets.
    private static let size = 4 << 20

    private let report: (Logger.Level, String) -> Void
    private let boot: String
    private var settings: EventLog.Settings?
    private var segment: SegmentWriter?
    /// How many events the open segment has.
    private var eventCount = 0
    private var opened = ContinuousClock.now
    private var sequence = 0
    /// What there is to say about the directory, and what was last said.
    private var directoryNews: (text: String, level: Logger.Level)?
    private var told: String?
    /// Whether anything is said; not before the daemon is ready.
    private var isAudible = false
    /// When events were last lost; nil where it is said that they are written again.
    private var lost: ContinuousClock.Instant?
    /// Why the directory cannot be used; nil where it can.
    private(set) var obstacle: String?
    /// Why lines were last not written.
    private var lastError: Errno?
    /// The size of the closed segments when they were last listed, and of those that were closed since.
    private(set) var octetCount = 0
    /// When they were last listed with these settings.
    private var listed: ContinuousClock.Instant?
    /// Segments that were removed before the ledger took them in.
    private(set) var removedSegments = 0
    /// Events that were written to segments which are gone.
    private(set) var lostWithSegments = 0

    /// No segments yet.
    ///
    /// - Parameter report: told of changes in words.
    init(report: @escaping (Logger.Level, String) -> Void) {
        self.report = report
        let number = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        boot = String(repeating: "0", count: 16 - number.utf8.count) + number
    }

    /// The directory.
    var directory: String? { settings?.directory }

    /// Uses other settings; false when they are the same.
    mutating func use(_ next: EventLog.Settings) -> Bool {
        guard next != settings else { return false }
        if next.directory != settings?.directory || next.host != settings?.host { closeSegment() }
        settings = next
        listed = nil
        return true
    }

    /// Looks at the directory; false where there is none.
    mutating func open() -> Bool {
        guard let settings else { return false }
        do throws(Errno) {
            let directory = SpoolDirectory(settings.directory)
            let orphans = try directory.closeOrphans()
            if !orphans.isEmpty {
                report(.notice, "events: closed \(Counted.words(orphans.count, "segment")) of a process that died")
            }
            tellDirectory("events go to \(settings.directory)", .info)
            obstacle = nil
            makeRoom()
            return true
        } catch {
            let isMissing = error == .noSuchFileOrDirectory
            let reason = isMissing ? "there is no directory" : "\(error):"
            obstacle = reason
            tellDirectory("no events are written: \(reason) \(settings.directory)", isMissing ? .info : .warning)
            return false
        }
    }

    private mutating func tellDirectory(_ text: String, _ level: Logger.Level) {
        directoryNews = (text, level)
        guard isAudible, told != text else { return }
        told = text
        report(level, text)
    }

    /// Says what there is to say, now and from now on.
    mutating func speak() {
        isAudible = true
        if let directoryNews { tellDirectory(directoryNews.text, directoryNews.level) }
    }
}

// MARK: Writing

extension SpoolFiles {
    /// Writes lines to the open segment, or to a new one.
    ///
    /// - Parameters:
    ///   - lines: whole lines.
    ///   - count: how many they are.
    /// - Returns: whether they are written, and whether a segment was opened that must be closed later.
    mutating func write(_ lines: [UInt8], count: Int) -> (isWritten: Bool, hasOpened: Bool) {
        guard let settings else { return (false, false) }
        if segment?.isInPlace == false { dropSegment() }
        var hasOpened = false
        do throws(Errno) {
            if segment == nil {
                sequence += 1
                let name = SegmentName(host: settings.host, boot: boot, sequence: sequence)
                segment = try SegmentWriter(SpoolDirectory(settings.directory), name)
                opened = .now
                hasOpened = true
            }
            try segment?.append(lines)
            eventCount += count
            if let segment, segment.octetCount >= Self.size { closeSegment() }
            return (true, hasOpened)
        } catch {
            lastError = error
            return (false, hasOpened)
        }
    }

    /// Closes the open segment if it has its age.
    mutating func closeIfOld() {
        if segment != nil, opened.duration(to: .now) >= .seconds(5) { closeSegment() }
    }

    /// Closes the open segment, if there is one, and makes room.
    mutating func closeSegment() {
        guard let open = segment else { return }
        do throws(Errno) {
            try open.close()
            octetCount += open.octetCount
            segment = nil
            eventCount = 0
        } catch {
            lastError = error
            dropSegment()
        }
        makeRoom()
    }

    /// Gives a segment up whose file somebody has taken away.
    private mutating func dropSegment() {
        report(
            .warning,
            "events: a segment is gone from \(settings?.directory ?? ""), and with it \(eventCount) events"
        )
        lostWithSegments += eventCount
        segment = nil
        eventCount = 0
    }

    /// Says when events begin to be lost, and when they are written again.
    ///
    /// A disk that is nearly full takes some and not others; that is one loss.
    ///
    /// - Parameters:
    ///   - count: how many were lost since the last time that it was said.
    ///   - isWritten: whether the last ones are written.
    /// - Returns: whether the number was said.
    mutating func tell(lost count: Int, isWritten: Bool) -> Bool {
        if !isWritten {
            if lost == nil {
                report(.warning, "events are lost: \(lastError ?? .ioError) in \(settings?.directory ?? "")")
            }
            lost = .now
        }
        guard count > 0, isWritten, lost.map({ $0.duration(to: .now) >= .seconds(10) }) ?? true else { return false }
        lost = nil
        report(.notice, "events are written again; \(count) were lost")
        return true
    }
}

// MARK: Room

extension SpoolFiles {
    /// Removes the oldest segments until the spool keeps its limit, and those that are too old.
    ///
    /// A busy host closes several in a second, and hundreds may lie there: they are listed no more often than a segment
    /// closes by age, unless the limit may be passed.
    private mutating func makeRoom() {
        guard let settings else { return }
        let isRecent = listed.map { $0.duration(to: .now) < .seconds(5) } ?? false
        guard !isRecent || octetCount > settings.limit else { return }
        listed = .now
        let directory = SpoolDirectory(settings.directory)
        let closed = ((try? directory.segments()) ?? []).filter { $0.state == .closed }
        octetCount = closed.reduce(0) { $0 + $1.octetCount }
        let oldest = Clock.now.seconds - settings.keep
        var removed = 0
        for segment in closed {
            guard octetCount > settings.limit || segment.modified < oldest, directory.remove(segment) else { break }
            octetCount -= segment.octetCount
            removed += 1
        }
        guard removed > 0 else { return }
        if removedSegments == 0 {
            report(.warning, "events: the ledger takes none in, so the oldest segments in \(directory.path) go")
        }
        removedSegments += removed
    }
}
