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
    /// When the daemon began.
    private let since = Clock.now
    /// How many messages a second there are.
    let rate: MessageRate

    init(filter: Filter, milter: MilterServer, reloader: Reloader) {
        self.filter = filter
        self.milter = milter
        self.reloader = reloader
        rate = MessageRate(filter.counters)
    }

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
        case (.GET, "/status"): return status(request)
        case (.GET, let path) where path == "/why" || path.hasPrefix("/why/"): return await why(request)
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
    private func why(_ asked: AdminRequest) async -> AdminResponse {
        guard let request = WhyRequest(asked) else {
            return AdminResponse(status: .badRequest, body: "this cannot be asked: \(asked.path)\n")
        }
        let messages = filter.history.messages { request.wants($0) }
        guard !messages.isEmpty else {
            let capacity = filter.setup.configuration.why.history
            return AdminResponse(status: .notFound, body: request.refusal(capacity: capacity))
        }
        let setup = filter.setup
        let chosen = messages.prefix(request.most)
        var stories = [Story]()
        for message in chosen { stories.append(request.isReplay ? await message.replay(by: setup) : message.story) }
        if request.isJSON { return .json(stories.map(WhyReport.init)) }
        var text = stories.map(\.text).joined(separator: "\n")
        if chosen.count < messages.count {
            text += "\n\(chosen.count) of \(Counted.words(messages.count, "message")); --last shows more\n"
        }
        return AdminResponse(body: text)
    }
}

// MARK: Status

extension AdminRouter {
    private func status(_ request: AdminRequest) -> AdminResponse {
        let status = DaemonStatus(filter, milter, since: since, rate: rate.perSecond, lastReload: reloader.last)
        if request.query["format"] == "json" { return .json([status]) }
        return AdminResponse(body: status.text(resolver: filter.setup.resolver.statusLines))
    }
}

extension AdminResponse {
    static let notFound = AdminResponse(status: .notFound, body: "not found\n")
    static let notAllowed = AdminResponse(status: .methodNotAllowed, body: "method not allowed\n")
}
