public import EventSpool
internal import GRDB
internal import Glibc
public import MailEvents
public import MailSyntax
internal import SystemPackage

/// Takes the segments of a spool into a store, each once.
public struct Intake: Sendable {
    /// What became of a segment.
    public struct Taken: Sendable, Equatable {
        /// Its name.
        public let name: SegmentName
        /// How many messages went into the store.
        public let messages: Int
        /// How many lines were set aside.
        public let rejected: Int
        /// Why they were; nil when there are none.
        public let reasons: String?
    }

    private let store: Store
    private let spool: SpoolDirectory
    private let retention: Retention?
    private let facts: @Sendable (MailEvent) -> [UInt8]
    private let reports: @Sendable () -> ReportTally?

    /// An intake.
    ///
    /// - Parameters:
    ///   - store: where events go.
    ///   - spool: where they come from.
    ///   - retention: what makes room in the store before each segment; nil where there is no want of it.
    ///   - facts: what rules ask about of an event, in few octets.
    ///   - reports: an empty tally for each segment, where domain owners are told of their mail.
    public init(
        _ store: Store,
        from spool: SpoolDirectory,
        retention: Retention? = nil,
        facts: @escaping @Sendable (MailEvent) -> [UInt8],
        reports: @escaping @Sendable () -> ReportTally? = { nil }
    ) {
        self.store = store
        self.spool = spool
        self.retention = retention
        self.facts = facts
        self.reports = reports
    }

    /// Takes a closed segment in, in one transaction, and removes its file; nil when that had been done before.
    ///
    /// What a crash leaves between the two is recognized by the table `batch`.
    public func take(_ segment: Segment) throws(StoreError) -> Taken? {
        let taken: Taken?
        do {
            taken = try take(segment, lineByLine: false)
        } catch {
            guard case .refused = error else { throw error }
            taken = try take(segment, lineByLine: true)
        }
        spool.remove(segment)
        return taken
    }

    /// Takes in what waits, the oldest first.
    ///
    /// A segment that cannot be taken in stays, and the others do not wait for it.
    ///
    /// - Parameters:
    ///   - oldest: segments that were written before this time are removed instead, and so are lines that were set
    ///     aside before.
    ///   - report: told of each segment that was taken in.
    ///   - skipped: told of each segment that could not be, and why.
    ///   - isPaused: whether a segment is not tried this time.
    ///   - isStopped: asked between two segments.
    public func run(
        notBefore oldest: UnixTime,
        report: (Taken) -> Void = { _ in },
        skipped: (SegmentName, StoreError) -> Void = { _, _ in },
        isPaused: (SegmentName) -> Bool = { _ in false },
        isStopped: () -> Bool = { false }
    ) throws(StoreError) {
        for segment in try waiting(notBefore: oldest) where segment.state == .closed && !isStopped() {
            if segment.modified < oldest.seconds {
                guard spool.remove(segment) else { continue }
                try store.write { try $0.add(1, to: .outdated) }
                continue
            }
            guard !isPaused(segment.name) else { continue }
            try retention?.makeRoom()
            do throws(StoreError) {
                if let taken = try take(segment) { report(taken) }
            } catch {
                guard case .segment = error else { throw error }
                skipped(segment.name, error)
            }
        }
    }

    /// The segments, after rejected lines from before this time have been removed.
    private func waiting(notBefore oldest: UnixTime) throws(StoreError) -> [Segment] {
        do {
            let segments = try spool.segments()
            try spool.removeRejected(before: oldest.seconds)
            return segments
        } catch {
            throw .failed("\(spool.path): \(error)")
        }
    }

    private func take(_ segment: Segment, lineByLine: Bool) throws(StoreError) -> Taken? {
        let name = segment.name
        return try store.write { database in
            guard try !database.hasBatch(name) else { return nil }
            do {
                let (messages, rejected) = try takeLines(of: segment, database, lineByLine: lineByLine)
                let reasons = rejected.count > 0 ? rejected.summary : nil
                if let reasons {
                    try rejected.write(to: spool.path(ofRejected: name))
                    try database.note("\(name.fileName(.closed)): \(reasons)")
                }
                try database.insertBatch(name, messages: messages, rejected: rejected.count)
                return Taken(name: name, messages: messages, rejected: rejected.count, reasons: reasons)
            } catch let error as Errno {
                throw StoreError.segment(file: name.fileName(segment.state), problem: "\(error)")
            }
        }
    }

    private func takeLines(
        of segment: Segment,
        _ database: Database,
        lineByLine: Bool
    ) throws -> (Int, RejectedLines) {
        var reader = try SegmentReader(path: spool.path(of: segment.name, segment.state))
        var writer = try MessageWriter(database, facts: facts)
        var rejected = RejectedLines()
        var tally = reports()
        var messages = 0
        while let line = try reader.next() {
            switch line {
            case .tooLong(let head): rejected.add(head, .tooLong)
            case .whole(let octets):
                switch EventLine.read(octets) {
                case .success(let event):
                    if lineByLine, let problem = try writer.problem(ofWriting: event, octets) {
                        rejected.add(octets, problem)
                        continue
                    }
                    if !lineByLine { try writer.write(event, octets) }
                    tally?.add(event)
                    messages += 1
                case .failure(let problem): rejected.add(octets, problem)
                }
            }
        }
        if let tally { try tally.write(to: database) } else { try database.unmark(.counting) }
        return (messages, rejected)
    }
}
