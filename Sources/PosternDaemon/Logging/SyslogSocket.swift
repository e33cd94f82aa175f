internal import Glibc
internal import Synchronization

/// Sends lines to the system log through its datagram socket, without ever waiting.
///
/// The C library's `syslog` blocks when the log's queue is full; a mail filter must not block. If the queue is full, or
/// there is no log, the line is counted as dropped.
final class SyslogSocket: Sendable {
    /// Facility codes of RFC 5424 § 6.2.1 by their usual names.
    static let facilities: [String: Int] = [
        "kern": 0, "user": 1, "mail": 2, "daemon": 3, "auth": 4, "syslog": 5, "lpr": 6, "news": 7, "uucp": 8,
        "cron": 9, "authpriv": 10, "ftp": 11, "local0": 16, "local1": 17, "local2": 18, "local3": 19, "local4": 20,
        "local5": 21, "local6": 22, "local7": 23,
    ]

    /// A socket that is connected to the log; closed when nobody uses it any more.
    private final class Connection: Sendable {
        let descriptor: Int32

        init(_ descriptor: Int32) { self.descriptor = descriptor }

        deinit { close(descriptor) }
    }

    private struct State {
        var connection: Connection?
        var second: time_t = -1
        var timestamp: [UInt8] = []
    }

    let path: String
    private let facility: Int
    private let tag: [UInt8]
    private let state = Mutex(State())
    private let droppedLines = Atomic(0)

    /// Lines go to the socket at `path`, under the name of this program.
    init(path: String = "/dev/log", facility: Int, identity: String) {
        self.path = path
        self.facility = facility
        tag = Array(" \(identity)[\(getpid())]: ".utf8)
    }

    /// How many lines were dropped.
    var dropped: Int { droppedLines.load(ordering: .relaxed) }

    /// The result of sending a line.
    enum Delivery {
        /// The log has received the line.
        case sent
        /// The log's queue was full: the line is lost.
        case queueFull
        /// There is no log.
        case disconnected
    }

    /// Sends one line; `severity` is a code of RFC 5424 § 6.2.1, from 3 for errors to 7 for debugging.
    ///
    /// A line that the log does not accept is counted as dropped, unless there is no log and `isElsewhere` says that
    /// the line is then written elsewhere.
    @discardableResult
    func send(_ line: some Collection<UInt8>, severity: Int, isElsewhere: Bool = false) -> Delivery {
        let (connection, timestamp) = state.withLock { state in
            (connected(&state, after: nil), self.timestamp(&state))
        }
        var packet = [UInt8]()
        packet.reserveCapacity(line.count + 64)
        packet.append(UInt8(ascii: "<"))
        packet.append(contentsOf: String(facility * 8 + severity).utf8)
        packet.append(UInt8(ascii: ">"))
        packet.append(contentsOf: timestamp)
        packet.append(contentsOf: tag)
        packet.append(contentsOf: line)
        // Without the lock, because each line is a separate datagram.
        var delivery = deliver(packet, by: connection)
        // The log may have been restarted since the socket was connected: try once more with a new connection.
        if delivery == .disconnected {
            delivery = deliver(packet, by: state.withLock { state in connected(&state, after: connection) })
        }
        if delivery == .queueFull || (delivery == .disconnected && !isElsewhere) {
            droppedLines.add(1, ordering: .relaxed)
        }
        return delivery
    }

    private func deliver(_ packet: [UInt8], by connection: Connection?) -> Delivery {
        guard let connection else { return .disconnected }
        let flags = Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)
        let sent = unsafe packet.withUnsafeBytes {
            unsafe Glibc.send(connection.descriptor, $0.baseAddress, $0.count, flags)
        }
        if sent == packet.count { return .sent }
        return errno == EAGAIN || errno == ENOBUFS ? .queueFull : .disconnected
    }

    /// The connection in use, or a new connection if there is none or only `broken`; nil when there is no log.
    private func connected(_ state: inout State, after broken: Connection?) -> Connection? {
        if let connection = state.connection, connection !== broken { return connection }
        let descriptor = connectedSocket()
        state.connection = descriptor >= 0 ? Connection(descriptor) : nil
        return state.connection
    }

    private func connectedSocket() -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard path.utf8.count < capacity else { return -1 }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, kind, 0)
        guard descriptor >= 0 else { return -1 }
        let status = unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        if status == 0 { return descriptor }
        close(descriptor)
        return -1
    }

    /// The local time in the notation of RFC 3164 § 4.1.2; computed once a second.
    private func timestamp(_ state: inout State) -> [UInt8] {
        var now = time(nil)
        guard now != state.second else { return state.timestamp }
        var fields = unsafe tm()
        _ = unsafe localtime_r(&now, &fields)
        state.timestamp = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 32) { buffer in
            guard let base = buffer.baseAddress else { return [] }
            let count = unsafe strftime(base, 32, "%b %e %H:%M:%S", &fields)
            return unsafe buffer.prefix(count).map { UInt8(bitPattern: $0) }
        }
        state.second = now
        return state.timestamp
    }
}
