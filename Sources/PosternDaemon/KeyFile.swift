internal import Glibc

/// Reads private keys from files that nobody else can read, replace or redirect.
///
/// Every directory on the way, those that symbolic links lead to included, has to belong to root or to the user of this
/// process, and nobody else may write to it; a directory with the sticky bit passes, for in it nobody can replace what
/// belongs to another.
public enum KeyFile {
    /// Why a key file is not read.
    public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        /// The file, directory or link that is not as it should be.
        public let path: String
        /// What is wrong, with the bit of the mode where it is one.
        public let reason: String

        /// Path and reason as one line.
        public var description: String { "\(path) \(reason)" }
    }

    /// How long a key file may be; an RSA key of 8192 bits takes 6,400 octets in PEM.
    static let longest = 65_536

    private static let mostLinks = 40

    /// The octets of a key file, when the file and its path are safe.
    public static func read(_ path: String) throws(Failure) -> [UInt8] {
        try octets(of: resolve(path))
    }

    /// Why a key file is not safe; nil when it is.
    public static func problem(with path: String) -> Failure? {
        do throws(Failure) {
            _ = try read(path)
            return nil
        } catch {
            return error
        }
    }

    /// Walks a path from the root, checks every step, and returns the path without links.
    private static func resolve(_ path: String) throws(Failure) -> String {
        var current = ""
        var left = Substring(path.hasPrefix("/") ? path : workingDirectory() + "/" + path)
            .split(separator: "/").map(String.init)[...]
        var links = 0
        try checkDirectory("/", status(of: "/"))
        while let component = left.popFirst() {
            if component == "." { continue }
            if component == ".." {
                current = current.split(separator: "/").dropLast().map { "/" + $0 }.joined()
                continue
            }
            let next = current + "/" + component
            let status = try status(of: next)
            switch status.st_mode & S_IFMT {
            case S_IFLNK:
                links += 1
                guard links <= mostLinks else { throw Failure(path: path, reason: "has too many symbolic links") }
                try checkOwner(next, status)
                let target = try target(of: next)
                if target.hasPrefix("/") { current = "" }
                left = target.split(separator: "/").map(String.init) + left
            case S_IFDIR:
                try checkDirectory(next, status)
                current = next
            default:
                guard left.isEmpty else { throw Failure(path: next, reason: "is not a directory") }
                current = next
            }
        }
        return current
    }

    /// Opens a file, checks what was opened, and reads it.
    private static func octets(of path: String) throws(Failure) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system(path, "cannot be opened") }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .system(path, "cannot be examined") }
        try checkFile(path, status)
        var octets = [UInt8](repeating: 0, count: longest + 1)
        var length = 0
        while length < octets.count {
            // read(2) writes at most as many octets as it is told; 0 is the end.
            let count = unsafe octets.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress?.advanced(by: length), buffer.count - length)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system(path, "cannot be read") }
            if count == 0 { break }
            length += count
        }
        guard length <= longest else { throw Failure(path: path, reason: "is longer than \(longest) octets") }
        return Array(octets.prefix(length))
    }

    private static func checkOwner(_ path: String, _ status: stat) throws(Failure) {
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            throw Failure(path: path, reason: "belongs to user \(status.st_uid), not to root or user \(geteuid())")
        }
    }

    private static func checkDirectory(_ path: String, _ status: stat) throws(Failure) {
        try checkOwner(path, status)
        guard status.st_mode & S_ISVTX == 0 else { return }
        try check(path, status, S_IWGRP, "can be written to by its group")
        try check(path, status, S_IWOTH, "can be written to by everybody")
    }

    private static func checkFile(_ path: String, _ status: stat) throws(Failure) {
        guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(path: path, reason: "is not a regular file") }
        try checkOwner(path, status)
        try check(path, status, S_IROTH, "can be read by everybody")
        try check(path, status, S_IWOTH, "can be written to by everybody")
        try check(path, status, S_IWGRP, "can be written to by its group")
        if !isOwnGroup(status.st_gid) { try check(path, status, S_IRGRP, "can be read by group \(status.st_gid)") }
    }

    /// Refuses a mode in which `bit` is set.
    private static func check(_ path: String, _ status: stat, _ bit: mode_t, _ reason: String) throws(Failure) {
        guard status.st_mode & bit != 0 else { return }
        throw Failure(path: path, reason: "\(reason) (mode \(octal(status.st_mode & 0o7777)), bit \(octal(bit)))")
    }

    private static func octal(_ mode: mode_t) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }

    /// Whether a group is one of this process, so that reading by the group is how the process reads the file at all.
    private static func isOwnGroup(_ group: gid_t) -> Bool {
        if geteuid() == 0 || group == getegid() { return true }
        var groups = [gid_t](repeating: 0, count: 1024)
        // getgroups(2) writes at most as many groups as it is told, and returns how many, or -1.
        let count = unsafe getgroups(Int32(groups.count), &groups)
        return count > 0 && groups.prefix(Int(count)).contains(group)
    }

    private static func status(of path: String) throws(Failure) -> stat {
        var status = stat()
        guard unsafe lstat(path, &status) == 0 else { throw .system(path, "cannot be found") }
        return status
    }

    private static func target(of link: String) throws(Failure) -> String {
        var octets = [CChar](repeating: 0, count: Int(PATH_MAX))
        // readlink(2) writes no NUL and returns the length, or -1.
        let length = unsafe readlink(link, &octets, octets.count)
        guard length >= 0 else { throw .system(link, "cannot be followed") }
        return String(decoding: octets.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func workingDirectory() -> String {
        var octets = [CChar](repeating: 0, count: Int(PATH_MAX))
        // getcwd(3) returns null when the path does not fit; then the walk ends at a path that does not exist.
        guard unsafe getcwd(&octets, octets.count) != nil else { return "/" }
        return String(decoding: octets.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension KeyFile.Failure {
    /// A failure with the system's own words for the current `errno`.
    fileprivate static func system(_ path: String, _ what: String) -> KeyFile.Failure {
        let code = errno
        var text = [CChar](repeating: 0, count: 256)
        // The XSI strerror_r writes at most the length given, with a final NUL.
        unsafe strerror_r(code, &text, text.count)
        let words = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return KeyFile.Failure(path: path, reason: "\(what): \(words)")
    }
}
