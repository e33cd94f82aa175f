internal import Logging
internal import PosternConfiguration
internal import Synchronization

/// The destinations of log lines.
struct LogSink: Sendable {
    /// The system log, if lines go there.
    let syslog: SyslogSocket?
    /// The standard error stream, if lines go there.
    let standardError: LineStream?
    /// The destination of lines for the system log while there is none.
    var substitute: SyslogSubstitute?

    /// How many lines were lost.
    var dropped: Int { (syslog?.dropped ?? 0) + (standardError?.dropped ?? 0) + (substitute?.stream.dropped ?? 0) }

    /// Writes one line; `severity` is a code of RFC 5424 § 6.2.1.
    func write(_ line: [UInt8], severity: Int) {
        standardError?.write(line)
        guard let syslog else { return }
        let isElsewhere = substitute != nil || standardError != nil
        let delivery = syslog.send(line, severity: severity, isElsewhere: isElsewhere)
        guard let substitute else { return }
        if delivery == .disconnected {
            substitute.write(line, insteadOf: syslog)
        } else {
            substitute.rest(syslog)
        }
    }

    /// Waits for lines that are not yet written to a disk, for at most two seconds.
    func flush() {
        standardError?.flush()
        substitute?.stream.flush()
    }
}

/// Takes lines while there is no system log, as in a container, or during a restart of it.
final class SyslogSubstitute: Sendable {
    /// The stream for the lines.
    let stream: LineStream
    private let format: Configuration.Log.Format
    private let isInUse = Atomic(false)

    /// Lines go to a stream; a notice about this is written in the format of the lines.
    init(_ stream: LineStream, format: Configuration.Log.Format) {
        self.stream = stream
        self.format = format
    }

    /// Writes a line, and before the first line a notice that explains its presence.
    func write(_ line: [UInt8], insteadOf syslog: SyslogSocket) {
        if !isInUse.exchange(true, ordering: .relaxed) {
            let notice = "postern: no system log at \(syslog.path): the log goes here while there is none"
            stream.write(NoticeLine(level: .info, message: notice).octets(as: format))
        }
        stream.write(line)
    }

    /// Notes that the system log accepts lines again, and tells the log if it has missed any.
    func rest(_ syslog: SyslogSocket) {
        guard isInUse.load(ordering: .relaxed), isInUse.exchange(false, ordering: .relaxed) else { return }
        let notice = "the system log is there again; earlier lines went to standard error"
        syslog.send(NoticeLine(level: .info, message: notice).octets(as: format), severity: 5)
    }
}
