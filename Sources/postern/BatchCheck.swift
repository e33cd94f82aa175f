internal import ArgumentParser
internal import CommandSupport
internal import FoundationEssentials
internal import MailAuthentication
internal import MailSyntax
internal import PosternConfiguration
internal import PosternSetup

/// Judges the lines of a JSON Lines file, many at once, and prints the results in the order of the file.
struct BatchCheck: Sendable {
    let judge: MessageJudge
    /// The time of every judgement whose line has no time; the present when nil.
    let now: UnixTime?
    let withTrace: Bool

    /// How many lines are judged at once.
    private static let width = 64

    /// The result of a line.
    private struct Answer {
        /// The line as JSON.
        let octets: [UInt8]
        /// Whether MAIL FROM could not be checked, because nobody says what it was.
        var lacksSender = false
    }

    /// Judges a file; `-` is standard input.
    func run(_ path: String) async throws {
        let lines = try InputFile.read(path).split(separator: .lf).filter { !$0.trimmed.isEmpty }
        var lacking = 0
        try await withThrowingTaskGroup(of: (Int, Answer).self) { group in
            var waiting: [Int: Answer] = [:]
            var started = 0
            var printed = 0
            while printed < lines.count {
                while started < lines.count, started - printed < Self.width {
                    let index = started
                    group.addTask { (index, try await answer(lines[index])) }
                    started += 1
                }
                guard let (index, result) = try await group.next() else { return }
                waiting[index] = result
                while let next = waiting.removeValue(forKey: printed) {
                    try OutputFile.writeToStandardOutput(next.octets)
                    printed += 1
                    lacking += next.lacksSender ? 1 : 0
                }
            }
        }
        guard lacking > 0 else { return }
        let count = Counted.words(lacking, "line")
        Report.write("mail_from is missing in \(count): MAIL FROM is not checked there; '<>' is the null sender")
    }

    /// The result of one line; a line that cannot be judged gives an error, and does not stop the others.
    private func answer(_ line: Octets) async throws -> Answer {
        let decoder = JSONDecoder()
        do {
            let request = try decoder.decode(BatchLine.self, from: Data(line))
            var envelope = try request.envelope()
            let message = try request.storedMessage()
            if request.mailFrom == nil { envelope.takeSender(of: message) }
            let time = request.now?.time ?? now ?? Clock.now
            let judgement = await judge.judge(envelope, message: message, now: time)
            return Answer(
                octets: try JSONReport.line(JudgementReport(judgement, id: request.id?.text, withTrace: withTrace)),
                lacksSender: !envelope.isSenderKnown && envelope.clientAddress != nil
            )
        } catch {
            let id = (try? decoder.decode(BatchLine.Identified.self, from: Data(line)))?.id?.text
            return Answer(octets: try JSONReport.line(BatchLine.Problem(id: id, error: BatchLine.words(for: error))))
        }
    }
}

/// A line of a batch: an envelope with or without a message.
struct BatchLine: Decodable {
    /// A name, written as text or as a number.
    struct Identifier: Decodable {
        let text: String

        init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let number = try? container.decode(Int.self) {
                text = String(number)
            } else {
                text = try container.decode(String.self)
            }
        }
    }

    /// A line of which only the name can be read.
    struct Identified: Decodable {
        let id: Identifier?
    }

    /// The result of a line that cannot be judged.
    struct Problem: Encodable {
        let id: String?
        let error: String
    }

    /// A mistake in a line that is valid JSON.
    struct Mistake: Error {
        let description: String
    }

    /// The keys of a line.
    enum CodingKeys: String, CodingKey, CaseIterable {
        case id, helo, message, now
        case clientIP = "client_ip"
        case mailFrom = "mail_from"
        case rcptTo = "rcpt_to"
    }

    /// Any key of a line.
    private struct AnyKey: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    let id: Identifier?
    let clientIP: String?
    let helo: String?
    let mailFrom: String?
    let rcptTo: [String]?
    let message: String?
    let now: PointInTime?

    init(from decoder: any Decoder) throws {
        // If a misspelt key were ignored, the message would be judged without its value.
        let present = try decoder.container(keyedBy: AnyKey.self).allKeys.map(\.stringValue)
        if let unknown = present.filter({ CodingKeys(rawValue: $0) == nil }).min() {
            throw Mistake(unknownKey: unknown)
        }
        let values = try decoder.container(keyedBy: CodingKeys.self)
        id = try values.decodeIfPresent(Identifier.self, forKey: .id)
        clientIP = try values.decodeIfPresent(String.self, forKey: .clientIP)
        helo = try values.decodeIfPresent(String.self, forKey: .helo)
        mailFrom = try values.decodeIfPresent(String.self, forKey: .mailFrom)
        rcptTo = try values.decodeIfPresent([String].self, forKey: .rcptTo)
        message = try values.decodeIfPresent(String.self, forKey: .message)
        now = try values.decodeIfPresent(PointInTime.self, forKey: .now)
    }

    func envelope() throws(Mistake) -> Envelope {
        var address: IPAddress?
        if let clientIP, !clientIP.isEmpty {
            guard let known = IPAddress(clientIP) else {
                let expected = "expected one such as 192.0.2.1 or 2001:db8::1"
                throw Mistake(description: "client_ip: '\(clientIP)' is no IP address; \(expected)")
            }
            address = known
        }
        return Envelope(
            clientAddress: address,
            helo: Array((helo ?? "").utf8),
            sender: Array(SMTPPath(Octets(mailFrom ?? "")).mailbox),
            recipients: (rcptTo ?? []).map { Array(SMTPPath(Octets($0)).mailbox) }
        )
    }

    func storedMessage() throws(Mistake) -> StoredMessage? {
        guard let message else { return nil }
        guard let octets = try? Data(contentsOf: URL(filePath: message)) else {
            throw Mistake(description: "message: '\(message)' cannot be read")
        }
        return StoredMessage(Array(octets)[...])
    }

    /// An error in words, for the author of the line.
    static func words(for error: any Error) -> String {
        switch error {
        case let mistake as Mistake: mistake.description
        case let mistake as ValidationError: "now: \(mistake.message)"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            words(forKindOf: context.codingPath.first?.stringValue)
        case is DecodingError: "the line is not JSON; expected a line such as \(example)"
        default: "\(error)"
        }
    }

    private static let example = #"{"id":"1","client_ip":"192.0.2.1","mail_from":"a@example.com","message":"a.eml"}"#

    /// The description of a value of the wrong type.
    private static func words(forKindOf key: String?) -> String {
        switch key {
        case nil: "the line is no JSON object; expected a line such as \(example)"
        case "rcpt_to": #"rcpt_to: this is no list of texts; expected one such as ["a@example.org"]"#
        case "now": #"now: this is no time; expected one such as "2026-11-23T12:00:00Z", or seconds since 1970"#
        case "id": "id: this is neither a text nor a whole number"
        case .some(let key): "\(key): this is no text"
        }
    }
}

extension BatchLine.Mistake {
    /// The mistake of an unknown key.
    fileprivate init(unknownKey key: String) {
        let names = BatchLine.CodingKeys.allCases.map(\.rawValue).sorted()
        let closest = Suggestion.closest(to: key, of: names)
        description =
            "\(key): there is no such key; "
            + (closest.map { "did you mean \($0)?" } ?? "expected \(names.joined(separator: ", "))")
    }
}
