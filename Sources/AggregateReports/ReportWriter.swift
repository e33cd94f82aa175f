/// Writes a report as a compressed file, row by row; it holds only what is compressed.
///
/// The same rows in the same order give the same octets.
public final class ReportWriter {
    /// The report could not be compressed.
    public struct Failure: Error, Hashable, CustomStringConvertible {
        /// zlib's number for it.
        public let code: Int32

        /// The failure in words.
        public var description: String { "zlib fails with \(code)" }
    }

    private let stream: GzipStream
    /// The number of rows so far.
    public private(set) var rows = 0

    /// Begins a report.
    ///
    /// - Parameters:
    ///   - identity: which report it is.
    ///   - errors: what else the owner should know, beside what is wrong with the record.
    ///   - generator: the name and the version of this program.
    public init(_ identity: ReportIdentity, errors: [String] = [], generator: String) throws(Failure) {
        do throws(GzipStream.Failure) {
            stream = try GzipStream()
            try stream.append(ReportDocument(identity, errors: errors, generator: generator).opening)
        } catch {
            throw Failure(code: error.code)
        }
    }

    /// Writes a row.
    ///
    /// - Parameters:
    ///   - record: the row.
    ///   - count: how many messages it stands for.
    public func append(_ record: ReportRecord, count: Int) throws(Failure) {
        do throws(GzipStream.Failure) {
            try stream.append(ReportDocument.row(record, count: count))
        } catch {
            throw Failure(code: error.code)
        }
        rows += 1
    }

    /// Ends the report; nothing may be written afterwards.
    ///
    /// RFC 9990 § 3.1.1.2: "There MUST be at least one "record" element", so a report without rows must not be sent.
    ///
    /// - Returns: the file.
    public func finish() throws(Failure) -> [UInt8] {
        do throws(GzipStream.Failure) {
            try stream.append(ReportDocument.closing)
            return try stream.finish()
        } catch {
            throw Failure(code: error.code)
        }
    }
}
