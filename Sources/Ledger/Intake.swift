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

    /// An intake.
    ///
    /// - Parameters:
    ///   - store: where events go.
    ///   - spool: where they come from.
    ///   - retention: what makes room in the store before each segment; nil where there is no want of it.
    ///   - facts: what rules ask about of an event, in few octets.
    public init(
        _ store: Store,
        from spool: SpoolDirectory,
        retention: Retention? = nil,
        facts: @escaping @Sendable (MailEvent) -> [UInt8]
    ) {
        self.store = store
        self.spool = spool
        self.retention = retention
        self.facts = facts
    }

    /// Takes a closed segment in, in one transaction, and removes its file; nil when that had been done before.
    ///
    /// What a crash leaves between the two is recognized by the table `batch`.
    public func take(_ segment: Segment) throws(StoreError) -> Taken? {
        let name = segment.name
        let taken = try store.write { database -> Taken? in
            guard try !database.hasBatch(name) else { return nil }
            let (messages, rejected) = try takeLines(of: segment, database)
            let reasons = rejected.count > 0 ? rejected.summary : nil
            if let reasons {
                try rejected.write(to: spool.path(ofRejected: name))
                try database.note("\(name.fileName(.closed)): \(reasons)")
            }
            try database.insertBatch(name, messages: messages, rejected: rejected.count)
            return Taken(name: name, messages: messages, rejected: rejected.count, reasons: reasons)
        }
        spool.remove(segment)
        return taken
    }

    /// Takes in what waits, the oldest first.
    ///
    /// - Parameters:
    ///   - oldest: segments that were written before this time are removed instead, and so are lines that were set
    ///     aside before.
    ///   - report: told of each segment that was taken in.
    ///   - isStopped: asked between two segments.
    public func run(
        notBefore oldest: UnixTime,
        report: (Taken) -> Void = { _ in },
        isStopped: () -> Bool = { false }
    ) throws(StoreError) {
        let segments: [Segment]
        do {
            segments = try spool.segments()
            try spool.removeRejected(before: oldest.seconds)
        } catch {
            throw .failed("\(spool.path): \(error)")
        }
        for segment in segments where segment.state == .closed && !isStopped() {
            if segment.modified < oldest.seconds {
                try store.write { try $0.add(1, to: .outdated) }
                spool.remove(segment)
            } else {
                try retention?.makeRoom()
                if let taken = try take(segment) { report(taken) }
            }
        }
    }

    private func takeLines(of segment: Segment, _ database: Database) throws -> (Int, RejectedLines) {
        var reader = try SegmentReader(path: spool.path(of: segment.name, segment.state))
        var writer = try MessageWriter(database, facts: facts)
        var rejected = RejectedLines()
        var messages = 0
        while let line = try reader.next() {
            switch line {
            case .tooLong(let head): rejected.add(head, .tooLong)
            case .whole(let octets):
                switch EventLine.read(octets) {
                case .success(let event):
                    try writer.write(event, octets)
                    messages += 1
                case .failure(let problem): rejected.add(octets, problem)
                }
            }
        }
        return (messages, rejected)
    }
}
