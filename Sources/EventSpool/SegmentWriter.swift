internal import Glibc
public import SystemPackage

/// An open segment: lines go to its end, and closing makes it whole for the reader.
///
/// The writer holds the file's lock as long as it lives, so that nobody takes the segment for an orphan.
public final class SegmentWriter {
    private let directory: SpoolDirectory
    private let name: SegmentName
    private let descriptor: Int32
    /// How many octets of whole lines the segment has.
    public private(set) var octetCount = 0

    /// Makes a segment.
    ///
    /// - Throws: the reason why the file cannot be made.
    public init(_ directory: SpoolDirectory, _ name: SegmentName) throws(Errno) {
        self.directory = directory
        self.name = name
        // Under another name until it is locked: between the two, somebody else could lock it.
        let unnamed = "\(directory.path)/.\(name.fileName(.open))"
        let mode: mode_t = 0o640
        descriptor = unsafe Glibc.open(unnamed, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        let isLocked = flock(descriptor, LOCK_EX | LOCK_NB) == 0
        guard isLocked, unsafe rename(unnamed, directory.path(of: name, .open)) == 0 else {
            let error = Errno(rawValue: errno)
            unsafe unlink(unnamed)
            Glibc.close(descriptor)
            throw error
        }
    }

    deinit { Glibc.close(descriptor) }

    /// Whether the file still has a name: somebody may have removed it, or the directory.
    public var isInPlace: Bool {
        var status = stat()
        return unsafe fstat(descriptor, &status) == 0 && status.st_nlink > 0
    }

    /// Appends whole lines; when they do not all fit, none is kept of this call.
    public func append(_ lines: some Collection<UInt8>) throws(Errno) {
        let count = lines.count
        var written = 0
        let error = lines.withContiguousStorageIfAvailable { octets -> Errno? in
            while written < count {
                let rest = unsafe UnsafeRawBufferPointer(octets)[written...]
                let more = unsafe Glibc.write(
                    descriptor,
                    UnsafeRawBufferPointer(rebasing: rest).baseAddress,
                    rest.count
                )
                if more < 0, errno == EINTR { continue }
                guard more > 0 else { return more == 0 ? .noSpace : Errno(rawValue: errno) }
                written += more
            }
            return nil
        }
        guard let failure = error ?? nil else {
            octetCount += written
            return
        }
        // Half a line would be taken for a line that was cut.
        ftruncate(descriptor, off_t(octetCount))
        throw failure
    }

    /// Brings everything to the disk, and gives the segment to the reader; an empty segment is removed.
    public func close() throws(Errno) {
        let open = directory.path(of: name, .open)
        if octetCount == 0 {
            unsafe unlink(open)
            return
        }
        guard fdatasync(descriptor) == 0, unsafe rename(open, directory.path(of: name, .closed)) == 0 else {
            throw Errno(rawValue: errno)
        }
    }
}
