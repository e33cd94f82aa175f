internal import DequeModule
internal import NIOCore
internal import Synchronization

/// The open connections of a server, oldest first.
///
/// Where there are too many, the oldest one is closed for the newest: who asks and reads at once is answered however many
/// others hold a connection and say nothing.
final class AdminConnections: Sendable {
    private let most: Int
    private let open = Mutex(Deque<any Channel>())

    /// No connections; this many may be open.
    init(most: Int) {
        self.most = max(1, most)
    }

    /// Takes a new connection.
    func add(_ channel: any Channel) {
        let oldest = open.withLock { open in
            open.append(channel)
            return open.count > most ? open.popFirst() : nil
        }
        oldest?.close(promise: nil)
    }

    /// Forgets a connection that is closed.
    func remove(_ channel: any Channel) {
        open.withLock { open in
            if let index = open.firstIndex(where: { $0 === channel }) { open.remove(at: index) }
        }
    }
}
