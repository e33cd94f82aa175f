import ArgumentParser
import Foundation
import NIOCore
import NIOPosix

/// Replays messages to a milter as Postfix would, and says what that cost.
@main
struct MilterLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "milter-load",
        abstract: "Replay messages to a milter as Postfix would, and say what that cost.",
        discussion: """
            SCENARIO has one message a line, separated by tabs: id, client address, client name, HELO name, sender, \
            recipients (with commas), path. With --rate, messages arrive at that rate whether or not earlier ones are \
            done, and latency counts from when a message was due. With several targets, each message passes one after \
            the other, as with several filters of Postfix. A message that is not done three seconds after --seconds is \
            given up.
            """
    )

    @Argument(help: "The file with envelopes and paths.")
    var scenario: String
    @Option(help: "unix:PATH or HOST:PORT; may be given several times.")
    var target: [String]
    @Option(help: "How many messages are under way at a time.")
    var concurrency = 16
    @Option(help: "How many messages to send; by default each once, or as many as --seconds allows.")
    var count: Int?
    @Option(help: "How long to send.")
    var seconds: Double?
    @Option(help: "Messages a second to send.")
    var rate: Double?
    @Option(help: "How many messages one connection carries.")
    var messagesPerConnection = 1
    @Option(help: "A process of the daemon, to report what it uses; may be given several times.")
    var process: [Int32] = []
    @Option(help: "A name for this run.")
    var label = "run"
    @Option(help: "Threads of the load program.")
    var threads = 1
    @Flag(help: "Print a line of JSON.")
    var json = false
    @Flag(help: "Print a line as each message begins, and one with its verdict and its microseconds as it ends.")
    var trace = false

    func validate() throws {
        guard target.count == 1 || messagesPerConnection == 1 else {
            throw ValidationError("several targets take a message a connection")
        }
    }

    func run() async throws {
        let work = Work(
            try Message.scenario(at: scenario),
            total: count,
            seconds: seconds,
            rate: rate,
            messagesPerConnection: messagesPerConnection,
            trace: trace ? Self.say : nil
        )
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let before = Usage(of: process)
        let sampler = Task { await peakResident() }
        let results = try await send(work, on: group)
        let elapsed = work.elapsed
        let after = Usage(of: process)
        sampler.cancel()
        let peak = max(await sampler.value, after.daemon?.residentKiB ?? 0)
        try await group.shutdownGracefully()
        let report = report(results, elapsed: elapsed, before: before, after: after, peak: peak)
        print(json ? report.json : report.text)
    }

    @Sendable private static func say(_ line: String) {
        FileHandle.standardOutput.write(Data("\(line)\n".utf8))
    }

    private func send(_ work: Work, on group: MultiThreadedEventLoopGroup) async throws -> Results {
        let addresses = try target.map { try Self.address($0) }
        let loops = Array(group.makeIterator())
        var futures = [EventLoopFuture<Results>]()
        for (index, loop) in loops.enumerated() {
            let count = concurrency / loops.count + (index < concurrency % loops.count ? 1 : 0)
            let promises = (0..<count).map { _ in loop.makePromise(of: Results.self) }
            futures += promises.map { $0.futureResult }
            loop.execute {
                let scripts = ScriptCache()
                let clients = promises.map {
                    Client(work, addresses: addresses, scripts: scripts, eventLoop: loop, finished: $0)
                }
                for client in clients { client.next() }
                guard let time = work.giveUpTime else { return }
                loop.assumeIsolated().scheduleTask(deadline: time) {
                    for client in clients { client.giveUp() }
                }
            }
        }
        var results = Results()
        for future in futures { results.merge(try await future.get()) }
        return results
    }

    private static func address(_ target: String) throws -> SocketAddress {
        if target.hasPrefix("unix:") { return try SocketAddress(unixDomainSocketPath: String(target.dropFirst(5))) }
        guard let colon = target.lastIndex(of: ":"), let port = Int(target[target.index(after: colon)...]) else {
            throw ValidationError("--target is unix:PATH or HOST:PORT")
        }
        return try SocketAddress(ipAddress: String(target[..<colon]), port: port)
    }

    /// What daemon and load program have used so far.
    private struct Usage {
        let daemon: ProcessSample?
        let own: ProcessSample?

        init(of daemon: [Int32]) {
            self.daemon = ProcessSample(processes: daemon)
            own = ProcessSample(processes: [getpid()])
        }
    }

    /// Looks at the daemon's memory from time to time, until cancelled.
    private func peakResident() async -> Int {
        var peak = 0
        while !process.isEmpty, !Task.isCancelled {
            peak = max(peak, ProcessSample(processes: process)?.residentKiB ?? 0)
            try? await Task.sleep(for: .milliseconds(100))
        }
        return peak
    }

    private func report(
        _ results: Results,
        elapsed: Double,
        before: Usage,
        after: Usage,
        peak: Int
    ) -> Report {
        let count = results.total.count
        func perThousand(_ sample: (Usage) -> ProcessSample?) -> Double? {
            guard let before = sample(before), let after = sample(after), results.completed > 0 else { return nil }
            return (after.cpuSeconds - before.cpuSeconds) / Double(results.completed) * 1000
        }
        return Report(
            label: label,
            concurrency: concurrency,
            messagesPerConnection: messagesPerConnection,
            messages: count,
            seconds: elapsed,
            messagesPerSecond: Double(count) / max(elapsed, 1e-9),
            endOfMessageMilliseconds: Percentiles(microseconds: results.endOfMessage),
            totalMilliseconds: Percentiles(microseconds: results.total),
            verdicts: results.verdicts,
            errors: results.errors,
            cpuSecondsPerThousand: perThousand { $0.daemon },
            ownCPUSecondsPerThousand: perThousand { $0.own },
            residentKiB: after.daemon?.residentKiB,
            peakResidentKiB: process.isEmpty ? nil : peak,
            anonymousKiB: after.daemon?.anonymousKiB,
            threads: after.daemon?.threads
        )
    }
}
