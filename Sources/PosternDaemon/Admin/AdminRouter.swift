internal import MailAuthentication
internal import MailSyntax
internal import MilterServer
internal import NIOHTTP1
internal import Policy
internal import PosternConfiguration
internal import PosternSetup

/// Says what the daemon is doing, and does what it is told.
struct AdminRouter: Sendable {
    let filter: Filter
    let milter: MilterServer
    let reloader: Reloader

    /// What anybody may know who reaches the port: metrics and health.
    func answerPublic(_ request: AdminRequest) -> AdminResponse {
        guard request.method == .GET || request.method == .HEAD else { return .notAllowed }
        switch request.path {
        case "/metrics": return AdminResponse(contentType: "text/plain; version=0.0.4; charset=utf-8", body: metrics)
        case "/healthz": return AdminResponse(body: "ok\n")
        case "/readyz": return readiness
        default: return .notFound
        }
    }

    /// What the owner of the control socket may ask besides.
    func answerControl(_ request: AdminRequest) async -> AdminResponse {
        switch (request.method, request.path) {
        case (.POST, "/reload"): return reload()
        case (.GET, "/status"): return AdminResponse(body: status)
        case (.GET, let path) where path.hasPrefix("/why/replay/"): return await why(path.dropFirst(12), isReplay: true)
        case (.GET, let path) where path.hasPrefix("/why/"): return await why(path.dropFirst(5), isReplay: false)
        default: return answerPublic(request)
        }
    }

    private var readiness: AdminResponse {
        guard !milter.localAddresses.isEmpty else {
            return AdminResponse(status: .serviceUnavailable, body: "not listening\n")
        }
        let lost = milter.files.compactMap(\.loss)
        guard lost.isEmpty else {
            return AdminResponse(status: .serviceUnavailable, body: lost.joined(separator: "\n") + "\n")
        }
        guard filter.setup.resolver.isAnswering else {
            return AdminResponse(status: .serviceUnavailable, body: "DNS is not answering\n")
        }
        return AdminResponse(body: "ready\n")
    }

    private func reload() -> AdminResponse {
        do throws(ConfigurationError) {
            let warnings = try reloader.reload().map { "warning: \($0)\n" }
            return AdminResponse(body: "configuration reloaded\n" + warnings.joined())
        } catch {
            return AdminResponse(status: .badRequest, body: "\(error)\nThe old configuration stays in force.\n")
        }
    }
}

// MARK: Why

extension AdminRouter {
    private func why(_ queueID: Substring, isReplay: Bool) async -> AdminResponse {
        let messages = filter.history.messages(queueID: Array(queueID.utf8))
        guard !messages.isEmpty else {
            let text = """
                nothing is remembered of \(queueID): it passed cleanly, was signed rather than judged, or is not among the \
                last \(filter.setup.configuration.why.history) other messages ([why] history)

                """
            return AdminResponse(status: .notFound, body: text)
        }
        let setup = filter.setup
        var stories = [String]()
        for message in messages { stories.append(isReplay ? await message.replay(by: setup) : message.story) }
        return AdminResponse(body: stories.joined(separator: "\n"))
    }
}

// MARK: Status

extension AdminRouter {
    private var status: String {
        let values = filter.counters.values
        let statistics = milter.statistics
        let setup = filter.setup
        let sockets = setup.configuration.listen.map(\.socket.description).joined(separator: ", ")
        let messages = values.messages.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        let undecided = values.undecidedMessages.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }
        var lines = [
            "listening on    \(sockets)",
            "mode            \(setup.configuration.mode.rawValue), \(Counted.words(setup.engine.rules.count, "rule"))",
            "connections     \(statistics.openConnections) open, \(statistics.connections) in all, "
                + "\(statistics.refusedConnections) over the limit",
            "held            \(milter.memory.octets >> 10) KiB of \(milter.memory.limit >> 10) by messages in progress, "
                + "\(Counted.words(milter.memory.shortages, "time")) none left",
            "messages        \(messages.isEmpty ? "none yet" : messages.joined(separator: ", "))",
            "refused before  \(Counted.words(values.refusedRecipients, "recipient"))",
            "undecided       \(undecided.isEmpty ? "none" : undecided.joined(separator: ", "))"
                + " for want of an answer of the DNS",
            "put off         \(Counted.words(values.putOffMessages, "message")) to mixed recipients, "
                + "\(Counted.words(values.sentAwayRecipients, "recipient")) sent away, "
                + "\(Counted.words(filter.putOff.count, "sender")) remembered",
            "forged fields   \(values.forgedFields) removed",
            "lookups         \(values.lookups), \(values.cachedLookups) of them from the cache",
            "remembered      \(Counted.words(filter.history.count, "verdict")) for postern why",
            "reloads         \(values.reloads) done, \(values.failedReloads) failed",
        ]
        lines += milter.files.compactMap(\.loss).map { "  LOST          \($0)" }
        lines += setup.resolver.statusLines
        if filter.droppedLines > 0 {
            lines.append("log             \(Counted.words(filter.droppedLines, "line")) lost")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}

extension AdminResponse {
    static let notFound = AdminResponse(status: .notFound, body: "not found\n")
    static let notAllowed = AdminResponse(status: .methodNotAllowed, body: "method not allowed\n")
}
