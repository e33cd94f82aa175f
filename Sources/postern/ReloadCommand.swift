internal import ArgumentParser

/// `postern reload`.
struct ReloadCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reload",
        abstract: "Have the running daemon read its configuration, keys and lists again.",
        discussion: "On any mistake the old configuration stays, the mistakes are printed, and the exit status is 1."
    )

    @OptionGroup var control: ControlOptions

    func run() async throws {
        try await control.ask("POST", "/reload")
    }
}
