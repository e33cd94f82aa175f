internal import DNSLookup
internal import NIOCore

@testable internal import DNSResolver

/// Reads an input as what a snapshot of the cache holds; what was read, written again, reads as the same.
func fuzzCacheSnapshot(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    var buffer = ByteBuffer(bytes: unsafe input(start, count))
    while let entry = CacheSnapshot.read(from: &buffer) {
        Outcomes.count("\(entry.answer.question.type) \(entry.answer.status)")
        expect(entry.answer.records.allSatisfy { $0.type == entry.answer.question.type })
        expect(entry.answer.records.count <= count && entry.answer.cost > 0)
        expect(!entry.deniesName || entry.answer.status == .noSuchName)
        var written = ByteBuffer()
        CacheSnapshot.write(entry, to: &written)
        guard let again = CacheSnapshot.read(from: &written) else { fatalError("it does not read again") }
        expect(written.readableBytes == 0 && again.remaining == entry.remaining)
        expect(again.deniesName == entry.deniesName && again.answer.question == entry.answer.question)
        expect(again.answer.status == entry.answer.status && again.answer.records == entry.answer.records)
    }
    return 0
}
