public import MailSyntax
public import Policy

/// The relay of our own that passed on a message, and what its fields say of the true client.
///
/// A class, so that the envelope of other mail carries a pointer only.
public final class Relay: Sendable, CustomStringConvertible {
    /// Where the true client comes from.
    public enum State: String, Sendable, CaseIterable {
        /// The Received fields name the true client.
        case client
        /// An upstream host's Authentication-Results say what was found.
        case results
        /// Neither can be read, and nothing is said of the client: rules that ask about it do not match.
        case unreadable
        /// The client has made the relay's field unreadable: no domain is found to permit it.
        case disguised
        /// The header was not read.
        case unread
    }

    /// The relay's address.
    public let address: IPAddress
    /// Where the true client comes from.
    public let state: State
    /// Why it is unreadable, in words.
    public let problem: String?

    /// A relay.
    public init(address: IPAddress, state: State = .unread, problem: String? = nil) {
        self.address = address.unmapped
        self.state = state
        self.problem = problem
    }

    /// The relay in one printable line.
    public var description: String { "\(address), \(state.text)" + (problem.map { ": \($0)" } ?? "") }

    /// What becomes of a message that this relay passed on.
    ///
    /// The relay would have to send a bounce to whom the message names as its sender, who may be forged: a refusal becomes a
    /// flag, and so does a message that would vanish. Nothing is refused for good where the relay keeps us from knowing the
    /// client, which an exemption may be about.
    ///
    /// - Parameters:
    ///   - verdict: what the rules decide.
    ///   - refuses: whether rules refuse mail of relays all the same.
    public func verdict(_ verdict: PolicyVerdict, refuses: Bool) -> PolicyVerdict {
        refuses && state != .unreadable ? verdict : verdict.withoutRefusal
    }

    /// Whether the true client is known, or what was found of it.
    public var isClientKnown: Bool { state == .client || state == .results }
}

extension Relay.State {
    fileprivate var text: String {
        switch self {
        case .client: "whose Received fields name the client"
        case .results: "whose results are used"
        case .unreadable: "client not readable"
        case .disguised: "client hidden by its own words"
        case .unread: "header not read"
        }
    }
}
