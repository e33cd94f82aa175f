internal import CMimalloc

/// The allocator: mimalloc instead of the C library's, as each message takes some hundred small pieces of memory for a
/// moment.
enum Allocator {
    /// After how many milliseconds memory that is no longer used goes back to the system.
    private static let delay = 2

    /// Has memory go back to the system while the daemon is at work.
    ///
    /// Left alone, mimalloc waits longer, and starts the wait anew whenever more falls free: with messages all the time
    /// it never gives anything back.
    static func returnFreeMemory() {
        mi_option_set(mi_option_purge_delay, delay)
        mi_option_set(mi_option_purge_extend_delay, 0)
    }
}
