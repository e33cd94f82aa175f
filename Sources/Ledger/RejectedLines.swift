internal import Glibc
internal import MailSyntax
internal import SystemPackage

/// The lines of a segment that were not taken in, on their way to a file of their own.
struct RejectedLines {
    /// How many reasons are named.
    private static let maximumReasons = 10
    /// How many octets of lines are kept for one segment.
    private static let limit = 64 << 20

    private var reasons: [LineProblem: Int] = [:]
    private var octets: [UInt8] = []
    /// How many there are.
    private(set) var count = 0

    /// Adds a line.
    mutating func add(_ line: Octets, _ problem: LineProblem) {
        count += 1
        reasons[problem, default: 0] += 1
        guard octets.count + line.count < Self.limit else { return }
        octets += line
        octets.append(.lf)
    }

    /// The reasons in a line: `2 lines not taken: 1 not a JSON object; 1 without dmarc`.
    var summary: String {
        let sorted = reasons.sorted { ($1.value, $0.key.description) < ($0.value, $1.key.description) }
        let named = sorted.prefix(Self.maximumReasons).map { "\($0.value) \($0.key)" }
        let others = sorted.count > named.count ? ["others"] : []
        let text = (named + others).joined(separator: "; ")
        return FieldText.printable(
            Octets("\(count) line\(count == 1 ? "" : "s") not taken: \(text)"),
            limit: 2000
        )[...].text
    }

    /// Writes the file, with the reasons in its first line, in place of one that an intake before a crash has left.
    func write(to path: String) throws(Errno) {
        let temporary = path + ".new"
        // Whatever stands there is not opened.
        unsafe unlink(temporary)
        do {
            let file = try FileDescriptor.open(
                FilePath(temporary),
                .writeOnly,
                options: [.create, .exclusiveCreate, .closeOnExec, .noFollow],
                permissions: [.ownerReadWrite, .groupRead]
            )
            try file.closeAfter {
                _ = try file.writeAll(Array("# \(summary)\n".utf8) + octets)
                guard fsync(file.rawValue) == 0 else { throw Errno(rawValue: errno) }
            }
        } catch {
            throw error as? Errno ?? .ioError
        }
        guard unsafe rename(temporary, path) == 0 else {
            let problem = Errno(rawValue: errno)
            unsafe unlink(temporary)
            throw problem
        }
    }
}
