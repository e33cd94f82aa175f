internal import FoundationEssentials
internal import Glibc

/// A folder that is gone with its owner.
public final class Folder {
    /// What the system says of a call that failed.
    public struct Failure: Error {
        /// The call and its subject.
        public let call: String
        /// The error number.
        public let code: CInt
    }

    /// The folder's path.
    public let path: String

    /// Makes a folder below /tmp.
    public init() throws {
        var template = "/tmp/postern-XXXXXX".utf8.map { CChar(bitPattern: $0) } + [0]
        guard unsafe mkdtemp(&template) != nil else { throw Failure(call: "mkdtemp", code: errno) }
        path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a file in the folder.
    public func file(_ name: String) -> String { path + "/" + name }

    /// Writes a file that nobody else can read.
    @discardableResult
    public func write(_ name: String, _ octets: [UInt8]) throws -> String {
        let path = file(name)
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(call: "open \(path)", code: errno) }
        defer { close(descriptor) }
        let count = unsafe octets.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard count == octets.count else { throw Failure(call: "write \(path)", code: errno) }
        return path
    }
}
