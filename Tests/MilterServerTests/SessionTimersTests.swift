import NIOCore
import NIOEmbedded
import Testing

@testable import MilterServer

@Suite("Timers of a connection")
struct SessionTimersTests {
    /// What a test does, and what it sees.
    private final class Connection {
        let loop = EmbeddedEventLoop()
        let timers: SessionTimers
        var isWaiting = false
        var events = [String]()

        init() {
            var configuration = MilterServerConfiguration(listeners: [])
            configuration.commandTimeout = .seconds(300)
            configuration.idleTimeout = .seconds(7500)
            configuration.progressInterval = .seconds(5)
            timers = SessionTimers(configuration, on: loop)
            timers.start(isWaiting: { self.isWaiting }, close: { self.events.append("close") })
        }

        func pass(_ seconds: Int64) -> [String] {
            loop.advanceTime(by: .seconds(seconds))
            defer { events = [] }
            return events
        }
    }

    @Test("a connection that says nothing is closed, once")
    func closes() {
        let connection = Connection()
        #expect(connection.pass(299) == [])
        #expect(connection.pass(1) == ["close"])
        #expect(connection.pass(100_000) == [])
    }

    @Test("what is said gives it more time, and a packet that is begun less")
    func activity() {
        let connection = Connection()
        connection.timers.notePacket(isBegun: false, isAnother: true)
        #expect(connection.pass(7000) == [])
        connection.timers.note()
        #expect(connection.pass(7499) == [])
        connection.timers.note()
        connection.timers.notePacket(isBegun: true, isAnother: true)
        #expect(connection.pass(300) == ["close"])
    }

    @Test("while the MTA waits for an answer it is not closed")
    func waiting() {
        let connection = Connection()
        connection.isWaiting = true
        #expect(connection.pass(100_000) == [])
        connection.isWaiting = false
        #expect(connection.pass(300) == ["close"])
    }

    @Test("the MTA hears that work goes on until the verdict is there, or the connection is closed")
    func progress() {
        let connection = Connection()
        connection.isWaiting = true
        connection.timers.startProgress { connection.events.append("progress") }
        #expect(connection.pass(14) == ["progress", "progress"])
        connection.timers.stopProgress()
        #expect(connection.pass(60) == [])
        connection.timers.startProgress { connection.events.append("progress") }
        #expect(connection.pass(5) == ["progress"])
        connection.isWaiting = false
        connection.timers.end()
        #expect(connection.pass(100_000) == [])
    }
}
