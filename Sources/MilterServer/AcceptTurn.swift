internal import NIOCore
import Synchronization

/// How many connections each event loop has; loops are known by their numbers.
final class LoopShares: Sendable {
    private let connections: Mutex<[Int]>

    /// Shares of this many loops.
    init(loops: Int) {
        connections = Mutex(Array(repeating: 0, count: loops))
    }

    /// Counts a connection of a loop: 1 for one that begins, -1 for one that ends.
    func count(_ difference: Int, on loop: Int) {
        connections.withLock { $0[loop] += difference }
    }

    /// Of some loops the one with the fewest connections, if this one is further ahead of it than it may be; else this one.
    func next(after loop: Int, of others: some Sequence<Int>, lead: Int) -> Int {
        connections.withLock { connections in
            let fewest = others.min { connections[$0] < connections[$1] } ?? loop
            return connections[loop] > connections[fewest] + lead ? fewest : loop
        }
    }
}

/// Whose turn it is to accept from a listening socket: one loop's at a time.
///
/// A connection stays on the loop that accepts it, which spares it the way to another one. A loop passes the turn on when it
/// has more connections than another that waits for it. If all waited at the socket, each connection would wake them all,
/// and of idle ones the same would take nearly every one.
final class AcceptTurn: Sendable {
    /// How many connections a loop may be ahead of the one with the fewest and still keep its turn, in which it takes a few.
    static let lead = 2

    private struct State {
        /// Whose turn it is; nil when it is that of whoever asks first.
        var turn: Int?
        /// What the loops that wait for their turn do then.
        var waiting: [Int: @Sendable () -> Void] = [:]

        /// Takes out whoever waits and has the turn now.
        mutating func resumeNext() -> (@Sendable () -> Void)? { turn.flatMap { waiting.removeValue(forKey: $0) } }
    }

    private let shares: LoopShares
    private let state = Mutex(State())

    /// The turns of a socket.
    init(_ shares: LoopShares) {
        self.shares = shares
    }

    /// Whether a loop may accept now; if not, `resume` is called when its turn comes.
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

    /// Passes on the turn of a loop that accepts no more.
    func leave(_ loop: Int) {
        let resumed = state.withLock { state in
            state.waiting[loop] = nil
            if state.turn == loop { state.turn = state.waiting.keys.first }
            return state.resumeNext()
        }
        resumed?()
    }
}

/// Has a listening channel accept when it is its loop's turn.
final class AcceptTurnHandler: ChannelOutboundHandler {
    typealias OutboundIn = Never

    private let turn: AcceptTurn
    private let loop: Int

    /// The handler of the channel on the loop with this number.
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
