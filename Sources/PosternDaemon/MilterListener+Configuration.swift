internal import MailSyntax
internal import MilterServer
internal import PosternConfiguration

extension MilterListener {
    /// The listener that a configuration asks for.
    init(_ listen: Configuration.Listen) {
        let address: Address =
            switch listen.socket {
            case .unix(let path): .unix(path: path, mode: UInt16(clamping: listen.mode), group: listen.group)
            case .inet(let address, let port): .tcp(host: "\(address)", port: port)
            case .systemd(let name): .systemd(name: name)
            }
        self.init(address, maximumConnections: listen.maxConnections)
    }
}
