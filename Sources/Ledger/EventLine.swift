internal import MailEvents
internal import MailSyntax

/// Why a line of a segment is no event that this program can read.
enum LineProblem: Error, Hashable, CustomStringConvertible {
    /// It has more octets than any event.
    case tooLong
    /// It is not a JSON object.
    case notJSON
    /// It lacks a member.
    case missing(member: String)
    /// A member has another type, or a value that it cannot have.
    case unreadable(member: String)
    /// It has another version of the format.
    case version(Int)
    /// The database does not accept what it says.
    case refused(String)

    var description: String {
        switch self {
        case .tooLong: "longer than \(EventLine.limit) octets"
        case .notJSON: "not a JSON object"
        case .missing(let member): "without \(member)"
        case .unreadable(let member): "with a value of \(member) that it cannot have"
        case .version(let version): "of version \(version) of the format; this program reads \(MailEvent.version)"
        case .refused(let text): "that the store refuses: \(text)"
        }
    }
}

/// Reads a line of a segment.
enum EventLine {
    /// The most octets of a line.
    static let limit = 4 << 20

    /// The event of a line, or why there is none.
    static func read(_ line: Octets) -> Result<MailEvent, LineProblem> {
        Result { () throws(LineProblem) in try event(line) }
    }

    private static func event(_ line: Octets) throws(LineProblem) -> MailEvent {
        let event: MailEvent
        do { event = try MailEvent(line: line) } catch { throw LineProblem(error) }
        guard MessageID.first(ofTime: event.time) != nil else { throw .unreadable(member: "time") }
        return event
    }
}

extension LineProblem {
    fileprivate init(_ error: EventReadingError) {
        switch error {
        case .notJSON: self = .notJSON
        case .missing(let member): self = .missing(member: member)
        case .unreadable(let member): self = .unreadable(member: member)
        case .version(let version): self = .version(version)
        }
    }
}
