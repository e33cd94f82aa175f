import MilterServer
import PosternConfiguration
import Testing

@testable import PosternDaemon

@Suite("Defaults of the milter server")
struct MilterDefaultsTests {
    @Test("what a configuration without settings asks for is what the server does by itself")
    func same() {
        let set = MilterServerConfiguration(Configuration())
        let library = MilterServerConfiguration(listeners: set.listeners)
        #expect("\(set)" == "\(library)")
        let connections = MilterListener(.systemd(name: "x")).maximumConnections
        #expect(set.listeners.map(\.maximumConnections) == [connections])
    }
}
