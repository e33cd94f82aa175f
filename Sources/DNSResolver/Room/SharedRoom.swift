public import MailSyntax
internal import NIOCore
internal import Synchronization

/// The room that all loops share, and the messages about its changes.
final class SharedRoom: Sendable {
    /// Runs the questions whose turn has come, each on its loop.
    typealias Turns = @Sendable (Room.Turn) -> Void

    private let room: Mutex<Room>
    private let crowd: Mutex<Crowd>
    private let turns: Turns
    private let onChange: @Sendable (RoomChange) -> Void

    init(
        _ size: Room.Size,
        turns: @escaping Turns,
        onChange: @escaping @Sendable (RoomChange) -> Void
    ) {
        room = Mutex(Room(size))
        crowd = Mutex(Crowd())
        self.turns = turns
        self.onChange = onChange
    }

    func enter(_ handle: QueryHandle, about name: DomainName, asked: Int, isOptional: Bool) -> Room.Admission {
        let now = NIODeadline.now()
        return room.withLock { $0.enter(handle, about: name, asked: asked, isOptional: isOptional, at: now) }
    }

    func join(_ handle: QueryHandle, asked: Int) {
        room.withLock { $0.join(handle, asked: asked) }
    }

    func leave(_ handle: QueryHandle, isAnswered: Bool) {
        run(room.withLock { $0.leave(handle, isAnswered: isAnswered) })
    }

    func linger(_ handle: QueryHandle) {
        let now = NIODeadline.now()
        run(room.withLock { $0.linger(handle, at: now) })
    }

    func resize(_ size: Room.Size) {
        run(room.withLock { $0.resize(size) })
    }

    func isWaiting(_ handle: QueryHandle) -> Bool { room.withLock { $0.isWaiting(handle) } }

    /// Advances the time.
    ///
    /// - Returns: whether the method must be called again soon.
    func tick() -> Bool {
        let now = NIODeadline.now()
        let (turn, wait, unserved, count) = room.withLock { room in
            (room.tick(at: now), room.longestWait(at: now), room.unserved, room.waitingCount)
        }
        run(turn)
        let (change, isCrowded) = crowd.withLock { crowd in
            (crowd.tick(longestWait: wait, unserved: unserved, at: now), crowd.isCrowded)
        }
        switch change {
        case .began: onChange(.began(waiting: count, mostWanted: room.withLock { $0.mostWanted?.name }))
        case .ended(let after, let unserved): onChange(.ended(after: after, unserved: unserved))
        case nil: break
        }
        return count > 0 || isCrowded
    }

    /// How many questions wait, and how many have had no room so far.
    var statistics: (waiting: Int, unserved: Int) { room.withLock { ($0.waitingCount, $0.unserved) } }

    private func run(_ turn: Room.Turn) {
        guard !turn.begin.isEmpty || !turn.end.isEmpty else { return }
        turns(turn)
    }
}

/// A change in the room for lookups.
public enum RoomChange: Hashable, Sendable {
    /// Lookups must wait: their number, and the name below which most of their names lie.
    case began(waiting: Int, mostWanted: DomainName?)
    /// Lookups no longer wait; `unserved` of them were given up meanwhile.
    case ended(after: Duration, unserved: Int)
}

/// Decides when to report waiting: once when it becomes long, and once when it has not been long for a while.
struct Crowd {
    enum Change: Equatable {
        case began
        case ended(after: Duration, unserved: Int)
    }

    private static let longWait = TimeAmount.seconds(1)
    private static let quiet = TimeAmount.seconds(30)

    private var began: (time: NIODeadline, unserved: Int)?
    private var lastSeen = NIODeadline.now()

    var isCrowded: Bool { began != nil }

    mutating func tick(longestWait: TimeAmount, unserved: Int, at now: NIODeadline) -> Change? {
        let isLong = longestWait >= Self.longWait
        if isLong { lastSeen = now }
        guard let began else {
            guard isLong else { return nil }
            self.began = (now, unserved)
            return .began
        }
        guard now - lastSeen >= Self.quiet else { return nil }
        self.began = nil
        return .ended(after: Duration(lastSeen - began.time), unserved: unserved - began.unserved)
    }
}
