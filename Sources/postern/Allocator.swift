internal import CMimalloc

/// The allocator: mimalloc instead of the C library's, as each message takes some hundred small pieces of memory for a
/// moment.
enum Allocator {
    /// After how many milliseconds memory that is no longer used goes back to the system.
    private static let delay = 2

    /// Has memory go back to the system while the daemon is at work.
    ///
    /// By itself mimalloc waits longer, and begins anew whenever more is freed: with messages all the time, never does it
    /// come to that, and whatever was once used stays resident.
    static func returnFreeMemory() {
        mi_option_set(mi_option_purge_delay, delay)
        mi_option_set(mi_option_purge_extend_delay, 0)
    }
}
