internal import Logging
internal import MailSyntax

/// Writes the daemon's own messages to the sink that takes the lines about mail.
struct SinkLogHandler: LogHandler {
    let sink: LogSink
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level = .info

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var line = "\(event.level == .info ? "" : "\(event.level): ")\(event.message)"
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(value)" }
        // One entry is one line, whatever a value holds.
        let octets = line.utf8.map { $0 < 0x20 || $0 == 0x7F ? .space : $0 }
        sink.write(octets, severity: Self.severity(event.level))
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
