import ArgumentParser
import Foundation
import NIOCore
import NIOPosix

/// Measures the parts that every message passes.
@main
struct MicroBenchmarks: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "micro-benchmarks",
        abstract: "Measure the parts that every message passes.",
        discussion: """
            Without options, prints times. With --times, repeats one benchmark that often and prints nothing: \
            `instructions` runs it so below callgrind, twice, and divides the difference.
            """
    )

    @Argument(help: "The names of benchmarks; by default all but those of growth.")
    var names: [String] = []
    @Option(help: "Repeat exactly this often.")
    var times: Int?
    @Flag(help: "Print names and how often to repeat them.")
    var list = false

    func validate() throws {
        let known = (Benchmark.all + Benchmark.growth).map { $0.name }
        if let name = names.first(where: { !known.contains($0) }) { throw ValidationError("no benchmark \(name)") }
    }

    // The main thread waits: an asynchronous main function ends it, which callgrind does not survive.
    func run() throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        try loop.makeFutureWithTask { try await runAll() }.wait()
    }

    private func runAll() async throws {
        let chosen = (Benchmark.all + Benchmark.growth).filter { names.contains($0.name) }
        for benchmark in names.isEmpty ? Benchmark.all : chosen {
            if list {
                print(benchmark.name, benchmark.count)
            } else if let times {
                _ = try await repeating(try await benchmark.body(), times)
            } else {
                try await measure(benchmark)
            }
        }
    }

    /// Prints the best of five runs of about 100 ms each.
    private func measure(_ benchmark: Benchmark) async throws {
        let body = try await benchmark.body()
        var times = 1
        while times < 1 << 24, try await repeating(body, times) < .milliseconds(100) { times *= 2 }
        var best = Double.infinity
        for _ in 0..<5 { best = min(best, try await repeating(body, times) / .nanoseconds(times)) }
        let name = benchmark.name.padding(toLength: 32, withPad: " ", startingAt: 0)
        let rate = benchmark.octets.map { String(format: "%8.2f GB/s", Double($0) / best) } ?? ""
        print(name + String(format: "%12.0f ns %8.1f MiB", best, residentMiB) + rate)
    }

    /// The memory of this process.
    private var residentMiB: Double {
        // proc(5): the second number of statm is the resident set in pages.
        let statistics = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
        let pages = statistics.split(separator: " ").dropFirst().first.flatMap { Double($0) } ?? 0
        return pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576
    }
}
