internal import GRDB
internal import Glibc

/// The ledger's database.
public final class Store: Sendable {
    /// Its path.
    public let path: String
    /// The most octets of its file; nil where it is only read.
    public let maximumOctets: Int?
    let database: DatabaseQueue
    /// Whether all that is written is part of one transaction, which is rolled back.
    private let isRehearsal: Bool
    /// The file that was opened.
    private let file: FileIdentity?

    private init(path: String, maximumOctets: Int?, isRehearsal: Bool = false, _ database: DatabaseQueue) {
        self.path = path
        self.maximumOctets = maximumOctets
        self.isRehearsal = isRehearsal
        self.database = database
        file = FileIdentity(path)
    }

    /// Whether the file that was opened is still the one at the path.
    public var isInPlace: Bool { file != nil && FileIdentity(path) == file }

    /// Opens the store to write to it; makes or migrates it first where that is due.
    ///
    /// - Parameters:
    ///   - path: the path of the database.
    ///   - maximumOctets: the most octets of its file.
    public static func open(_ path: String, maximumOctets: Int) throws(StoreError) -> Store {
        try open(path, maximumOctets: maximumOctets, isRehearsal: false)
    }

    /// Shows what would follow from changes, and takes them all back.
    ///
    /// Others who write wait meanwhile, so what is found is told afterwards.
    ///
    /// - Parameters:
    ///   - path: the path of the database.
    ///   - maximumOctets: the most octets of its file.
    ///   - body: makes the changes in the store that it is given.
    public static func rehearse<Value>(
        _ path: String,
        maximumOctets: Int,
        _ body: (Store) throws -> Value
    ) throws -> Value {
        let store = try open(path, maximumOctets: maximumOctets, isRehearsal: true)
        defer { try? store.database.writeWithoutTransaction { try $0.rollback() } }
        return try body(store)
    }

    private static func open(_ path: String, maximumOctets: Int, isRehearsal: Bool) throws(StoreError) -> Store {
        do {
            var configuration = GRDB.Configuration()
            configuration.busyMode = .timeout(10)
            configuration.allowsUnsafeTransactions = isRehearsal
            configuration.prepareDatabase { try $0.prepareForWriting(maximumOctets: maximumOctets) }
            let database = try DatabaseQueue(path: path, configuration: configuration)
            if isRehearsal { try database.writeWithoutTransaction { try $0.beginTransaction(.immediate) } }
            let store = Store(path: path, maximumOctets: maximumOctets, isRehearsal: isRehearsal, database)
            try store.write { try $0.migrate(path: path) }
            return store
        } catch {
            if access(path: path, W_OK) == EACCES { throw .denied(path: path) }
            throw StoreError(error)
        }
    }

    /// Opens the store to ask it, beside a process that writes.
    public static func openReadOnly(_ path: String) throws(StoreError) -> Store {
        switch access(path: path, R_OK) {
        case 0: break
        case ENOENT, ENOTDIR: throw .absent(path: path)
        case EACCES: throw .denied(path: path)
        default: throw .failed("\(path) cannot be read")
        }
        do {
            return try reader(path, as: path)
        } catch let error as DatabaseError where [.SQLITE_CANTOPEN, .SQLITE_READONLY].contains(error.resultCode) {
            return try openUnchanging(path)
        } catch {
            throw StoreError(error)
        }
    }

    /// Opens a store, such as a copy, in a directory where SQLite may not make its files beside it.
    private static func openUnchanging(_ path: String) throws(StoreError) -> Store {
        var log = stat()
        // With a log beside it, the file is not the whole store.
        if unsafe stat(path + "-wal", &log) == 0, log.st_size > 0 { throw .denied(path: path) }
        // SQLite, "Uniform Resource Identifiers" 3.1: these octets would end the path.
        let written = path.replacing("%", with: "%25").replacing("?", with: "%3f").replacing("#", with: "%23")
        do {
            return try reader("file:\(written)?immutable=1", as: path)
        } catch let error as DatabaseError where error.resultCode == .SQLITE_CANTOPEN {
            throw .denied(path: path)
        } catch {
            throw StoreError(error)
        }
    }

    private static func reader(_ name: String, as path: String) throws -> Store {
        var configuration = GRDB.Configuration()
        configuration.readonly = true
        configuration.busyMode = .timeout(10)
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA cache_size = -65536") }
        let database = try DatabaseQueue(path: name, configuration: configuration)
        try database.read { try $0.requireReadable(path: path) }
        return Store(path: path, maximumOctets: nil, database)
    }

    /// Reads in one transaction.
    func read<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        do { return try database.read(body) } catch { throw StoreError(error) }
    }

    /// Writes in one transaction.
    func write<Value>(_ body: (Database) throws -> Value) throws(StoreError) -> Value {
        do {
            return isRehearsal ? try database.writeWithoutTransaction(body) : try database.write(body)
        } catch {
            throw StoreError(error)
        }
    }

    /// The error of access(2); 0 when the access is allowed.
    private static func access(path: String, _ mode: CInt) -> CInt {
        unsafe Glibc.access(path, mode) == 0 ? 0 : errno
    }
}

/// A file by its number on its device, whatever its name is.
private struct FileIdentity: Equatable, Sendable {
    private let device: dev_t
    private let number: ino_t

    /// The file at a path; nil where there is none.
    init?(_ path: String) {
        var status = stat()
        guard unsafe stat(path, &status) == 0 else { return nil }
        (device, number) = (status.st_dev, status.st_ino)
    }
}

extension Database {
    fileprivate func prepareForWriting(maximumOctets: Int) throws {
        // A file of a later release is not even given another journal.
        // SQLite: the first two settings count before there is a table.
        try execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
        try execute(sql: "PRAGMA journal_mode = WAL")
        // A segment is removed when its messages are on the disk.
        try execute(sql: "PRAGMA synchronous = FULL")
        try execute(sql: "PRAGMA cache_size = -65536")
        // What is forgotten must not stand in the free parts of the file.
        try execute(sql: "PRAGMA secure_delete = ON")
        try execute(sql: "PRAGMA journal_size_limit = 67108864")
        let pageSize = try Int.fetchOne(self, sql: "PRAGMA page_size") ?? 4096
        try execute(sql: "PRAGMA max_page_count = \(max(1, maximumOctets / pageSize))")
    }

    /// The version of the schema, and the earliest version of the programs that can read it; nil for an empty database.
    private func schema() throws -> (version: Int, reader: Int)? {
        guard try tableExists("schema") else { return nil }
        guard let row = try Row.fetchOne(self, sql: "SELECT version, reader FROM schema") else { return nil }
        let (version, reader) = try (row.decode(Int.self, atIndex: 0), row.decode(Int.self, atIndex: 1))
        guard version >= 0, reader >= 0 else { throw StoreError.damaged("schema version \(version)") }
        return (version, reader)
    }

    fileprivate func migrate(path: String) throws {
        let version = try schema()?.version ?? 0
        guard version <= Schema.version else { throw StoreError.newer(path: path, version: version) }
        guard version < Schema.version else { return }
        for statements in Schema.migrations.dropFirst(version) { try execute(sql: statements) }
        try execute(sql: "UPDATE schema SET version = ?, reader = ?", arguments: [Schema.version, Schema.reader])
    }

    fileprivate func requireReadable(path: String) throws {
        guard let schema = try schema() else { throw StoreError.absent(path: path) }
        guard schema.reader <= Schema.version else { throw StoreError.newer(path: path, version: schema.version) }
    }
}
