internal import ArgumentParser
internal import CommandSupport
internal import FoundationEssentials
internal import Glibc
internal import PosternDaemon

/// The options for finding the running daemon.
struct ControlOptions: ParsableArguments {
    @Option(name: .long, help: "The daemon's control socket, as [admin] control names it.")
    var control = "/run/postern/control.sock"

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
            var target = URLComponents()
            target.path = path
            let items = query.filter { $0.value != nil }.map { URLQueryItem(name: $0.name, value: $0.value) }
            target.queryItems = items.isEmpty ? nil : items
            let reply = try await AdminClient(socket: control).request(method, target.string ?? path)
            guard reply.succeeded else {
                for line in reply.text.split(separator: "\n") { Report.print(String(line)) }
                throw ExitCode.failure
            }
            try Colours.write(reply.text)
        } catch let error as AdminClient.Unreachable {
            Report.write("\(error)")
            throw ExitCode(EX_UNAVAILABLE)
        }
    }
}
