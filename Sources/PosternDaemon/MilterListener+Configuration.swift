internal import MailSyntax
internal import MilterServer
internal import NIOCore
internal import PosternConfiguration

extension MilterListener {
    /// The listener that the configuration describes.
    init(_ listen: Configuration.Listen) {
        let address: Address =
            switch listen.socket {
            case .unix(let path): .unix(path: path, mode: UInt16(clamping: listen.mode), group: listen.group)
            case .inet(let address, let port): .tcp(host: "\(address)", port: port)
            case .systemd(let name): .systemd(name: name)
            }
        self.init(address, maximumConnections: listen.maximumConnections)
    }
}

extension MilterServerConfiguration {
    /// The sockets and limits that the configuration describes.
    init(_ configuration: Configuration, maximumConnections: Int? = nil) {
        self.init(listeners: configuration.listen.map(MilterListener.init))
        self.maximumConnections = maximumConnections
        maximumPacketLength = configuration.limits.maximumPacketLength
        maximumHeldOctets = configuration.limits.maximumHeldOctets
        idleTimeout = TimeAmount(configuration.limits.idleTimeout)
    }
}
