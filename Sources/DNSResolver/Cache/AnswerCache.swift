internal import DNSLookup
internal import MailSyntax
internal import Synchronization

/// The shards of the cache, each with its own lock.
final class AnswerCache: Sendable {
    private final class Box: Sendable {
        let state: Mutex<CacheShard>

        init(_ shard: CacheShard) { state = Mutex(shard) }
    }

    /// A shard is never so small that one large answer evicts all others.
    private static let leastBytesPerShard = 512 << 10
    private static let mostShards = 64

    private let boxes: [Box]
    private let mask: Int

    init(_ options: CacheOptions) {
        var count = 1
        while count < Self.mostShards, options.maximumBytes / (count * 2) >= Self.leastBytesPerShard { count *= 2 }
        boxes = (0..<count).map { _ in Box(CacheShard(options, shards: count)) }
        mask = count - 1
    }

    /// Runs `body` on the shard of a key; `body` must be short and must not call out.
    func with<Result: Sendable>(_ key: CacheKey, _ body: (inout CacheShard) -> Result) -> Result {
        boxes[key.hash & mask].state.withLock { shard in body(&shard) }
    }

    /// Runs `body` on each shard in turn.
    func forEach(_ body: (inout CacheShard) -> Void) {
        for box in boxes { box.state.withLock { shard in body(&shard) } }
    }
}
