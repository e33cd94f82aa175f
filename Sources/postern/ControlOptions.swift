internal import ArgumentParser
internal import CommandSupport
internal import FoundationEssentials
internal import Glibc
internal import PosternConfiguration
internal import PosternDaemon

/// The options for finding the running daemon.
struct ControlOptions: ParsableArguments {
    @Option(help: "The daemon's control socket; by default as --config says, else /run/postern/control.sock.")
    var control: String?

    @Option(help: ArgumentHelp("The configuration whose [admin] control counts.", valueName: "file"))
    var config: String?

    /// The path of the control socket; ends the command if the configuration cannot be read, or names none.
    private func socket() throws -> String {
        if let control { return control }
        guard let config else { return Configuration().admin.control }
        let reading = Configuration.read(path: config)
        guard let configuration = reading.configuration else {
            for problem in reading.problems { Report.print("\(problem)") }
            throw ConfigurationFile.invalid
        }
        guard !configuration.admin.control.isEmpty else {
            Report.print("\(config): admin.control: is empty, so that no command can ask the daemon")
            throw ExitCode(EX_UNAVAILABLE)
        }
        return configuration.admin.control
    }

    /// Sends a request to the daemon and prints its reply.
    ///
    /// Ends the process with 69 (EX_UNAVAILABLE) when no daemon answers, and with 1 when it says no.
    ///
    /// - Parameters:
    ///   - method: the method of HTTP.
    ///   - path: what is asked.
    ///   - query: names with values; those without a value are left off.
    func ask(_ method: String, _ path: String, _ query: [(name: String, value: String?)] = []) async throws {
        do {
            try await Colours.write(answer(method, path, query))
        } catch let refusal as ControlRefusal {
            refusal.report()
            throw refusal.code
        }
    }

    /// The daemon's reply to a request; a `ControlRefusal` when there is none, or it says no.
    ///
    /// - Parameters:
    ///   - method: the method of HTTP.
    ///   - path: what is asked.
    ///   - query: names with values; those without a value are left off.
    func answer(_ method: String, _ path: String, _ query: [(name: String, value: String?)]) async throws -> String {
        let socket = try socket()
        do {
            var target = URLComponents()
            target.path = path
            let items = query.filter { $0.value != nil }.map { URLQueryItem(name: $0.name, value: $0.value) }
            target.queryItems = items.isEmpty ? nil : items
            let reply = try await AdminClient(socket: socket).request(method, target.string ?? path)
            guard reply.succeeded else {
                throw ControlRefusal(lines: reply.text.split(separator: "\n").map(String.init), code: .failure)
            }
            return reply.text
        } catch let error as AdminClient.Unreachable {
            throw ControlRefusal(lines: ["postern: \(error)"], code: ExitCode(EX_UNAVAILABLE))
        }
    }
}

/// Why the daemon did not do what was requested.
struct ControlRefusal: Error {
    /// What to say.
    let lines: [String]
    /// How the command ends.
    let code: ExitCode

    /// Says why.
    func report() {
        for line in lines { Report.print(line) }
    }
}
