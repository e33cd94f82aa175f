internal import ArgumentParser

/// `postern status`.
struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Say what the running daemon is doing."
    )

    @OptionGroup var control: ControlOptions

    func run() async throws {
        try await control.ask("GET", "/status")
    }
}
