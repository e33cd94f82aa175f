internal import ArgumentParser
internal import Glibc
internal import PosternDaemon

/// The options for finding the running daemon.
struct ControlOptions: ParsableArguments {
    @Option(name: .long, help: "The daemon's control socket, as [admin] control names it.")
    var control = "/run/postern/control.sock"

    /// Sends a request to the daemon and prints its reply.
    ///
    /// Ends the process with 69 (EX_UNAVAILABLE) when no daemon answers, and with 1 when the daemon refuses.
    func ask(_ method: String, _ target: String) async throws {
        do {
            let reply = try await AdminClient(socket: control).request(method, target)
            guard reply.succeeded else {
                for line in reply.text.split(separator: "\n") { Report.print(String(line)) }
                throw ExitCode.failure
            }
            print(reply.text, terminator: "")
        } catch let error as AdminClient.Unreachable {
            Report.write("\(error)")
            throw ExitCode(EX_UNAVAILABLE)
        }
    }
}
