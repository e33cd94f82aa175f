internal import CMimalloc

/// The allocator: mimalloc instead of the C library's, because each message allocates some hundred small pieces of
/// memory for a short time.
enum Allocator {
    /// How many milliseconds after its last use memory is returned to the system.
    private static let delay = 2

    /// Lets memory return to the system while the daemon is at work.
    ///
    /// By default, mimalloc waits longer, and starts the wait again whenever more memory is freed: with a steady flow
    /// of messages it would never return any memory.
    static func returnFreeMemory() {
        mi_option_set(mi_option_purge_delay, delay)
        mi_option_set(mi_option_purge_extend_delay, 0)
    }
}
