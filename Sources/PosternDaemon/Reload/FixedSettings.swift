internal import MilterServer
internal import PosternConfiguration

/// The settings that are read only at the start.
struct FixedSettings: Sendable {
    let listeners: Set<MilterListener>
    let log: Configuration.Log
    let admin: Configuration.Admin
    let limits: Configuration.Limits

    init(_ configuration: Configuration) {
        listeners = Set(configuration.listen.map(MilterListener.init))
        log = configuration.log
        admin = configuration.admin
        limits = configuration.limits
    }

    /// Warnings about changed settings that take effect only when the daemon is restarted.
    func warnings(for configuration: Configuration) -> [String] {
        let changes = changes(in: FixedSettings(configuration))
        guard !changes.isEmpty else { return [] }
        return [
            "changed, but in force after a restart only: \(changes.joined(separator: ", "))"
                + " (type: systemctl restart postern)"
        ]
    }

    private func changes(in other: FixedSettings) -> [String] {
        [
            listeners == other.listeners ? nil : "[[listen]]",
            log == other.log ? nil : "[log]",
            admin == other.admin ? nil : "[admin]",
            limits.maximumPacketLength == other.limits.maximumPacketLength ? nil : "limits.max_packet",
            limits.maximumHeldOctets == other.limits.maximumHeldOctets ? nil : "limits.max_held",
            limits.idleTimeout == other.limits.idleTimeout ? nil : "limits.idle_timeout",
            limits.drainTimeout == other.limits.drainTimeout ? nil : "limits.drain_timeout",
        ].compactMap { $0 }
    }
}
