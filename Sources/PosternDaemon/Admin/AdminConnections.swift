internal import DequeModule
internal import NIOCore
internal import Synchronization

/// The open connections of a server, the oldest first.
///
/// If there are too many, the oldest connection is closed for the newest: a client that asks and reads at once gets its
/// answer, however many others hold a silent connection.
final class AdminConnections: Sendable {
    private let most: Int
    private let open = Mutex(Deque<any Channel>())

    /// A list for up to `most` connections.
    init(most: Int) {
        self.most = max(1, most)
    }

    /// Adds a new connection.
    func add(_ channel: any Channel) {
        let oldest = open.withLock { open in
            open.append(channel)
            return open.count > most ? open.popFirst() : nil
        }
        oldest?.close(promise: nil)
    }

    /// Removes a closed connection.
    func remove(_ channel: any Channel) {
        open.withLock { open in
            if let index = open.firstIndex(where: { $0 === channel }) { open.remove(at: index) }
        }
    }
}
