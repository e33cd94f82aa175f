/// Where finished log lines go.
struct LogSink: Sendable {
    /// The system log, if lines go there.
    let syslog: SyslogSocket?
    /// The standard error stream, if lines go there.
    let standardError: LineStream?

    /// How many lines were lost.
    var dropped: Int { (syslog?.dropped ?? 0) + (standardError?.dropped ?? 0) }

    /// Writes one line; `severity` is a code of RFC 5424 § 6.2.1.
    func write(_ line: [UInt8], severity: Int) {
        syslog?.send(line, severity: severity)
        standardError?.write(line)
    }
}
