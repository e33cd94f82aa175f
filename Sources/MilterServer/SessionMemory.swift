public import Logging
internal import NIOCore
import Synchronization

/// The memory that all sessions of a server share for data that may become large: headers, recipients, unfinished
/// packets.
///
/// In addition, each session has a little memory of its own, which is enough for ordinary messages.
public final class SessionMemory: Sendable {
    /// The most octets that may be in use.
    public let limit: Int
    private let taken = Atomic(0)
    private let shortageCount = Atomic(0)
    private let notice = Mutex(OccasionalNotice())
    private let logger: Logger

    /// Memory of this many octets; a shortage is logged.
    public init(limit: Int, logger: Logger) {
        self.limit = limit
        self.logger = logger
    }

    /// How many octets are in use.
    public var octets: Int { taken.load(ordering: .relaxed) }

    /// How often there was no room.
    public var shortages: Int { shortageCount.load(ordering: .relaxed) }

    /// Takes octets, if there is room.
    fileprivate func take(_ count: Int) -> Bool {
        guard taken.add(count, ordering: .relaxed).newValue > limit else { return true }
        taken.subtract(count, ordering: .relaxed)
        shortageCount.add(1, ordering: .relaxed)
        if let shortages = notice.withLock({ $0.count() }) {
            logger.warning(
                """
                no memory left for \(shortages) messages, which come again later: those in progress hold \
                \(octets >> 20) MiB of \(limit >> 20) (limits.max_held)
                """
            )
        }
        return false
    }

    /// Takes octets, whether there is room or not.
    fileprivate func force(_ count: Int) { taken.add(count, ordering: .relaxed) }

    /// Returns octets.
    fileprivate func giveBack(_ count: Int) { taken.subtract(count, ordering: .relaxed) }
}

/// The share of one part of a session in the shared memory; returned at its end.
public struct MemoryShare: ~Copyable {
    /// How many octets each share may hold without asking.
    public static let free = 8192
    /// The unit in which further octets are taken, so that not every field asks for room.
    private static let step = 16_384

    private let memory: SessionMemory
    private var taken = 0

    /// An empty share.
    public init(of memory: SessionMemory) { self.memory = memory }

    deinit { memory.giveBack(taken) }

    /// Adjusts the share to the octets that are held now.
    ///
    /// - Returns: whether there is room for them; if not, the share stays as it is.
    public mutating func hold(_ octets: Int) -> Bool {
        let wanted = Self.wanted(octets)
        guard wanted != taken else { return true }
        if wanted < taken {
            memory.giveBack(taken - wanted)
        } else if !memory.take(wanted - taken) {
            return false
        }
        taken = wanted
        return true
    }

    /// Adjusts the share to the octets that are held now, for data that is indispensable.
    mutating func mustHold(_ octets: Int) {
        let wanted = Self.wanted(octets)
        guard wanted != taken else { return }
        memory.force(wanted - taken)
        taken = wanted
    }

    private static func wanted(_ octets: Int) -> Int {
        octets <= free ? 0 : (octets - free + step - 1) / step * step
    }
}
