internal import DNSLookup
internal import MailSyntax

/// The key of a cache entry: a question, or a name that does not exist for any type.
struct CacheKey: Hashable {
    let name: DomainName
    /// Nil: the name does not exist, and so no name below it exists (RFC 8020 § 2).
    let type: DNSRecordType?
    /// Computed once, with the random seed of the process: it selects the shard and the place within it.
    let hash: Int

    init(_ name: DomainName, _ type: DNSRecordType?) {
        self.name = name
        self.type = type
        var hasher = Hasher()
        name.hash(into: &hasher)
        hasher.combine(type?.rawValue ?? 0)
        hash = hasher.finalize()
    }

    init(_ question: DNSQuestion) {
        self.init(question.name, question.type)
    }

    func hash(into hasher: inout Hasher) { hasher.combine(hash) }

    static func == (one: CacheKey, other: CacheKey) -> Bool {
        one.hash == other.hash && one.type == other.type && one.name == other.name
    }
}

extension DomainName {
    /// Whether the name holds a DKIM key (RFC 6376 § 3.6.2.1: `selector._domainkey.domain`).
    var holdsKey: Bool { labels.dropFirst().contains { $0.elementsEqual("_domainkey".utf8) } }
}

extension DNSAnswer {
    /// The approximate memory of the answer and its name, including allocator overhead.
    ///
    /// The figures come from `Tests/Faults/cache_memory.py`, which compares them with the growth of the process.
    var cost: Int {
        let holdsKey = question.type == .txt && question.name.holdsKey
        return records.reduce(192 + question.name.wire.count) { sum, record in
            switch record {
            case .a, .aaaa: sum + 40
            case .mx(_, let name), .ptr(let name): sum + 80 + name.wire.count
            case .txt(let text): sum + 320 + 3 * text.count + Self.costOfMeaning(text, holdsKey: holdsKey)
            }
        }
    }

    /// The approximate memory of the parsed form of a text, which is kept beside the text.
    private static func costOfMeaning(_ text: [UInt8], holdsKey: Bool) -> Int {
        // An RSA key with all of OpenSSL's structures; an Ed25519 key is shorter, and needs little more than its
        // octets.
        if holdsKey { return text.count > 128 ? 1200 + 3 * text.count : 320 }
        return text.starts(with: "v=spf1".utf8) || text.starts(with: "spf2.0".utf8) ? 5 * text.count : 0
    }
}
