internal import ArgumentParser
internal import CommandSupport
internal import Glibc
internal import MailSyntax

/// `postern status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Say what the running daemon is doing."
    )

    @Flag(help: "Print a JSON object on a line.")
    var json = false

    @Flag(help: "Say it again every SECONDS, until it is interrupted.")
    var watch = false

    @Argument(help: ArgumentHelp("How long --watch waits; 2 by default.", valueName: "seconds"))
    var interval: Int?

    @OptionGroup var control: ControlOptions

    func validate() throws {
        guard let interval else { return }
        guard watch else { throw ValidationError("'\(interval)': seconds are for --watch alone") }
        guard (1...86_400).contains(interval) else {
            throw ValidationError("--watch: \(interval) is not in 1 to 86400")
        }
    }

    func run() async throws {
        var isFirst = true
        repeat {
            if watch, !json, isatty(STDOUT_FILENO) == 1 {
                // The cursor goes home, and the screen is cleared (ECMA-48 §§ 8.3.21, 8.3.39).
                try OutputFile.writeToStandardOutput(Array("\u{1B}[H\u{1B}[2J".utf8))
            } else if !isFirst, !json {
                try OutputFile.writeToStandardOutput([.lf])
            }
            try await control.ask("GET", "/status", [("format", json ? "json" : nil)])
            isFirst = false
            if watch { try await Task.sleep(for: .seconds(interval ?? 2)) }
        } while watch
    }
}
