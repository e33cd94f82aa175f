public import FoundationEssentials
public import Testing

/// The published suites, which live outside the project: `Packaging/fetch-corpora` fetches them.
public enum Corpora {
    /// Why a suite cannot be read.
    public struct Absent: Error, CustomStringConvertible {
        let path: String
        /// What is missing and how to supply it.
        public var description: String { "\(path) is absent: Packaging/fetch-corpora fetches the published suites" }
    }

    /// The folder of the suites: `$POSTERN_CORPORA`, or `../shared/corpora` beside the checkout where that is, or
    /// `.build/corpora`.
    static let folder: String = {
        if let path = ProcessInfo.processInfo.environment["POSTERN_CORPORA"], !path.isEmpty { return path }
        let beside = Checkout.path + "/../shared/corpora"
        return FileManager.default.fileExists(atPath: beside) ? beside : Checkout.path + "/.build/corpora"
    }()

    /// Whether a file or subfolder is there.
    public static func has(_ path: String) -> Bool { FileManager.default.fileExists(atPath: self.path(path)) }

    /// Where a file below the folder is, or would be.
    public static func path(_ path: String) -> String { folder + "/" + path }

    /// The octets of a file below the folder.
    public static func read(_ path: String) throws -> Data {
        guard has(path) else { throw Absent(path: self.path(path)) }
        return try Data(contentsOf: URL(filePath: self.path(path)))
    }

    /// The paths of the files in a subfolder, relative to the folder, sorted.
    public static func files(in subfolder: String) throws -> [String] {
        guard has(subfolder) else { throw Absent(path: path(subfolder)) }
        return try FileManager.default.subpathsOfDirectory(atPath: path(subfolder)).sorted().map {
            subfolder + "/" + $0
        }
    }
}

extension Trait where Self == ConditionTrait {
    /// Runs a suite only where this file or subfolder of the corpora is.
    public static func published(_ path: String) -> Self {
        .enabled(if: Corpora.has(path), "\(path) is not here: Packaging/fetch-corpora fetches the published suites")
    }
}
