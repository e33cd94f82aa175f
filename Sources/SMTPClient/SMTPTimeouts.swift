/// How long a client waits for a server.
public struct SMTPTimeouts: Sendable, Hashable {
    /// For the connection.
    public var connection = Duration.seconds(30)
    /// For the greeting, and for the replies to EHLO, MAIL and RCPT (RFC 5321 § 4.5.3.2.1 to § 4.5.3.2.3).
    public var command = Duration.seconds(300)
    /// For the reply to DATA (RFC 5321 § 4.5.3.2.4).
    public var data = Duration.seconds(120)
    /// For a block of the message to be taken by the network (RFC 5321 § 4.5.3.2.5).
    public var block = Duration.seconds(180)
    /// For the reply to the final dot (RFC 5321 § 4.5.3.2.6).
    public var end = Duration.seconds(600)
    /// For the reply to QUIT, which changes nothing any more.
    public var quit = Duration.seconds(5)

    /// The times of RFC 5321 § 4.5.3.2.
    public init() {}

    /// The time for the reply at a stage.
    func time(at stage: SMTPStage) -> Duration {
        switch stage {
        case .connection: connection
        case .greeting, .hello, .mail, .recipient: command
        case .data: data
        case .content: block
        case .end: end
        }
    }
}
