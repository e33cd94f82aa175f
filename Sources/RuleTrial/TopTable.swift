/// The most frequent of any number of keys, in bounded memory (Metwally, Agrawal and El Abbadi, "Space-Saving", 2005).
///
/// When the table is full, a new key takes the place and the count of the rarest one: a count may be too high, by at most
/// `over`, and is never too low.
struct TopTable<Key: Hashable & Sendable>: Sendable {
    struct Entry: Sendable {
        var key: Key
        /// How often it was seen, at most.
        var count: Int
        /// How much of the count may belong to other keys.
        var over: Int
    }

    /// The most keys that are counted.
    static var capacity: Int { 256 }

    private var places = [Key: Int]()
    private var entries = [Entry]()

    /// Counts a key, and returns whether it took another one's place, and which place it has.
    @discardableResult
    mutating func add(_ key: Key) -> (place: Int, isNew: Bool) {
        if let place = places[key] {
            entries[place].count += 1
            return (place, false)
        }
        guard entries.count >= Self.capacity, let rarest = entries.indices.min(by: isRarer) else {
            places[key] = entries.count
            entries.append(Entry(key: key, count: 1, over: 0))
            return (entries.count - 1, true)
        }
        let count = entries[rarest].count
        places[entries[rarest].key] = nil
        places[key] = rarest
        entries[rarest] = Entry(key: key, count: count + 1, over: count)
        return (rarest, true)
    }

    private func isRarer(_ one: Int, _ other: Int) -> Bool { entries[one].count < entries[other].count }

    /// The keys with their places, the most frequent first.
    var sorted: [(place: Int, entry: Entry)] {
        entries.enumerated().sorted { ($1.element.count, $0.offset) < ($0.element.count, $1.offset) }
            .map { (place: $0.offset, entry: $0.element) }
    }
}
