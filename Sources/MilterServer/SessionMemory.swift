public import Logging
internal import NIOCore
import Synchronization

/// The memory that all sessions of a server share for what may become large: headers, recipients, unfinished packets.
///
/// Each session has a little of its own besides, which ordinary messages do not exceed.
public final class SessionMemory: Sendable {
    /// How many octets may be taken.
    public let limit: Int
    private let taken = Atomic(0)
    private let shortageCount = Atomic(0)
    private let notice = Mutex(OccasionalNotice())
    private let logger: Logger

    /// Memory of this many octets; that there is none left is logged.
    public init(limit: Int, logger: Logger) {
        self.limit = limit
        self.logger = logger
    }

    /// How many octets are taken.
    public var octets: Int { taken.load(ordering: .relaxed) }

    /// How often there was no room.
    public var shortages: Int { shortageCount.load(ordering: .relaxed) }

    /// Takes octets, if there is room for them.
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

    /// Takes octets in any case.
    fileprivate func force(_ count: Int) { taken.add(count, ordering: .relaxed) }

    /// Gives octets back.
    fileprivate func giveBack(_ count: Int) { taken.subtract(count, ordering: .relaxed) }
}

/// What one part of a session has of the shared memory; given back at its end.
public struct MemoryShare: ~Copyable {
    /// How many octets nobody is asked for.
    public static let free = 8192
    /// In what pieces the rest is taken, so that it is not done for each field.
    private static let step = 16_384

    private let memory: SessionMemory
    private var taken = 0

    /// A share of nothing.
    public init(of memory: SessionMemory) { self.memory = memory }

    deinit { memory.giveBack(taken) }

    /// Makes the share as large as what is held now.
    ///
    /// - Returns: whether there is room for it; if not, the share stays as it is.
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

    /// Makes the share as large as what is held now, for what cannot be done without.
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
