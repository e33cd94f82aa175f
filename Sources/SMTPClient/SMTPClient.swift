public import NIOCore
internal import NIOPosix
internal import SystemPackage

/// Hands messages to one server, each over a connection of its own and without TLS: for the mail server of this host.
public struct SMTPClient: Sendable {
    private let server: SMTPServer
    private let hello: String
    private let timeouts: SMTPTimeouts
    private let group: any EventLoopGroup

    /// A client of a server.
    ///
    /// - Parameters:
    ///   - server: the server.
    ///   - hello: the name of this host, or its address literal, for EHLO.
    ///   - timeouts: how long each reply may take.
    ///   - group: the event loops of the connections.
    public init(
        _ server: SMTPServer,
        hello: String,
        timeouts: SMTPTimeouts = SMTPTimeouts(),
        group: any EventLoopGroup
    ) {
        self.server = server
        self.hello = hello
        self.timeouts = timeouts
        self.group = group
    }

    /// Hands a message over, and says what became of it.
    ///
    /// A cancelled task closes the connection.
    public func send(_ message: SMTPMessage) async -> SMTPOutcome {
        await play(SMTPDialogue(message, hello: hello))
    }

    /// Hears the server's greeting, and says QUIT.
    ///
    /// - Returns: the greeting as accepted, or what is wrong.
    public func greeting() async -> SMTPOutcome { await play(SMTPDialogue(nil, hello: hello)) }

    private func play(_ dialogue: SMTPDialogue) async -> SMTPOutcome {
        let channel: any Channel
        do {
            channel = try await connect()
        } catch {
            return .deferred(.unreachable(Self.words(error)), at: .connection)
        }
        return await withTaskCancellationHandler {
            await outcome(of: dialogue, on: channel)
        } onCancel: {
            channel.close(promise: nil)
        }
    }

    /// Connects; nothing is read yet, so that no reply is lost before somebody listens.
    private func connect() async throws -> any Channel {
        let bootstrap = ClientBootstrap(group: group)
            .connectTimeout(TimeAmount(timeouts.connection))
            .channelOption(.autoRead, value: false)
        // An address needs no resolver, which would be asked in a thread of its own.
        if let address = try? SocketAddress(ipAddress: server.host, port: Int(server.port)) {
            return try await bootstrap.connect(to: address).get()
        }
        return try await bootstrap.connect(host: server.host, port: Int(server.port)).get()
    }

    private func outcome(of dialogue: SMTPDialogue, on channel: any Channel) async -> SMTPOutcome {
        let outcome = channel.eventLoop.makePromise(of: SMTPOutcome.self)
        let timeouts = timeouts
        let listening = channel.eventLoop.submit {
            let handler = SMTPChannelHandler(dialogue, timeouts, outcome)
            try channel.pipeline.syncOperations.addHandler(handler)
        }
        listening.flatMap { channel.setOption(.autoRead, value: true) }.whenFailure { _ in
            outcome.succeed(.deferred(.closed, at: .greeting))
        }
        // The handler keeps the promise when its connection ends, and nobody fails it.
        return (try? await outcome.futureResult.get()) ?? .deferred(.closed, at: .greeting)
    }

    private static func words(_ error: any Error) -> String {
        if let error = error as? IOError { return Errno(rawValue: error.errnoCode).description }
        if let error = error as? NIOConnectionError {
            return error.connectionErrors.first.map { words($0.error) } ?? "its name has no address"
        }
        if case ChannelError.connectTimeout = error { return "no connection in time" }
        return "\(error)"
    }
}
