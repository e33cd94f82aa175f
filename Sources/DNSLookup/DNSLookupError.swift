/// Why a question was not answered.
///
/// Nothing is known about the name then.
public enum DNSLookupError: Error, Hashable, Sendable {
    /// No server replied in time.
    case timeout
    /// The servers replied SERVFAIL, or failed in another way.
    case serverFailure
    /// The servers replied REFUSED.
    case refused
    /// The reply could not be parsed, or exceeded a limit.
    case malformed
    /// The CNAME records lead in a circle.
    case aliasLoop
    /// There are more CNAME records in a row than are followed.
    case tooManyAliases
    /// The lookup was given up because nobody waits for it any more.
    case cancelled
    /// The question had to wait here for others, and its time ran out before it was sent.
    case noRoom
    /// No name server answers any question.
    case noServer
    /// One message needs more answers than are read for a message.
    case tooMuch

    /// Whether the failure is local, so that it says nothing about the name and is not cached.
    public var isLocal: Bool {
        switch self {
        case .cancelled, .noRoom, .noServer, .tooMuch: true
        case .timeout, .serverFailure, .refused, .malformed, .aliasLoop, .tooManyAliases: false
        }
    }
}

extension DNSLookupError {
    /// Whether the failure lies in the CNAME records themselves, so that no other server would help.
    package var isAboutAliases: Bool { self == .aliasLoop || self == .tooManyAliases }
}

extension DNSLookupError: CustomStringConvertible {
    /// A few words for people.
    public var description: String {
        switch self {
        case .timeout: "timed out"
        case .serverFailure: "server failure"
        case .refused: "refused"
        case .malformed: "malformed reply"
        case .aliasLoop: "the aliases lead in a circle"
        case .tooManyAliases: "more than \(AliasPath.longest) CNAME records in a row"
        case .cancelled: "given up"
        case .noRoom: "no room here to ask: too many questions wait"
        case .noServer: "no name server answers"
        case .tooMuch: "more answers than are read for one check"
        }
    }
}
