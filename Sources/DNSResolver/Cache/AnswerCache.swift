internal import DNSLookup
internal import MailSyntax
internal import Synchronization

/// Shards of the cache, each behind a lock of its own.
final class AnswerCache: Sendable {
    private final class Box: Sendable {
        let state: Mutex<CacheShard>

        init(_ shard: CacheShard) { state = Mutex(shard) }
    }

    /// No shard is so small that one large answer turns it over.
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

    /// Works on the shard of a key; short and without calling out.
    func with<Result: Sendable>(_ key: CacheKey, _ body: (inout CacheShard) -> Result) -> Result {
        boxes[key.hash & mask].state.withLock { shard in body(&shard) }
    }

    /// Works on every shard in turn.
    func forEach(_ body: (inout CacheShard) -> Void) {
        for box in boxes { box.state.withLock { shard in body(&shard) } }
    }
}
