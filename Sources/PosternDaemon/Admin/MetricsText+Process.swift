internal import Glibc
internal import MailSyntax

extension MetricsText {
    /// What the process takes of the host, by the names that Prometheus' client libraries have for it.
    ///
    /// What the system does not tell is left out.
    static func process(began: UnixTime) -> MetricsText {
        var text = MetricsText(prefix: "process_")
        text.add("start_time_seconds", .gauge, "When the process began.", Int(began.seconds))
        text.add("cpu_seconds_total", .counter, "CPU time of user and system.", ProcessUse.cpuSeconds)
        if let memory = ProcessUse.memory {
            text.add("virtual_memory_bytes", .gauge, "Address space.", memory.virtual)
            text.add("resident_memory_bytes", .gauge, "Memory.", memory.resident)
        }
        if let count = ProcessUse.openDescriptors {
            text.add("open_fds", .gauge, "File descriptors that are open.", count)
        }
        if let limit = ProcessUse.descriptorLimit {
            text.add("max_fds", .gauge, "File descriptors that may be open.", limit)
        }
        return text
    }
}

/// What the system tells of this process.
private enum ProcessUse {
    static var cpuSeconds: Double {
        var time = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// proc_pid_statm(5): the first two numbers are pages.
    static var memory: (virtual: Int, resident: Int)? {
        let file = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 256)
        let length = unsafe read(file, &buffer, buffer.count)
        guard length > 0 else { return nil }
        let pages = buffer.prefix(length).split(separator: 0x20).prefix(2).map {
            Int(String(decoding: $0, as: UTF8.self))
        }
        guard pages.count == 2, let virtual = pages[0], let resident = pages[1] else { return nil }
        let pageSize = sysconf(Int32(_SC_PAGESIZE))
        return (virtual * pageSize, resident * pageSize)
    }

    static var openDescriptors: Int? {
        guard let folder = unsafe opendir("/proc/self/fd") else { return nil }
        defer { unsafe closedir(folder) }
        // All but ".", ".." and the folder's own.
        var count = -3
        while unsafe readdir(folder) != nil { count += 1 }
        return count
    }

    static var descriptorLimit: Int? {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return Int(clamping: limit.rlim_cur)
    }
}
