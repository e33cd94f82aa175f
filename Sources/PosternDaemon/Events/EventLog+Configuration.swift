internal import EventSpool
internal import FoundationEssentials
internal import PosternConfiguration
internal import PosternSetup

extension EventLog.Settings {
    /// The settings of a configuration.
    init(_ configuration: Configuration) {
        let events = configuration.events
        self.init(
            directory: events.spool,
            host: events.host ?? Self.machine,
            limit: events.limit,
            keep: configuration.ledger.keep.components.seconds
        )
    }

    /// The machine id, as machine-id(5) has it; the host name where there is none.
    private static let machine: String = {
        let id = FileManager.default.contents(atPath: "/etc/machine-id").map { String(decoding: $0, as: UTF8.self) }
        let text = (id ?? "").prefix { $0.isHexDigit }
        if text.utf8.count == 32 { return String(text) }
        return SegmentName.isHost(HostName.current) ? HostName.current : "localhost"
    }()
}
