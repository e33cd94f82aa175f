internal import Logging
internal import PosternConfiguration
internal import Synchronization

/// Where finished log lines go.
struct LogSink: Sendable {
    /// The system log, if lines go there.
    let syslog: SyslogSocket?
    /// The standard error stream, if lines go there.
    let standardError: LineStream?
    /// Takes the lines that go to the system log alone, while there is none.
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

    /// Waits for lines that are still on their way to a disk, for two seconds at most.
    func flush() {
        standardError?.flush()
        substitute?.stream.flush()
    }
}

/// Takes the lines of a system log that is not there, as in a container, or while it is restarted.
final class SyslogSubstitute: Sendable {
    /// Where the lines go then.
    let stream: LineStream
    private let format: Configuration.Log.Format
    private let isInUse = Atomic(false)

    /// Lines go to a stream; what is said of that is in the format of the lines.
    init(_ stream: LineStream, format: Configuration.Log.Format) {
        self.stream = stream
        self.format = format
    }

    /// Writes a line, and before the first one why it is here.
    func write(_ line: [UInt8], insteadOf syslog: SyslogSocket) {
        if !isInUse.exchange(true, ordering: .relaxed) {
            let notice = "postern: no system log at \(syslog.path): the log goes here while there is none"
            stream.write(NoticeLine(level: .info, message: notice).octets(as: format))
        }
        stream.write(line)
    }

    /// The system log takes lines; it is told if it has missed some.
    func rest(_ syslog: SyslogSocket) {
        guard isInUse.load(ordering: .relaxed), isInUse.exchange(false, ordering: .relaxed) else { return }
        let notice = "the system log is there again; earlier lines went to standard error"
        syslog.send(NoticeLine(level: .info, message: notice).octets(as: format), severity: 5)
    }
}
