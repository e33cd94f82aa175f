public import ArgumentParser
public import Glibc
internal import MailSyntax

/// Reads whole files for the commands.
public enum InputFile {
    /// The octets of a file, or of standard input for `-`; exits with a status of sysexits(3) if it cannot be read.
    public static func read(_ path: String) throws -> [UInt8] {
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

/// Where a command writes its answer.
public enum StandardOutput {
    /// Whether somebody reads it on a terminal.
    public static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
}

/// Writes whole files for the commands.
public enum OutputFile {
    /// Writes octets to standard output.
    public static func writeToStandardOutput(_ octets: [UInt8]) throws(ExitCode) {
        try write(octets, STDOUT_FILENO, "standard output")
    }

    /// Creates a new file and syncs it to the disk; `group` may read the file if it is given.
    public static func create(_ path: String, mode: mode_t, readableBy group: gid_t? = nil, _ octets: [UInt8]) throws {
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
