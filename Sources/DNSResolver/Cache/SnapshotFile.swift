internal import Glibc
internal import SystemPackage

/// A file that only its owner or root may have written, and that nobody else can read.
///
/// The resolver trusts its contents like answers of the DNS, including keys of senders.
struct SnapshotFile {
    typealias Failure = CachingResolver.SnapshotError

    let path: String

    /// Reads the file, if it belongs to us and is not longer than `limit`.
    func read(atMost limit: Int) throws(Failure) -> [UInt8] {
        let descriptor = unsafe open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw .system("cannot be opened") }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else { throw .system("cannot be examined") }
        try Self.check(status)
        guard status.st_size <= limit else { throw Failure(description: "is longer than \(limit) octets") }
        var octets = [UInt8](repeating: 0, count: Int(status.st_size))
        var length = 0
        while length < octets.count {
            // read(2) writes at most the given number of octets; 0 is the end.
            let count = unsafe octets.withUnsafeMutableBytes { buffer in
                unsafe Glibc.read(descriptor, buffer.baseAddress?.advanced(by: length), buffer.count - length)
            }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system("cannot be read") }
            if count == 0 { break }
            length += count
        }
        return Array(octets.prefix(length))
    }

    private static func check(_ status: stat) throws(Failure) {
        guard status.st_mode & S_IFMT == S_IFREG else { throw Failure(description: "is not a regular file") }
        guard status.st_uid == 0 || status.st_uid == geteuid() else {
            throw Failure(
                description: "belongs to user \(status.st_uid), not to root or user \(geteuid()), so it is not believed"
            )
        }
        guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
            throw Failure(description: "can be written to by others, so it is not believed: chmod go-w makes it ours")
        }
    }

    /// Writes the octets to a new file that replaces the old one; on failure the old file stays.
    func write(_ octets: [UInt8]) throws(Failure) {
        let temporary = "\(path).\(UInt64.random(in: .min ... .max))"
        // Without O_EXCL another user could have put a file there.
        let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("cannot be created") }
        do throws(Failure) {
            try Self.write(octets, descriptor)
        } catch {
            close(descriptor)
            unsafe unlink(temporary)
            throw error
        }
        close(descriptor)
        guard unsafe rename(temporary, path) == 0 else {
            let failure = Failure.system("cannot be replaced")
            unsafe unlink(temporary)
            throw failure
        }
    }

    private static func write(_ octets: [UInt8], _ descriptor: Int32) throws(Failure) {
        var length = 0
        while length < octets.count {
            // write(2) reads at most the given number of octets, and may accept fewer.
            let count = unsafe octets.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress?.advanced(by: length), buffer.count - length)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .system("cannot be written") }
            length += count
        }
        guard fsync(descriptor) == 0 else { throw .system("cannot be written") }
    }
}

extension CachingResolver.SnapshotError {
    /// A failure with the system's text for the current `errno`.
    fileprivate static func system(_ what: String) -> Self {
        Self(description: "\(what): \(Errno(rawValue: errno))")
    }
}
