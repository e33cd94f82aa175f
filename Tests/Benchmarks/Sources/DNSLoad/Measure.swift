import Glibc

/// The wall clock and the processor time of the process since it was made.
struct Measure {
    private let start = ContinuousClock.now
    private let processor = Self.processorTime()

    private static func processorTime() -> Double {
        var usage = rusage()
        unsafe getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
        return [usage.ru_utime, usage.ru_stime].reduce(0) { $0 + Double($1.tv_sec) + Double($1.tv_usec) / 1e6 }
    }

    func report(_ title: String, lookups: Int) {
        let time = ContinuousClock.now - start
        let seconds = Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
        let used = Self.processorTime() - processor
        let rate = Int(Double(lookups) / seconds)
        let cost = (used / Double(lookups) * 1e9).rounded() / 1e3
        print("\(title): \(lookups) lookups, \(rate)/s, \(cost) us of processor time each")
    }
}

/// What the process holds.
struct ProcessState: Sendable {
    var residentKiB = 0
    var descriptors = 0

    init() {
        if let file = unsafe fopen("/proc/self/statm", "re") {
            var line = [CChar](repeating: 0, count: 256)
            if unsafe fgets(&line, 256, file) != nil {
                let text = String(decoding: line.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                residentKiB = text.split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * 4 } ?? 0
            }
            unsafe fclose(file)
        }
        if let folder = unsafe opendir("/proc/self/fd") {
            while unsafe readdir(folder) != nil { descriptors += 1 }
            unsafe closedir(folder)
        }
    }

    func most(_ other: ProcessState) -> ProcessState {
        var most = self
        most.residentKiB = max(residentKiB, other.residentKiB)
        most.descriptors = max(descriptors, other.descriptors)
        return most
    }
}

/// The names a soak asks for, and what one list in the order of use makes of them.
enum Model {
    /// A name for each lookup, the lower numbers more often: the product of two uniform draws.
    static func name(_ lookup: Int, of names: Int) -> Int {
        let first = mix(UInt64(lookup) &* 2) % 65_536
        let second = mix(UInt64(lookup) &* 2 &+ 1) % 65_536
        return Int((first * second * UInt64(names)) >> 32)
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// Hits and evictions of a single list of the least recently used.
    static func leastRecentlyUsed(lookups: Int, names: Int, capacity: Int) -> (hits: Int, evictions: Int) {
        var lastUse = [Int](repeating: -1, count: names)
        var isHeld = [Bool](repeating: false, count: names)
        var uses = [Int]()
        uses.reserveCapacity(lookups)
        var oldest = 0
        var held = 0
        var hits = 0
        var evictions = 0
        for lookup in 0..<lookups {
            let name = name(lookup, of: names)
            if isHeld[name] {
                hits += 1
            } else {
                isHeld[name] = true
                held += 1
            }
            lastUse[name] = lookup
            uses.append(name)
            while held > capacity {
                let candidate = uses[oldest]
                if isHeld[candidate], lastUse[candidate] == oldest {
                    isHeld[candidate] = false
                    held -= 1
                    evictions += 1
                }
                oldest += 1
            }
        }
        return (hits, evictions)
    }
}
