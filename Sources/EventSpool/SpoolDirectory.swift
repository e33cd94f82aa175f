internal import Glibc
public import SystemPackage

/// A segment as the directory shows it.
public struct Segment: Hashable, Sendable {
    /// Its name.
    public let name: SegmentName
    /// Whether it is still being written.
    public let state: SegmentName.State
    /// Its size in octets.
    public let octetCount: Int
    /// When it was last written, in seconds since 1970.
    public let modified: Int64
}

/// The directory through which the filter hands events to the ledger.
public struct SpoolDirectory: Sendable {
    /// Its path.
    public let path: String

    /// The directory at a path.
    public init(_ path: String) {
        self.path = path
    }

    /// The path of a segment's file.
    public func path(of name: SegmentName, _ state: SegmentName.State) -> String {
        "\(path)/\(name.fileName(state))"
    }

    /// The path of the file for the lines of a segment that the ledger could not take in.
    public func path(ofRejected name: SegmentName) -> String {
        path(of: name, .closed).dropLast(SegmentName.State.closed.rawValue.count) + "rejected"
    }

    /// Removes the files of such lines that were written before a time in seconds since 1970.
    public func removeRejected(before time: Int64) throws(Errno) {
        for file in try files() where file.hasSuffix(".rejected") {
            let path = "\(path)/\(file)"
            var status = stat()
            guard SegmentName(fileName: file.dropLast("rejected".count) + SegmentName.State.closed.rawValue) != nil,
                unsafe lstat(path, &status) == 0, Int64(status.st_mtim.tv_sec) < time
            else { continue }
            unsafe unlink(path)
        }
    }

    /// The segments, the oldest first.
    public func segments() throws(Errno) -> [Segment] {
        let segments = try files().compactMap { file in
            SegmentName(fileName: file).flatMap { segment($0, isOpen: file.hasSuffix(".open")) }
        }
        return segments.sorted {
            ($0.modified, $0.name.host, $0.name.boot, $0.name.sequence)
                < ($1.modified, $1.name.host, $1.name.boot, $1.name.sequence)
        }
    }

    /// The names of all files.
    private func files() throws(Errno) -> [String] {
        guard let folder = unsafe opendir(path) else { throw Errno(rawValue: errno) }
        defer { unsafe closedir(folder) }
        var files = [String]()
        while let entry = unsafe readdir(folder) {
            let file = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            files.append(file)
        }
        return files
    }

    private func segment(_ name: SegmentName, isOpen: Bool) -> Segment? {
        let state = isOpen ? SegmentName.State.open : .closed
        var status = stat()
        guard unsafe lstat(path(of: name, state), &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Segment(
            name: name,
            state: state,
            octetCount: Int(status.st_size),
            modified: Int64(status.st_mtim.tv_sec)
        )
    }

    /// Closes the segments whose writers have died, and returns their names.
    ///
    /// A writer holds the lock of its segment (flock(2)) as long as it lives.
    @discardableResult
    public func closeOrphans() throws(Errno) -> [SegmentName] {
        var closed = [SegmentName]()
        for segment in try segments() where segment.state == .open {
            if close(orphan: segment.name) { closed.append(segment.name) }
        }
        return closed
    }

    private func close(orphan name: SegmentName) -> Bool {
        // The ledger may not write to it.
        let descriptor = unsafe Glibc.open(path(of: name, .open), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { return false }
        defer { Glibc.close(descriptor) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, fsync(descriptor) == 0 else { return false }
        // Whoever renames a segment holds its lock: somebody may have done so since it was opened.
        guard isFile(descriptor, at: path(of: name, .open)) else { return false }
        // A closed segment of this name may wait to be taken in.
        guard unsafe access(path(of: name, .closed), F_OK) != 0, errno == ENOENT else { return false }
        return unsafe rename(path(of: name, .open), path(of: name, .closed)) == 0
    }

    /// Whether an open file is the one at a path.
    private func isFile(_ descriptor: Int32, at path: String) -> Bool {
        var (open, named) = (stat(), stat())
        guard unsafe fstat(descriptor, &open) == 0, unsafe lstat(path, &named) == 0 else { return false }
        return open.st_ino == named.st_ino && open.st_dev == named.st_dev
    }

    /// Removes a segment; true when it is gone.
    @discardableResult
    public func remove(_ segment: Segment) -> Bool {
        unsafe unlink(path(of: segment.name, segment.state)) == 0 || errno == ENOENT
    }
}
