internal import NIOCore
import Synchronization

/// How many connections each event loop has; loops are identified by their numbers.
final class LoopShares: Sendable {
    private let connections: Mutex<[Int]>

    /// The counts for this many loops.
    init(loops: Int) {
        connections = Mutex(Array(repeating: 0, count: loops))
    }

    /// Counts a connection of a loop: 1 for a new connection, -1 for a closed connection.
    func count(_ difference: Int, on loop: Int) {
        connections.withLock { $0[loop] += difference }
    }

    /// The least loaded of the other loops, if this loop is further ahead of it than `lead`; otherwise this loop.
    func next(after loop: Int, of others: some Sequence<Int>, lead: Int) -> Int {
        connections.withLock { connections in
            let fewest = others.min { connections[$0] < connections[$1] } ?? loop
            return connections[loop] > connections[fewest] + lead ? fewest : loop
        }
    }
}

/// Decides which loop may accept from a listening socket: one loop at a time.
///
/// A connection stays on the loop that accepts it, which avoids a transfer to another loop. A loop passes on the turn
/// when it has more connections than another waiting loop. If all loops waited at the socket, each connection would
/// wake them all, and among idle loops the same loop would accept nearly every connection.
final class AcceptTurn: Sendable {
    /// How many connections a loop may be ahead of the least loaded loop and still keep its turn, in which it takes a
    /// few.
    static let lead = 2

    private struct State {
        /// The loop that has the turn; nil when the first loop that asks gets it.
        var turn: Int?
        /// The actions of the waiting loops when they get their turn.
        var waiting: [Int: @Sendable () -> Void] = [:]

        /// Removes and returns the action of the loop that has the turn now, if it waits.
        mutating func resumeNext() -> (@Sendable () -> Void)? { turn.flatMap { waiting.removeValue(forKey: $0) } }
    }

    private let shares: LoopShares
    private let state = Mutex(State())

    /// The turns at a socket.
    init(_ shares: LoopShares) {
        self.shares = shares
    }

    /// Whether a loop may accept now; if it may not, `resume` is called when its turn comes.
    func mayAccept(on loop: Int, orElse resume: @escaping @Sendable () -> Void) -> Bool {
        let (mayAccept, resumed) = state.withLock { state in
            let turn = state.turn ?? loop
            state.turn = turn == loop ? shares.next(after: loop, of: state.waiting.keys, lead: Self.lead) : turn
            guard state.turn != loop else { return (true, (@Sendable () -> Void)?.none) }
            state.waiting[loop] = resume
            return (false, state.resumeNext())
        }
        resumed?()
        return mayAccept
    }

    /// Passes on the turn of a loop that no longer accepts.
    func leave(_ loop: Int) {
        let resumed = state.withLock { state in
            state.waiting[loop] = nil
            if state.turn == loop { state.turn = state.waiting.keys.first }
            return state.resumeNext()
        }
        resumed?()
    }
}

/// Lets a listening channel accept only when its loop has the turn.
final class AcceptTurnHandler: ChannelOutboundHandler {
    typealias OutboundIn = Never

    private let turn: AcceptTurn
    private let loop: Int

    /// The handler for the channel on the loop with this number.
    init(_ turn: AcceptTurn, loop: Int) {
        self.turn = turn
        self.loop = loop
    }

    func read(context: ChannelHandlerContext) {
        let bound = context.loopBound
        let eventLoop = context.eventLoop
        let mayAccept = turn.mayAccept(on: loop) { eventLoop.execute { bound.value.channel.pipeline.read() } }
        if mayAccept { context.read() }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        turn.leave(loop)
    }
}
