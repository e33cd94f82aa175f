internal import Glibc
internal import Synchronization

/// A few file descriptors that are kept for the hour when there are no others: then the daemon can still be asked how it is.
final class SpareDescriptors: Sendable {
    private static let count = 4

    private let descriptors = Mutex<[CInt]>([])

    /// Takes the descriptors.
    init() { refill() }

    deinit { while lend() {} }

    /// Frees a descriptor for something else.
    ///
    /// - Returns: whether there was one.
    @Sendable
    func lend() -> Bool {
        guard let descriptor = descriptors.withLock({ $0.popLast() }) else { return false }
        close(descriptor)
        return true
    }

    /// Takes back what was lent, as far as there are descriptors now.
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
