internal import Glibc
public import MailSyntax

/// A time in the notation of RFC 3339, in UTC.
public struct UTCTime: CustomStringConvertible {
    /// `2026-11-23T12:00:00Z`.
    public let description: String

    /// A time as text.
    public init(_ time: UnixTime) {
        var seconds = time_t(time.seconds)
        var fields = unsafe tm()
        _ = unsafe gmtime_r(&seconds, &fields)
        description = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { buffer in
            guard let base = buffer.baseAddress else { return "" }
            let count = unsafe strftime(base, 32, "%Y-%m-%dT%H:%M:%SZ", &fields)
            return unsafe String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}
