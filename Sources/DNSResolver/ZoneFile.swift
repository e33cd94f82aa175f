internal import CLDNS
public import DNSLookup
internal import Glibc
internal import MailSyntax
internal import SystemPackage

/// Reads zones from master files (RFC 1035 § 5).
public enum ZoneFile {
    /// Why a file is not a zone: the file, the line and the reason, as `FILE:LINE: reason`.
    public struct SyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
        /// The file.
        public let path: String
        /// The line, counted from 1; nil when the file cannot be read.
        public let line: Int?
        /// The problem.
        public let reason: String

        /// `FILE:LINE: reason`.
        public var description: String { line.map { "\(path):\($0): \(reason)" } ?? "\(path): \(reason)" }
    }

    /// Reads a file; for record types that mail authentication never asks for, only the name is kept.
    public static func load(path: String) throws(SyntaxError) -> DNSZone {
        var reader = try Reader(path: path)
        var zone = DNSZone()
        while let record = try reader.next() {
            guard let owner = record.owner, record.isInternet else { continue }
            if let target = record.aliasTarget {
                zone.add(alias: owner, of: target, timeToLive: record.timeToLive)
            } else if let data = record.record {
                zone.add(data, at: owner, timeToLive: record.timeToLive)
            } else {
                zone.add(existing: owner)
            }
        }
        return zone
    }

    /// Owns an open file and the state that ldns carries from one record to the next.
    @safe
    private struct Reader: ~Copyable {
        let path: String
        let file: UnsafeMutablePointer<FILE>
        var origin: UnsafeMutablePointer<ldns_rdf>?
        var previous: UnsafeMutablePointer<ldns_rdf>?
        var timeToLive: UInt32 = 3600
        var line: Int32 = 0

        init(path: String) throws(SyntaxError) {
            guard let file = unsafe fopen(path, "re") else {
                throw SyntaxError(path: path, line: nil, reason: Errno(rawValue: errno).description)
            }
            self.path = path
            unsafe self.file = file
        }

        // ldns_rr_new_frm_fp_l replaces origin and previous, and says that the caller must free them.
        deinit {
            unsafe fclose(file)
            unsafe ldns_rdf_deep_free(origin)
            unsafe ldns_rdf_deep_free(previous)
        }

        /// The line that was read last: ldns counts line ends, and the last line of a file may have none.
        private var currentLine: Int {
            let isCutOff = unsafe feof(file) != 0 && fseek(file, -1, SEEK_END) == 0 && fgetc(file) != 0x0A
            return Int(line) + (isCutOff ? 1 : 0)
        }

        mutating func next() throws(SyntaxError) -> ResourceRecord? {
            while unsafe feof(file) == 0 {
                var record: UnsafeMutablePointer<ldns_rr>?
                let status = unsafe ldns_rr_new_frm_fp_l(&record, file, &timeToLive, &origin, &previous, &line)
                // A directory can be opened, and a disk can fail; in both cases the end of the file never comes.
                let code = errno
                let parsed = unsafe record.map { unsafe ResourceRecord(takingOwnershipOf: $0) }
                guard unsafe ferror(file) == 0 else {
                    throw SyntaxError(path: path, line: nil, reason: Errno(rawValue: code).description)
                }
                switch status {
                case LDNS_STATUS_OK:
                    if let parsed { return parsed }
                // An empty line, $TTL and $ORIGIN are not records.
                case LDNS_STATUS_SYNTAX_EMPTY, LDNS_STATUS_SYNTAX_TTL, LDNS_STATUS_SYNTAX_ORIGIN: break
                case LDNS_STATUS_SYNTAX_INCLUDE, LDNS_STATUS_SYNTAX_INCLUDE_ERR_NOTIMPL:
                    throw SyntaxError(path: path, line: currentLine, reason: "$INCLUDE is not supported")
                default:
                    let reason = unsafe ldns_get_errorstr_by_id(status).map { unsafe String(cString: $0) }
                    throw SyntaxError(path: path, line: currentLine, reason: reason ?? "syntax error")
                }
            }
            return nil
        }
    }
}
