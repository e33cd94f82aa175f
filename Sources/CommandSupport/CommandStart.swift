public import ArgumentParser
internal import Glibc
internal import PosternConfiguration

/// How a program begins.
public enum CommandStart {
    /// Ends the process if /proc is missing, as in a bare chroot.
    ///
    /// Swift reads the command line from /proc, and would find it empty there: every command would only print the help.
    /// Swift's threads need /proc too.
    public static func requireProc() {
        guard unsafe access("/proc/self/cmdline", R_OK) != 0 else { return }
        Report.write("/proc is missing, and nothing works without it; type: mount -t proc proc /proc")
        _exit(EX_OSERR)
    }

    /// Ends the process where the first word is no command; behind one that is mistyped, no option would be known.
    static func requireCommand(of program: CommandConfiguration) {
        guard let word = CommandLine.arguments.dropFirst().first, !word.hasPrefix("-"), word != "help" else { return }
        let names = program.subcommands.compactMap { $0.configuration.commandName }
        guard !names.contains(word) else { return }
        let meant = Suggestion.closest(to: word, of: names).map { "; did you mean \($0)?" } ?? ""
        Report.write("there is no command '\(word)'\(meant.isEmpty ? "; see --help" : meant)")
        _exit(EX_USAGE)
    }
}

extension AsyncParsableCommand {
    /// Runs the subcommand that the command line names, and ends the process if that fails.
    public static func runAsProgram() async {
        CommandStart.requireCommand(of: configuration)
        do {
            let command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                var command = command
                try command.run()
            }
        } catch {
            end(error)
        }
    }

    /// Ends the process; what is wrong with a command line is said under the name of the program, as everything else is.
    private static func end(_ error: any Error) -> Never {
        let code = exitCode(for: error)
        let message = fullMessage(for: error)
        guard code == .validationFailure, message.hasPrefix("Error: ") else { exit(withError: error) }
        Report.write(String(message.dropFirst("Error: ".count)))
        exit(withError: code)
    }
}
