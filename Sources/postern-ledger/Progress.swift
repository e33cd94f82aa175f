internal import Glibc
internal import MailSyntax
internal import PosternSetup

/// Says on a terminal how far a long question has come.
final class Progress {
    /// How long a question may take before anything is said.
    private static let patience = Duration.seconds(1)

    private let isShown = isatty(STDERR_FILENO) == 1
    private var next = ContinuousClock.now + patience
    private var isWritten = false

    /// Says how many messages have been read, and back to which time.
    func show(_ count: Int, _ time: UnixTime) {
        guard isShown, ContinuousClock.now >= next else { return }
        next = ContinuousClock.now + .milliseconds(200)
        isWritten = true
        // The line is cleared up to its end (ECMA-48 § 8.3.41).
        write("\r\(count.grouped) messages, back to \(UTCTime(time))\u{1B}[K")
    }

    /// Takes the line away.
    func end() {
        if isWritten { write("\r\u{1B}[K") }
        isWritten = false
    }

    private func write(_ text: String) {
        let octets = Array(text.utf8)
        unsafe Glibc.write(STDERR_FILENO, octets, octets.count)
    }
}
