internal import ArgumentParser

/// `postern why`.
struct WhyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Tell why a message got its verdict.",
        discussion: """
            The daemon remembers its last verdicts other than a clean pass ([why] history) with what they rest on.
            """
    )

    @Argument(help: "The message's queue ID, as the log shows it.")
    var queueID: String

    @Flag(name: .long, help: "Judge it again by the present configuration, from the answers recorded then.")
    var replay = false

    @OptionGroup var control: ControlOptions

    func validate() throws {
        guard !queueID.isEmpty, queueID.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") }) else {
            throw ValidationError("'\(queueID)' is no queue ID: expected letters and digits, such as 4XyZ1")
        }
    }

    func run() async throws {
        try await control.ask("GET", (replay ? "/why/replay/" : "/why/") + queueID)
    }
}
