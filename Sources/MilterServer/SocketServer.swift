/// A server whose sockets are opened together with the sockets of other servers.
package protocol SocketServer: Sendable {
    /// The files of its unix sockets.
    var files: [SocketFile] { get }
    /// Binds the sockets; clients cannot connect yet.
    ///
    /// - Parameter takingOver: whether a unix socket may be taken from a process that listens on it.
    func bind(takingOver: Bool) throws
    /// Begins to accept connections.
    func listen() async throws
    /// Closes the sockets, and removes their files.
    func stopListening() async
}

extension Collection where Element == any SocketServer {
    /// Opens the sockets of all servers, or of none.
    ///
    /// The unix sockets get their names at the end: if an earlier step fails, a process that listens there loses
    /// nothing.
    package func open(takingOver: Bool = false) async throws {
        do {
            for server in self { try server.bind(takingOver: takingOver) }
            for server in self { try await server.listen() }
            for file in flatMap(\.files) { try file.publish(takingOver: takingOver) }
        } catch {
            for server in self { await server.stopListening() }
            throw error
        }
        for file in flatMap(\.files) { file.settle() }
    }
}
