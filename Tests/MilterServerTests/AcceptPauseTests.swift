import Glibc
import NIOCore
import NIOEmbedded
import Testing

@testable import MilterServer

@Suite("Accepting without a file descriptor")
struct AcceptPauseTests {
    /// Whether the channel reads by itself after each step: the error, 0.9 s, 0.2 s more.
    private func reads(after error: any Error, makesRoom: Bool = false) throws -> [Bool] {
        let channel = EmbeddedChannel()
        try channel.pipeline.syncOperations.addHandler(AcceptPauseHandler { makesRoom })
        var isReading = true
        func step(_ amount: TimeAmount) -> Bool {
            channel.embeddedEventLoop.advanceTime(by: amount)
            for case let (option as ChannelOptions.Types.AutoReadOption, value as Bool) in channel.options {
                _ = option
                isReading = value
            }
            return isReading
        }
        channel.pipeline.fireErrorCaught(error)
        return [step(.zero), step(.milliseconds(900)), step(.milliseconds(200))]
    }

    @Test("it waits a second, and not where a descriptor is freed, nor for what concerns one connection")
    func pause() throws {
        for code in [EMFILE, ENFILE, ENOBUFS, ENOMEM] {
            #expect(try reads(after: IOError(errnoCode: code, reason: "accept")) == [false, false, true])
        }
        #expect(try reads(after: IOError(errnoCode: EMFILE, reason: "accept"), makesRoom: true) == [true, true, true])
        #expect(try reads(after: IOError(errnoCode: ECONNABORTED, reason: "accept")) == [true, true, true])
        #expect(try reads(after: ChannelError.operationUnsupported) == [true, true, true])
    }

    @Test("it is told at once, and then once a minute with how often it happened")
    func notices() {
        var notice = OccasionalNotice()
        let start = NIODeadline.now()
        let told = [0, 1, 59, 60, 61, 130].map { notice.count(at: start + .seconds($0)) }
        #expect(told == [1, nil, nil, 3, nil, 2])
    }
}
