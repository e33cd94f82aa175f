internal import DNSLookup
internal import MailSyntax
internal import NIOCore

extension CachingResolver {
    /// Why a file is not a snapshot.
    public struct SnapshotError: Error, Hashable, Sendable, CustomStringConvertible {
        /// The problem, as a text to follow the file's name.
        public let description: String
    }

    /// Writes the answers that are still valid to a file, and replaces an older file, so that the next process starts
    /// with a filled cache.
    ///
    /// - Parameters:
    ///   - path: the path of the file.
    ///   - time: the wall-clock time in seconds since 1970; the monotonic clock does not survive a reboot.
    /// - Throws: the error of the file system.
    public func saveSnapshot(to path: String, at time: Int64) throws(SnapshotError) {
        let now = now()
        var buffer = ByteBuffer()
        buffer.writeInteger(CacheSnapshot.magic)
        buffer.writeInteger(time)
        cache.forEach { shard in
            shard.forEachAnswer(at: now) { key, answer, remaining in
                let entry = CacheSnapshot.Entry(
                    answer: answer,
                    deniesName: key.type == nil,
                    remaining: UInt32(clamping: remaining.components.seconds)
                )
                CacheSnapshot.write(entry, to: &buffer)
            }
        }
        try SnapshotFile(path: path).write(Array(buffer.readableBytesView))
    }

    /// Loads the answers of a snapshot that are still valid; a truncated or damaged end is ignored.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - time: the wall-clock time in seconds since 1970.
    /// - Returns: how many answers were loaded.
    /// - Throws: why the file is not trusted, or the error of the file system.
    @discardableResult
    public func loadSnapshot(from path: String, at time: Int64) throws(SnapshotError) -> Int {
        var buffer = ByteBuffer(bytes: try SnapshotFile(path: path).read(atMost: maximumOctets))
        guard buffer.readInteger(as: UInt64.self) == CacheSnapshot.magic, let saved = buffer.readInteger(as: Int64.self)
        else { throw SnapshotError(description: "is no snapshot of this version") }
        // After a clock has gone backwards, the elapsed time is unknown.
        let (elapsed, overflow) = time.subtractingReportingOverflow(saved)
        guard !overflow, elapsed >= 0 else { return 0 }
        let now = now()
        var count = 0
        while let entry = CacheSnapshot.read(from: &buffer) {
            let remaining = Int64(entry.remaining) - elapsed
            guard remaining > 0 else { continue }
            let question = entry.answer.question
            let key = CacheKey(question.name, entry.deniesName ? nil : question.type)
            cache.with(key) { shard in
                shard.store(entry.answer, for: key, at: now, lifetime: .seconds(remaining))
            }
            count += 1
        }
        return count
    }
}

/// The layout of a snapshot: a magic number, the time, and one block with its length for each answer; big-endian.
enum CacheSnapshot {
    /// `PDNSv001`.
    static let magic: UInt64 = 0x5044_4E53_7630_3031

    struct Entry {
        let answer: DNSAnswer
        let deniesName: Bool
        /// How many seconds of the answer's lifetime remain.
        let remaining: UInt32
    }

    static func write(_ entry: Entry, to buffer: inout ByteBuffer) {
        var block = ByteBuffer()
        let answer = entry.answer
        let status: UInt8 =
            switch answer.status {
            case .records: 0
            case .noData: 1
            case .noSuchName: entry.deniesName ? 3 : 2
            }
        block.writeMultipleIntegers(status, answer.question.type.rawValue, answer.timeToLive, entry.remaining)
        write(answer.question.name.wire, to: &block)
        for record in answer.records {
            switch record {
            case .a(let address): block.writeInteger(address.value)
            case .aaaa(let address): block.writeMultipleIntegers(address.high, address.low)
            case .mx(let preference, let exchange):
                block.writeInteger(preference)
                write(exchange.wire, to: &block)
            case .ptr(let name): write(name.wire, to: &block)
            case .txt(let text): write(text, to: &block)
            }
        }
        buffer.writeInteger(UInt32(block.readableBytes))
        buffer.writeBuffer(&block)
    }

    private static func write(_ octets: [UInt8], to block: inout ByteBuffer) {
        block.writeInteger(UInt32(octets.count))
        block.writeBytes(octets)
    }

    /// The next answer; nil at the end, and where the octets are not valid.
    static func read(from buffer: inout ByteBuffer) -> Entry? {
        guard var block = buffer.readLengthPrefixedSlice(as: UInt32.self),
            let (status, type, timeToLive, remaining) = block.readMultipleIntegers(
                as: (UInt8, UInt16, UInt32, UInt32).self
            ),
            let type = DNSRecordType(rawValue: type), let name = readName(from: &block)
        else { return nil }
        let question = DNSQuestion(name, type)
        switch status {
        case 1, 2, 3:
            let answer = DNSAnswer(question, negative: status == 1 ? .noData : .noSuchName, timeToLive: timeToLive)
            return Entry(answer: answer, deniesName: status == 3, remaining: remaining)
        default:
            var records = [DNSRecord]()
            while block.readableBytes > 0 {
                guard let record = readRecord(type, from: &block) else { return nil }
                records.append(record)
            }
            let answer = DNSAnswer(question, records: records, timeToLive: timeToLive)
            return Entry(answer: answer, deniesName: false, remaining: remaining)
        }
    }

    private static func readRecord(_ type: DNSRecordType, from block: inout ByteBuffer) -> DNSRecord? {
        switch type {
        case .a: block.readInteger().map { .a(IPv4Address($0)) }
        case .aaaa:
            block.readMultipleIntegers(as: (UInt64, UInt64).self).map { .aaaa(IPv6Address(high: $0.0, low: $0.1)) }
        case .mx:
            block.readInteger(as: UInt16.self).flatMap { preference in
                readName(from: &block).map { .mx(preference: preference, exchange: $0) }
            }
        case .ptr: readName(from: &block).map { .ptr($0) }
        case .txt: block.readLengthPrefixedSlice(as: UInt32.self).map { .txt(Array($0.readableBytesView)) }
        }
    }

    private static func readName(from block: inout ByteBuffer) -> DomainName? {
        guard let octets = block.readLengthPrefixedSlice(as: UInt32.self) else { return nil }
        return try? DomainName(wire: Array(octets.readableBytesView)[...])
    }
}
