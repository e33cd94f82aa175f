public import MailSyntax

/// What a list of messages shows of an event.
public struct EventSummary: Sendable, Equatable {
    /// The MTA's queue ID.
    public let id: String?
    /// The client's address.
    public let clientAddress: String?
    /// The client's verified name.
    public let clientName: String?
    /// What the client called itself.
    public let helo: String
    /// The envelope's sender; empty for the null sender.
    public let sender: String
    /// The domain of the first author.
    public let author: String?
    /// The first recipient that is named: accepted, refused or told to come again.
    public let recipient: String?
    /// How many recipients there are.
    public let recipientCount: Int
    /// What was done.
    public let action: String
    /// What enforced rules would have done, in observe mode.
    public let would: String?

    /// Reads the line of a segment, and of it no more than is wanted: that takes a third of the time.
    public init(line: Octets) throws(EventReadingError) {
        guard let tape = JSONTape(line) else { throw .notJSON }
        var members = try JSONMembers(tape)
        let version = try members.integer("v")
        guard version == MailEvent.version else { throw .version(version) }
        id = try members.optionalString("id")
        let client = try members.object("client", Client.init)
        sender = try members.string("mail_from")
        let accepted = try members.first("rcpt_to")
        let refused = try members.first("refused_rcpt_to")
        let unnamed = try members.integer("unnamed_rcpt_to")
        let deferred = try members.first("deferred_rcpt_to")
        recipient = accepted.text ?? refused.text ?? deferred.text
        recipientCount = (accepted.count + refused.count + deferred.count) &+ unnamed
        author =
            try members.optionalObject("author") { (author: inout JSONMembers) throws(EventReadingError) -> String? in
                try author.first("domains").text
            } ?? nil
        let verdict = try members.object("verdict", Verdict.init)
        (clientAddress, clientName, helo) = (client.ip, client.name, client.helo)
        (action, would) = (verdict.action, verdict.would)
    }
}

/// The members of `client` that are wanted.
private struct Client {
    let ip: String?
    let name: String?
    let helo: String

    init(_ members: inout JSONMembers) throws(EventReadingError) {
        ip = try members.optionalString("ip")
        name = try members.optionalString("name")
        helo = try members.string("helo")
    }
}

/// The members of `verdict` that are wanted.
private struct Verdict {
    let action: String
    let would: String?

    init(_ members: inout JSONMembers) throws(EventReadingError) {
        action = try members.string("action")
        would = try members.optionalObject("would") { (would: inout JSONMembers) throws(EventReadingError) -> String in
            try would.string("action")
        }
    }
}
