import Foundation

/// What the clients saw.
struct Results: Sendable {
    var endOfMessage: [UInt32] = []
    var total: [UInt32] = []
    var verdicts: [String: Int] = [:]
    var errors: [String: Int] = [:]
    /// How many messages ended, also those that were not in time.
    var completed = 0

    mutating func merge(_ other: Results) {
        endOfMessage += other.endOfMessage
        total += other.total
        verdicts.merge(other.verdicts) { $0 + $1 }
        errors.merge(other.errors) { $0 + $1 }
        completed += other.completed
    }
}

/// Milliseconds at some points of a distribution.
struct Percentiles: Encodable {
    let p50: Double
    let p90: Double
    let p99: Double
    let max: Double

    init(microseconds: [UInt32]) {
        let sorted = microseconds.sorted()
        func at(_ share: Double) -> Double {
            guard !sorted.isEmpty else { return 0 }
            let index = min(Int((Double(sorted.count) * share).rounded(.up)), sorted.count) - 1
            return Double(sorted[Swift.max(index, 0)]) / 1000
        }
        p50 = at(0.5)
        p90 = at(0.9)
        p99 = at(0.99)
        max = at(1)
    }
}

/// One run, as it is printed.
struct Report: Encodable {
    let label: String
    let concurrency: Int
    let messagesPerConnection: Int
    let messages: Int
    let seconds: Double
    let messagesPerSecond: Double
    let endOfMessageMilliseconds: Percentiles
    let totalMilliseconds: Percentiles
    let verdicts: [String: Int]
    let errors: [String: Int]
    let cpuSecondsPerThousand: Double?
    /// What the load program itself takes.
    let ownCPUSecondsPerThousand: Double?
    let residentKiB: Int?
    let peakResidentKiB: Int?
    let anonymousKiB: Int?
    let threads: Int?

    /// One line of JSON.
    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }

    /// One line for people.
    var text: String {
        func number(_ value: Double, _ digits: Int = 2) -> String { String(format: "%.\(digits)f", value) }
        func percentiles(_ value: Percentiles) -> String {
            "\(number(value.p50))/\(number(value.p99))/\(number(value.max))"
        }
        var line = "\(label) c=\(concurrency) \(messages) messages \(number(messagesPerSecond, 0))/s"
        line += "  eom p50/p99/max \(percentiles(endOfMessageMilliseconds)) ms"
        line += "  total \(percentiles(totalMilliseconds)) ms"
        if let cpuSecondsPerThousand { line += "  cpu/1000 \(number(cpuSecondsPerThousand, 3)) s" }
        if let ownCPUSecondsPerThousand { line += " (own \(number(ownCPUSecondsPerThousand, 3)) s)" }
        if let residentKiB, let peakResidentKiB, let threads {
            line += "  rss \(residentKiB / 1024) MiB (peak \(peakResidentKiB / 1024))  threads \(threads)"
        }
        let counts = verdicts.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        line += "  " + counts.joined(separator: " ")
        if !errors.isEmpty { line += "  errors: \(errors)" }
        return line
    }
}
