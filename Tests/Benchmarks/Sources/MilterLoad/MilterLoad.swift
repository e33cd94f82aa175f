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
            done, and latency counts from when a message was due.
            """
    )

    @Argument(help: "The file with envelopes and paths.")
    var scenario: String
    @Option(help: "unix:PATH or HOST:PORT.")
    var target: String
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
    @Option(help: "The daemon's process, to report what it uses.")
    var process: Int32?
    @Option(help: "A name for this run.")
    var label = "run"
    @Option(help: "Threads of the load program.")
    var threads = 1
    @Flag(help: "Print a line of JSON.")
    var json = false

    func run() async throws {
        let work = Work(
            try Message.scenario(at: scenario),
            total: count,
            seconds: seconds,
            rate: rate,
            messagesPerConnection: messagesPerConnection
        )
        let group = MultiThreadedEventLoopGroup(numberOfThreads: threads)
        let before = process.flatMap { ProcessSample(process: $0) }
        let sampler = Task { await peakResident() }
        let results = try await send(work, on: group)
        let elapsed = work.elapsed
        let after = process.flatMap { ProcessSample(process: $0) }
        sampler.cancel()
        let peak = max(await sampler.value, after?.residentKiB ?? 0)
        try await group.shutdownGracefully()
        let report = report(results, elapsed: elapsed, before: before, after: after, peak: peak)
        print(json ? report.json : report.text)
    }

    private func send(_ work: Work, on group: MultiThreadedEventLoopGroup) async throws -> Results {
        let address = try address()
        let loops = Array(group.makeIterator())
        var futures = [EventLoopFuture<Results>]()
        for (index, loop) in loops.enumerated() {
            let count = concurrency / loops.count + (index < concurrency % loops.count ? 1 : 0)
            let promises = (0..<count).map { _ in loop.makePromise(of: Results.self) }
            futures += promises.map { $0.futureResult }
            loop.execute {
                let scripts = ScriptCache()
                for promise in promises {
                    Client(work, address: address, scripts: scripts, eventLoop: loop, finished: promise).next()
                }
            }
        }
        var results = Results()
        for future in futures { results.merge(try await future.get()) }
        return results
    }

    private func address() throws -> SocketAddress {
        if target.hasPrefix("unix:") { return try SocketAddress(unixDomainSocketPath: String(target.dropFirst(5))) }
        guard let colon = target.lastIndex(of: ":"), let port = Int(target[target.index(after: colon)...]) else {
            throw ValidationError("--target is unix:PATH or HOST:PORT")
        }
        return try SocketAddress(ipAddress: String(target[..<colon]), port: port)
    }

    /// Looks at the daemon's memory from time to time, until cancelled.
    private func peakResident() async -> Int {
        var peak = 0
        while let process, !Task.isCancelled {
            peak = max(peak, ProcessSample(process: process)?.residentKiB ?? 0)
            try? await Task.sleep(for: .milliseconds(100))
        }
        return peak
    }

    private func report(
        _ results: Results,
        elapsed: Double,
        before: ProcessSample?,
        after: ProcessSample?,
        peak: Int
    ) -> Report {
        let count = results.total.count
        var cpu: Double?
        if let before, let after, count > 0 { cpu = (after.cpuSeconds - before.cpuSeconds) / Double(count) * 1000 }
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
            cpuSecondsPerThousand: cpu,
            residentKiB: after?.residentKiB,
            peakResidentKiB: process == nil ? nil : peak,
            anonymousKiB: after?.anonymousKiB,
            threads: after?.threads
        )
    }
}
