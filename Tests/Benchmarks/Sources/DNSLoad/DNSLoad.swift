import ArgumentParser
import DNSLookup
import DNSResolver
import Glibc
import MailSyntax
import NIOPosix
import Synchronization

/// Asks a resolver as fast as it answers, and says what that cost.
@main
struct DNSLoad: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "DNSLoad",
        abstract: "Measure lookups: warm from the cache, cold from a name server, or mixed under a small cache.",
        subcommands: [Warm.self, Cold.self, Soak.self]
    )
}

/// A name server, and the names to ask it for: it has to answer TXT for every name below the suffix.
struct Target: ParsableArguments {
    @Option(help: "The name server, as address:port.", transform: server)
    var server = NameServer(.v4(IPv4Address(0x7F00_0001)), port: 5300)

    @Option(help: "What the names end in.")
    var suffix = "load.test"

    private static func server(_ text: String) throws -> NameServer {
        guard let server = NameServer(text) else { throw ValidationError("\(text) is no address") }
        return server
    }

    func question(_ number: Int) throws -> DNSQuestion { DNSQuestion(try DomainName("n\(number).\(suffix)"), .txt) }
}

/// What the tasks of a run share.
final class Counters: Sendable {
    let next = Atomic(0)
    let failures = Atomic(0)
    let most = Mutex(ProcessState())
}

/// Lookups of names that the cache knows, from threads of their own.
struct Warm: AsyncParsableCommand {
    @OptionGroup var target: Target
    @Option(help: "How many threads.") var threads = 1
    @Option(help: "How many lookups each.") var count = 1_000_000
    @Option(help: "How many names.") var names = 1000

    func run() async throws {
        let resolver = CachingResolver(ResolverOptions(servers: [target.server]))
        let questions = try (0..<names).map(target.question)
        for question in questions { _ = try await resolver.lookUp(question).result.get() }
        let measure = Measure()
        let group = NIOThreadPool(numberOfThreads: threads)
        group.start()
        await withTaskGroup(of: Void.self) { tasks in
            for thread in 0..<threads {
                tasks.addTask {
                    _ = try? await group.runIfActive {
                        var index = thread &* 7919
                        for _ in 0..<count {
                            index = (index &+ 1) % questions.count
                            guard resolver.answerAtHand(questions[index]) != nil else { fatalError("not warm") }
                        }
                    }
                }
            }
        }
        measure.report("warm, \(threads) threads", lookups: count * threads)
        try await group.shutdownGracefully()
        let suspending = Measure()
        for index in 0..<count { _ = await resolver.lookUp(questions[index % questions.count]) }
        suspending.report("warm, by lookUp, 1 task", lookups: count)
        await resolver.shutdown()
    }
}

/// Lookups that all go to the server, a number of them at a time.
struct Cold: AsyncParsableCommand {
    @OptionGroup var target: Target
    @Option(help: "How many at a time.") var concurrency = 1
    @Option(help: "How many lookups.") var count = 100_000

    func run() async throws {
        let resolver = CachingResolver(ResolverOptions(servers: [target.server]))
        let counters = Counters()
        let measure = Measure()
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<concurrency {
                tasks.addTask {
                    while true {
                        let number = counters.next.add(1, ordering: .relaxed).oldValue
                        guard number < count, let question = try? target.question(number) else { return }
                        if case .failure = await resolver.lookUp(question).result {
                            counters.failures.add(1, ordering: .relaxed)
                        }
                    }
                }
            }
        }
        measure.report("cold, \(concurrency) at a time", lookups: count)
        let statistics = resolver.statistics
        print("  failures \(counters.failures.load(ordering: .relaxed)), sent \(statistics.queries)")
        await resolver.shutdown()
    }
}

/// Many lookups over many names with a small cache: what it holds, and whether it hits as a model says.
struct Soak: AsyncParsableCommand {
    @OptionGroup var target: Target
    @Option(help: "How many lookups.") var count = 1_000_000
    @Option(help: "Over how many names.") var names = 200_000
    @Option(help: "The cache's bound in MiB.") var cap = 16
    @Option(help: "How many at a time.") var concurrency = 64

    func run() async throws {
        var options = CacheOptions()
        options.maximumBytes = cap << 20
        options.refreshAhead = 0
        let resolver = CachingResolver(ResolverOptions(servers: [target.server]), cache: options)
        let counters = Counters()
        let before = ProcessState()
        counters.most.withLock { $0 = before }
        let measure = Measure()
        await withTaskGroup(of: Void.self) { tasks in
            for _ in 0..<concurrency {
                tasks.addTask {
                    while true {
                        let number = counters.next.add(1, ordering: .relaxed).oldValue
                        let name = Model.name(number, of: names)
                        guard number < count, let question = try? target.question(name) else { return }
                        if case .failure = await resolver.lookUp(question).result {
                            counters.failures.add(1, ordering: .relaxed)
                        }
                        if number % 10_000 == 0 {
                            let now = ProcessState()
                            counters.most.withLock { $0 = $0.most(now) }
                        }
                    }
                }
            }
        }
        measure.report("soak", lookups: count)
        let statistics = resolver.statistics
        let after = counters.most.withLock { $0 }
        let capacity = statistics.entries
        let model = Model.leastRecentlyUsed(lookups: count, names: names, capacity: capacity)
        print("  failures \(counters.failures.load(ordering: .relaxed)), joins \(statistics.joins)")
        print("  entries \(statistics.entries), octets \(statistics.bytes), cap \(cap << 20)")
        print("  resident before \(before.residentKiB) KiB, most \(after.residentKiB) KiB")
        print("  descriptors before \(before.descriptors), most \(after.descriptors)")
        print("  hits \(statistics.hits), by the model \(model.hits)")
        print("  evictions \(statistics.evictions), by the model \(model.evictions)")
        await resolver.shutdown()
        let allowed = before.residentKiB + (cap + 20) << 10
        let difference = Double(abs(statistics.hits - model.hits)) / Double(count)
        guard counters.failures.load(ordering: .relaxed) == 0, after.residentKiB <= allowed, difference < 0.01 else {
            throw ExitCode.failure
        }
    }
}
