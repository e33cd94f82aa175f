internal import ArgumentParser
internal import Glibc
internal import MailSyntax
internal import SystemPackage

/// Reads whole files for the commands.
enum InputFile {
    /// The octets of a file, or of standard input for `-`; exits with a status of sysexits(3) if it cannot be read.
    static func read(_ path: String) throws -> [UInt8] {
        let descriptor = path == "-" ? STDIN_FILENO : unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            Report.writeSystemError(path)
            throw ExitCode(EX_NOINPUT)
        }
        defer { if path != "-" { close(descriptor) } }
        var octets = [UInt8]()
        var buffer = [UInt8](repeating: 0, count: 1 << 20)
        while true {
            // read(2) writes at most the given number of octets; 0 is the end.
            let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                Report.writeSystemError(path)
                throw ExitCode(EX_IOERR)
            }
            if count == 0 { return octets }
            octets += buffer.prefix(count)
        }
    }
}

/// Writes whole files for the commands.
enum OutputFile {
    /// Writes octets to standard output.
    static func writeToStandardOutput(_ octets: [UInt8]) throws(ExitCode) {
        try write(octets, STDOUT_FILENO, "standard output")
    }

    /// Creates a new file and syncs it to the disk; `group` may read the file if it is given.
    static func create(_ path: String, mode: mode_t, readableBy group: gid_t? = nil, _ octets: [UInt8]) throws {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else {
            Report.writeSystemError(path)
            throw ExitCode(EX_CANTCREAT)
        }
        defer { close(descriptor) }
        if let group, fchown(descriptor, uid_t.max, group) != 0 || fchmod(descriptor, mode | S_IRGRP) != 0 {
            Report.writeSystemError(path)
            // The file is still empty, and would prevent another attempt.
            unsafe unlink(path)
            throw ExitCode(EX_CANTCREAT)
        }
        try write(octets, descriptor, path)
        guard fsync(descriptor) == 0 else {
            Report.writeSystemError(path)
            throw ExitCode(EX_IOERR)
        }
    }

    private static func write(_ octets: [UInt8], _ descriptor: Int32, _ name: String) throws(ExitCode) {
        var written = 0
        while written < octets.count {
            // write(2) accepts at most the given number of octets, and returns how many it accepted.
            let count = unsafe octets.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress?.advanced(by: written), buffer.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                Report.writeSystemError(name)
                throw ExitCode(EX_IOERR)
            }
            written += count
        }
    }
}

/// Writes messages for the user to standard error.
enum Report {
    /// Writes a line that names its subject itself, such as `file:line: problem`.
    static func print(_ line: String) {
        let octets = [UInt8]("\(line)\n".utf8)
        unsafe Glibc.write(STDERR_FILENO, octets, octets.count)
    }

    /// Writes a line that begins with the program's name.
    static func write(_ line: String) {
        print("postern: \(line)")
    }

    /// Writes the system's text for the error of the last call, and what to type, if there is a command that helps.
    static func writeSystemError(_ subject: String, command: String? = nil) {
        let code = errno
        write("\(subject): \(Errno(rawValue: code))" + (command.map { " (type: \($0))" } ?? ""))
    }
}

/// Reads names and times from the command line.
enum Names {
    /// A domain name, possibly internationalized; `what` names the argument.
    static func domain(_ text: String, _ what: String) throws(ValidationError) -> DomainName {
        guard let name = try? DomainName(unicode: Octets(text)) else {
            throw ValidationError("\(what): '\(text)' is no domain name; expected one such as example.org")
        }
        return name
    }

    /// A domain name whose labels contain only letters, digits and hyphens, like the names of a DKIM key; `kind` says
    /// in a word what the name is for.
    static func hostName(
        _ text: String,
        _ what: String,
        kind: String,
        example: String
    ) throws(ValidationError) -> DomainName {
        guard let name = try? DomainName(unicode: Octets(text)), name.isHostName else {
            throw ValidationError("\(what): '\(text)' is no \(kind); expected one such as \(example)")
        }
        return name
    }

    /// A time such as `90`, `400s`, `2m`, `1h` or `7d`, in seconds.
    static func seconds(_ text: String) -> Int64? {
        let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
        let unit = text.last.flatMap { units[$0] }
        guard let number = Int64(unit == nil ? text[...] : text.dropLast()), number > 0 else { return nil }
        let (seconds, overflow) = number.multipliedReportingOverflow(by: unit ?? 1)
        return overflow ? nil : seconds
    }
}
