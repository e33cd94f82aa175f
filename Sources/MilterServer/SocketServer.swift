/// A server whose sockets are opened together with those of others.
package protocol SocketServer: Sendable {
    /// The names of its unix sockets.
    var files: [SocketFile] { get }
    /// Binds the sockets; nobody can connect yet.
    ///
    /// - Parameter takingOver: whether a unix socket may be taken from a process that listens on it.
    func bind(takingOver: Bool) throws
    /// Begins to accept connections.
    func listen() async throws
    /// Closes the sockets, and removes their names.
    func stopListening() async
}

extension Collection where Element == any SocketServer {
    /// Opens the sockets of all servers, or of none.
    ///
    /// The unix sockets get their names at the end: whoever listens there until now loses nothing when something cannot be
    /// had.
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
