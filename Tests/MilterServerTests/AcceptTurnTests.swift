import Synchronization
import Testing

@testable import MilterServer

@Suite("Accepting")
struct AcceptTurnTests {
    /// Loops that accept from one socket.
    private final class Loops: Sendable {
        private let shares: LoopShares
        private let turn: AcceptTurn
        private let resumed = Mutex<[Int]>([])

        init(_ count: Int) {
            shares = LoopShares(loops: count)
            turn = AcceptTurn(shares)
        }

        /// The loops that were told of their turn since the last call.
        func takeResumed() -> [Int] {
            resumed.withLock { loops in
                defer { loops = [] }
                return loops
            }
        }

        /// Whether a loop may accept.
        func mayAccept(_ loop: Int) -> Bool {
            turn.mayAccept(on: loop) { [self] in resumed.withLock { $0.append(loop) } }
        }

        func count(_ difference: Int, on loop: Int) { shares.count(difference, on: loop) }

        func leave(_ loop: Int) { turn.leave(loop) }
    }

    @Test("a loop keeps its turn until it is further ahead than it may be")
    func turns() {
        let loops = Loops(2)
        #expect(loops.mayAccept(0) && !loops.mayAccept(1))
        loops.count(AcceptTurn.lead, on: 0)
        #expect(loops.mayAccept(0))
        loops.count(1, on: 0)
        #expect(!loops.mayAccept(0))
        #expect(loops.takeResumed() == [1])
        for _ in 0..<2 * AcceptTurn.lead + 1 {
            #expect(loops.mayAccept(1))
            loops.count(1, on: 1)
        }
        #expect(loops.mayAccept(1) && loops.takeResumed().isEmpty)
        loops.count(1, on: 1)
        #expect(!loops.mayAccept(1))
        #expect(loops.takeResumed() == [0])
    }

    @Test("of those that wait, the one with the fewest is next")
    func fewest() {
        let loops = Loops(3)
        loops.count(9, on: 0)
        loops.count(5, on: 1)
        #expect(loops.mayAccept(0) && !loops.mayAccept(1))
        // The third has not asked: nobody waits for it.
        #expect(!loops.mayAccept(0))
        #expect(loops.takeResumed() == [1])
        #expect(!loops.mayAccept(2))
        #expect(!loops.mayAccept(1))
        #expect(loops.takeResumed() == [2])
        #expect(loops.mayAccept(2))
    }

    @Test("a loop that ends passes its turn on, and gets none any more")
    func leaving() {
        let loops = Loops(2)
        #expect(loops.mayAccept(0) && !loops.mayAccept(1))
        loops.leave(0)
        #expect(loops.takeResumed() == [1])
        loops.count(9, on: 1)
        #expect(loops.mayAccept(1))
        loops.leave(1)
        #expect(loops.takeResumed().isEmpty)
        #expect(loops.mayAccept(0))
    }

    @Test("the only loop always accepts")
    func alone() {
        let loops = Loops(1)
        loops.count(100, on: 0)
        #expect(loops.mayAccept(0))
    }
}
