internal import Glibc
internal import Synchronization

/// Keeps a few file descriptors in reserve: when there are no others, the daemon can still report its status.
final class SpareDescriptors: Sendable {
    private static let count = 4

    private let descriptors = Mutex<[CInt]>([])

    /// Opens the descriptors.
    init() { refill() }

    deinit { while lend() {} }

    /// Frees a descriptor for another use.
    ///
    /// - Returns: whether there was a descriptor to free.
    @Sendable
    func lend() -> Bool {
        guard let descriptor = descriptors.withLock({ $0.popLast() }) else { return false }
        close(descriptor)
        return true
    }

    /// Opens the freed descriptors again, as far as descriptors are available.
    func refill() {
        descriptors.withLock { descriptors in
            while descriptors.count < Self.count {
                let descriptor = unsafe open("/dev/null", O_RDONLY | O_CLOEXEC)
                guard descriptor >= 0 else { return }
                descriptors.append(descriptor)
            }
        }
    }
}
