internal import Glibc

/// Where finished log lines go.
struct LogSink: Sendable {
    /// The system log, if lines go there.
    let syslog: SyslogSocket?
    /// Whether lines go to the standard error stream.
    let standardError: Bool

    /// Writes one line; `severity` is a code of RFC 5424 § 6.2.1.
    func write(_ line: [UInt8], severity: Int) {
        syslog?.send(line, severity: severity)
        guard standardError else { return }
        var terminated = line
        terminated.append(0x0A)
        // One write call a line: lines of several threads do not mix. What standard error does not take is lost.
        _ = unsafe terminated.withUnsafeBytes { unsafe Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
