internal import ArgumentParser
internal import CommandSupport
internal import Glibc
internal import PosternConfiguration
internal import PosternDaemon

/// `postern serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Run the mail filter in the foreground."
    )

    @Option(name: .long, help: "The configuration file.")
    var config = Configuration.standardPath

    @Flag(
        name: .long,
        help:
            "Take the unix sockets over from a daemon that is running, as an upgrade does; without it that is an error."
    )
    var takeOver = false

    func run() async throws {
        Allocator.returnFreeMemory()
        do {
            try await Daemon(configurationPath: config).run(takingOver: takeOver)
        } catch let error as ConfigurationError {
            for problem in error.problems { Report.print("\(problem)") }
            throw ExitCode(EX_CONFIG)
        }
    }
}
