internal import Logging
internal import MailSyntax
internal import PosternConfiguration
internal import PosternSetup

/// Writes the daemon's own messages to the sink of the lines about mail.
struct SinkLogHandler: LogHandler {
    let sink: LogSink
    let format: Configuration.Log.Format
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let metadata = metadata.merging(event.metadata ?? [:]) { $1 }
        let notice = NoticeLine(level: event.level, message: "\(event.message)", metadata: metadata)
        sink.write(notice.octets(as: format), severity: Self.severity(event.level))
    }

    /// The code of RFC 5424 § 6.2.1 for a level.
    private static func severity(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}

/// A log line that does not concern a message.
struct NoticeLine {
    let level: Logger.Level
    let message: String
    var metadata: Logger.Metadata = [:]

    /// The line in a format; one entry is always one line, whatever its values contain.
    func octets(as format: Configuration.Log.Format, at time: UnixTime = Clock.now) -> [UInt8] {
        format == .json ? json(at: time) : text
    }

    private var text: [UInt8] {
        var line = "\(level == .info ? "" : "\(level): ")\(message)"
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(value)" }
        return line.utf8.map { $0 < 0x20 || $0 == 0x7F ? .space : $0 }
    }

    private func json(at time: UnixTime) -> [UInt8] {
        var object = JSONLine(at: time)
        for (key, value) in metadata { object[key] = .text("\(value)") }
        object["level"] = .text("\(level)")
        object["message"] = .text(message)
        return object.octets
    }
}
