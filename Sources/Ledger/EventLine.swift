internal import FoundationEssentials
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

    var description: String {
        switch self {
        case .tooLong: "longer than \(EventLine.limit) octets"
        case .notJSON: "not a JSON object"
        case .missing(let member): "without \(member)"
        case .unreadable(let member): "with a value of \(member) that it cannot have"
        case .version(let version): "of version \(version) of the format; this program reads \(MailEvent.version)"
        }
    }
}

/// Reads a line of a segment.
enum EventLine {
    /// The most octets of a line.
    static let limit = 2 << 20

    private struct Version: Decodable {
        let v: Int
    }

    /// The event of a line, or why there is none.
    static func read(_ line: Octets) -> Result<MailEvent, LineProblem> {
        Result { () throws(LineProblem) in try event(line) }
    }

    private static func event(_ line: Octets) throws(LineProblem) -> MailEvent {
        let data = Data(line)
        let event: MailEvent
        do {
            event = try JSONDecoder().decode(MailEvent.self, from: data)
        } catch {
            // A later version may have other members.
            if let version = try? JSONDecoder().decode(Version.self, from: data).v, version != MailEvent.version {
                throw .version(version)
            }
            throw LineProblem(error)
        }
        guard event.v == MailEvent.version else { throw .version(event.v) }
        guard MessageID.first(ofTime: event.time) != nil else { throw .unreadable(member: "time") }
        return event
    }
}

extension LineProblem {
    /// What the decoder's error says.
    fileprivate init(_ error: any Error) {
        func path(_ context: DecodingError.Context, _ last: [any CodingKey] = []) -> String {
            (context.codingPath + last).map(\.stringValue).joined(separator: ".")
        }
        switch error as? DecodingError {
        case .keyNotFound(let key, let context): self = .missing(member: path(context, [key]))
        case .valueNotFound(_, let context), .typeMismatch(_, let context):
            self = context.codingPath.isEmpty ? .notJSON : .unreadable(member: path(context))
        case .dataCorrupted(let context):
            self = context.codingPath.isEmpty ? .notJSON : .unreadable(member: path(context))
        default: self = .notJSON
        }
    }
}
