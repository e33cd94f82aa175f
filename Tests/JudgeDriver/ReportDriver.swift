internal import AggregateReports
internal import FoundationEssentials
internal import MailEvents
internal import MailSyntax

/// Makes reports of the events on standard input, one a line, for the programs that judge reports.
///
/// Each report of a day and a policy is written into a folder, as the file and as the mail to its first destination. The
/// answer is a line of JSON with the events that could be read, those that count, and for each file the policy's domain
/// and its sum.
struct ReportDriver {
    private struct Key: Hashable {
        let day: Int
        let policy: PolicyConfiguration
    }

    private struct Answer: Encodable {
        struct File: Encodable {
            var domain: String
            var sum: Int
            var rows: Int
        }

        var read = 0
        var counted = 0
        var mayCause = 0
        var passed = 0
        var files: [String: File] = [:]
    }

    private var reports: [Key: [ReportRecord: Int]] = [:]
    private var answer = Answer()

    /// Reads the events, and writes the reports into the folder.
    static func run(folder: String) throws {
        var driver = ReportDriver()
        while let line = readLine() { try driver.take(line) }
        for (key, rows) in driver.reports { try driver.write(key, rows, folder) }
        print(String(decoding: try JSONEncoder().encode(driver.answer), as: UTF8.self))
    }

    private static let address = "dmarc-reports@mx.example.org"

    private mutating func take(_ line: String) throws {
        let event = try MailEvent(line: Octets(line))
        answer.read += 1
        guard let message = ObservedMessage(event, reportAddress: Self.address) else { return }
        answer.counted += 1
        if message.mayCause { answer.mayCause += 1 }
        if message.passed { answer.passed += 1 }
        // As a store keeps them.
        guard let policy = PolicyConfiguration(octets: message.policy.octets),
            let record = ReportRecord(octets: message.record.octets)
        else { fatalError("what was written does not read again") }
        reports[Key(day: message.day, policy: policy), default: [:]][record, default: 0] += 1
    }

    private mutating func write(_ key: Key, _ rows: [ReportRecord: Int], _ folder: String) throws {
        guard
            let identity = ReportIdentity(
                organization: "Example & Söhne <Mail>",
                address: Self.address,
                day: key.day,
                policy: key.policy
            ),
            let destination = key.policy.destinations.first
        else { return }
        let writer = try ReportWriter(identity, errors: [], generator: "Postern judge")
        for (record, count) in rows { try writer.append(record, count: count) }
        let file = try writer.finish()
        let mail = ReportMessage(identity, file: file, to: destination, date: UnixTime(Int64(identity.end) + 3_600))
        try Data(file).write(to: URL(filePath: "\(folder)/\(identity.fileName)"))
        try Data(mail.octets).write(to: URL(filePath: "\(folder)/\(identity.id).eml"))
        answer.files[identity.fileName] = Answer.File(
            domain: key.policy.domain.description,
            sum: rows.values.reduce(0, +),
            rows: rows.count
        )
    }
}
