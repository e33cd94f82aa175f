import Foundation

/// What some processes have used together, from `/proc`.
struct ProcessSample: Sendable {
    /// Seconds of CPU time, in user and system mode.
    var cpuSeconds = 0.0
    /// Resident set, in KiB.
    var residentKiB = 0
    /// The part of it that is not backed by files, in KiB.
    var anonymousKiB = 0
    /// Threads.
    var threads = 0

    /// Reads processes; nil when none of them is there.
    init?(processes: [Int32]) {
        var isEmpty = true
        for process in processes where add(process) { isEmpty = false }
        if isEmpty { return nil }
    }

    private mutating func add(_ process: Int32) -> Bool {
        guard let stat = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
            let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8),
            let end = stat.lastIndex(of: ")")
        else { return false }
        // proc(5): utime and stime are fields 14 and 15, in clock ticks; the text after the name begins with field 3.
        let fields = stat[end...].split(separator: " ").dropFirst().map { Double($0) ?? 0 }
        guard fields.count > 17 else { return false }
        cpuSeconds += (fields[11] + fields[12]) / Double(sysconf(Int32(_SC_CLK_TCK)))
        threads += Int(fields[17])
        for line in status.split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            guard words.count >= 2, let number = Int(words[1]) else { continue }
            if words[0] == "VmRSS:" { residentKiB += number }
            if words[0] == "RssAnon:" { anonymousKiB += number }
        }
        return true
    }
}
