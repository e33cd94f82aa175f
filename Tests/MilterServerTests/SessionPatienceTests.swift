import NIOCore
import Testing

@testable import MilterServer

@Suite("Until when a silent connection is kept")
struct SessionPatienceTests {
    private static let start = NIODeadline.uptimeNanoseconds(0)

    private static func patience() -> SessionPatience {
        var configuration = MilterServerConfiguration(listeners: [])
        configuration.commandTimeout = .seconds(300)
        configuration.idleTimeout = .seconds(7500)
        return SessionPatience(configuration, now: start)
    }

    @Test("the first packet, and one that is begun, have the time of a command; what comes octet by octet gets no more")
    func begun() {
        var patience = Self.patience()
        #expect(patience.closingTime == Self.start + .seconds(300))
        patience.note(now: Self.start + .seconds(10))
        patience.notePacket(isBegun: false, isAnother: true)
        #expect(patience.closingTime == Self.start + .seconds(7510))
        patience.note(now: Self.start + .seconds(20))
        patience.notePacket(isBegun: true, isAnother: false)
        #expect(patience.closingTime == Self.start + .seconds(320))
        patience.note(now: Self.start + .seconds(200))
        patience.notePacket(isBegun: true, isAnother: false)
        #expect(patience.closingTime == Self.start + .seconds(320))
        patience.notePacket(isBegun: true, isAnother: true)
        #expect(patience.closingTime == Self.start + .seconds(500))
    }

    @Test("it is looked at often enough to notice that the time has moved to the front")
    func looks() {
        var patience = Self.patience()
        patience.notePacket(isBegun: false, isAnother: true)
        #expect(patience.nextLook(now: Self.start, isWaiting: false) == Self.start + .seconds(300))
        patience.notePacket(isBegun: true, isAnother: true)
        let later = Self.start + .seconds(290)
        #expect(patience.nextLook(now: later, isWaiting: false) == Self.start + .seconds(300))
        #expect(patience.nextLook(now: later, isWaiting: true) == Self.start + .seconds(590))
    }
}
