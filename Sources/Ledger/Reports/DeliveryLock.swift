internal import Glibc
internal import SystemPackage

/// Held by the process that sends reports: what another one finds as `sending` was left by a crash.
final class DeliveryLock {
    private let file: FileDescriptor

    /// Takes the lock; nil while another process has it.
    init?(beside store: String) throws(StoreError) {
        // A file of its own: SQLite's locks on the store would be lost when another descriptor of it is closed.
        let path = store + "-sending"
        do {
            file = try FileDescriptor.open(
                FilePath(path),
                .readWrite,
                options: [.create, .closeOnExec, .noFollow],
                permissions: [.ownerReadWrite]
            )
        } catch {
            throw .failed("\(path): \(error)")
        }
        // Root makes it for the user who owns the store.
        var owner = stat()
        if geteuid() == 0, unsafe stat(store, &owner) == 0 { _ = fchown(file.rawValue, owner.st_uid, owner.st_gid) }
        guard flock(file.rawValue, LOCK_EX | LOCK_NB) == 0 else {
            let isHeld = errno == EWOULDBLOCK
            try? file.close()
            if isHeld { return nil }
            throw .failed("\(path) cannot be locked")
        }
    }

    deinit { try? file.close() }
}
