internal import ArgumentParser
internal import CommandSupport
internal import Glibc

/// A directory for the files of reports.
struct ReportDirectory {
    /// What became of a file.
    enum Outcome {
        /// It was written.
        case written
        /// It was there already, with the same octets.
        case present
        /// Another file with its name is there, and was left alone.
        case occupied
    }

    private let path: String

    /// A directory that is there; ends the command where no file can be made in it.
    init(_ path: String) throws {
        self.path = path
        guard unsafe access(path + "/.", W_OK | X_OK) == 0 else {
            Report.writeSystemError(path)
            throw ExitCode(EX_CANTCREAT)
        }
    }

    /// Writes a file, unless one with its name is there.
    func write(_ name: String, _ octets: [UInt8]) throws -> Outcome {
        let file = "\(path)/\(name)"
        guard unsafe access(file, F_OK) == 0 else {
            try OutputFile.create(file, mode: S_IRUSR | S_IWUSR | S_IRGRP, octets)
            return .written
        }
        if let found = try? InputFile.read(file), found == octets { return .present }
        Report.write("\(file): another file with this name is there, and was left alone")
        return .occupied
    }
}
