internal import Glibc
internal import MailSyntax
internal import SystemPackage

/// Writes messages for the user to standard error.
public enum Report {
    /// The name of this program: that of its file, without its directory.
    private static let program = CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? "postern"

    /// The most octets of a line.
    private static let limit = 8192

    /// Writes a line that names its subject itself, such as `file:line: problem`.
    ///
    /// What a terminal would obey becomes `?`: arguments and the names of files may hold it.
    public static func print(_ line: String) {
        let lines = line.split(separator: "\n", omittingEmptySubsequences: false)
        let printable = lines.map { FieldText.printable(Octets($0.utf8), limit: limit) }
        let octets = Array(printable.joined(separator: [.lf])) + [.lf]
        unsafe Glibc.write(STDERR_FILENO, octets, octets.count)
    }

    /// Writes a line that begins with the program's name.
    public static func write(_ line: String) {
        print("\(program): \(line)")
    }

    /// Writes the system's text for the error of the last call, and what to type, if there is a command that helps.
    public static func writeSystemError(_ subject: String, command: String? = nil) {
        let code = errno
        write("\(subject): \(Errno(rawValue: code))" + (command.map { " (type: \($0))" } ?? ""))
    }
}
