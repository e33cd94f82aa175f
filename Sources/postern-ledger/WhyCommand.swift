internal import ArgumentParser
internal import CommandSupport
internal import Glibc
internal import Ledger
internal import MailSyntax
internal import PosternSetup
internal import RuleTrial

/// `postern why`, for messages that the daemon has forgotten.
struct WhyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "why",
        abstract: "Tell why a stored message got its verdict."
    )

    @Argument(help: "The message's queue ID, as the log shows it.")
    var queueID: String

    @Option(help: "How many messages at most, where several have had the queue ID.")
    var last = 10

    @Flag(name: .long, help: "Judge it again by the rules of the present configuration, from what is stored.")
    var replay = false

    @Flag(help: "Print the event of each message, or with --replay its new verdict, a JSON object on a line.")
    var json = false

    @OptionGroup var options: StoreOptions

    func validate() throws {
        guard last > 0 else { throw ValidationError("--last: \(last) is no number of messages; expected 1 or more") }
    }

    func run() throws {
        // What the daemon said, where "postern why" asked it first.
        let refusal = unsafe getenv("POSTERN_WHY_REFUSAL").map { unsafe String(cString: $0) }
        do {
            let stories = try stories()
            if refusal != nil { Report.print("(from the ledger)") }
            try write(stories)
        } catch let code as ExitCode {
            if let refusal { Report.print(refusal) }
            throw code
        }
    }

    private func stories() throws -> [StoredEvent] {
        let store = try options.openReadOnly()
        var filter = MessageFilter()
        filter.queueID = queueID
        var stories = [StoredEvent]()
        do {
            try store.events(filter, limit: last) {
                stories.append($0)
                return true
            }
        } catch let error as StoreError {
            try StoreProblem.reported { () throws(StoreError) in throw error }
        }
        guard !stories.isEmpty else {
            Report.write("no stored message has the queue ID '\(queueID)'")
            throw ExitCode.failure
        }
        return stories
    }

    private func write(_ stories: [StoredEvent]) throws {
        if replay {
            try write(stories, replayedBy: options.settings().trial)
        } else if json {
            try OutputFile.writeToStandardOutput(stories.flatMap { $0.json + [.lf] })
        } else {
            try Colours.write(stories.map { EventStory($0).text }.joined(separator: "\n"))
        }
    }

    private func write(_ stories: [StoredEvent], replayedBy trial: Trial) throws {
        let replays = stories.map { Replay(trial, StoredFacts($0.event)) }
        if json {
            for replay in replays { try OutputFile.writeToStandardOutput(JSONReport.line(replay)) }
        } else {
            let texts = zip(stories, replays).map { EventStory($0).text + $1.text }
            try Colours.write(texts.joined(separator: "\n"))
        }
    }
}
