internal import Logging
internal import MilterServer
internal import ServiceLifecycle

/// Watches the files of our sockets, and logs when a file is lost: mail servers can then no longer find us at its path.
struct SocketWatch: Service {
    private static let interval = Duration.seconds(60)

    let files: [SocketFile]
    let logger: Logger

    func run() async throws {
        await cancelWhenGracefulShutdown {
            var told: [String?] = files.map { _ in nil }
            while (try? await Task.sleep(for: Self.interval)) != nil { look(&told) }
        }
    }

    /// Logs the changes since the last check.
    private func look(_ told: inout [String?]) {
        for (index, file) in files.enumerated() {
            let loss = file.loss
            guard loss != told[index] else { continue }
            told[index] = loss
            if let loss {
                logger.error("\(loss)")
            } else {
                logger.notice("\(file.path) is there again")
            }
        }
    }
}

extension SocketFile {
    /// The loss of the file in words; nil while the file is in place.
    var loss: String? {
        switch condition {
        case .inPlace, nil: nil
        case .gone: "the socket \(path) is gone, so nobody can connect to it: restart postern"
        case .replaced: "another process has taken the socket \(path), so connections go there: stop one of the two"
        }
    }
}
