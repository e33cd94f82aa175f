public import FoundationEssentials

/// The published conformance suites, which live outside the project.
public enum Corpora {
    /// Why a suite cannot be read.
    public struct Absent: Error, CustomStringConvertible {
        let path: String
        /// What is missing and how to supply it.
        public var description: String {
            "\(path) is absent: the corpora belong in ../shared/corpora beside the checkout, or where $POSTERN_CORPORA says"
        }
    }

    /// The folder of the suites: `$POSTERN_CORPORA`, or `../shared/corpora` beside the checkout.
    public static let folder: String = {
        if let path = ProcessInfo.processInfo.environment["POSTERN_CORPORA"] { return path }
        let root = #filePath.split(separator: "/").dropLast(3)
        return "/" + root.dropLast().joined(separator: "/") + "/shared/corpora"
    }()

    /// The octets of a file below the folder.
    public static func read(_ path: String) throws -> Data {
        let full = folder + "/" + path
        guard FileManager.default.fileExists(atPath: full) else { throw Absent(path: full) }
        return try Data(contentsOf: URL(filePath: full))
    }

    /// The paths of the files in a subfolder, relative to the folder, sorted.
    public static func files(in subfolder: String) throws -> [String] {
        let full = folder + "/" + subfolder
        guard FileManager.default.fileExists(atPath: full) else { throw Absent(path: full) }
        return try FileManager.default.subpathsOfDirectory(atPath: full).sorted().map { subfolder + "/" + $0 }
    }
}
