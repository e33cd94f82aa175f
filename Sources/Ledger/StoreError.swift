internal import GRDB

/// Why the store cannot be used.
public enum StoreError: Error, Equatable, CustomStringConvertible {
    /// There is no store.
    case absent(path: String)
    /// This user may not open it.
    case denied(path: String)
    /// A later release made it.
    case newer(path: String, version: Int)
    /// Another process holds it.
    case locked
    /// The disk, or the store's own limit, is full.
    case full
    /// A constraint of the database does not allow it.
    case refused(String)
    /// What is in the store cannot be there.
    case damaged(String)
    /// A segment cannot be read, or its rejected lines cannot be written.
    case segment(file: String, problem: String)
    /// SQLite says something else.
    case failed(String)

    /// The error in words.
    public var description: String {
        switch self {
        case .absent(let path): "\(path): there is no store yet; postern-ledger serve makes it"
        case .denied(let path): "\(path): permission denied"
        case .newer(let path, let version):
            "\(path): the store has version \(version), made by a later release, and this program knows \(Schema.version); "
                + "it was left alone"
        case .locked: "the store is held by another process"
        case .full: "the store is full"
        case .damaged(let text): "the store is damaged: \(text) (type: postern ledger check; then restore a backup)"
        case .segment(let file, let problem): "\(file): \(problem)"
        case .refused(let text), .failed(let text): "the store: \(text)"
        }
    }

    /// Whether an error is about what a row holds, so that the others can still be read.
    static func isAboutRow(_ error: any Error) -> Bool {
        if case .damaged = error as? StoreError { return true }
        return error is RowDecodingError
    }

    /// What SQLite's error means; other errors of the store stay as they are.
    init(_ error: any Error) {
        switch error {
        case let error as StoreError: self = error
        case let error as DatabaseError:
            switch error.resultCode {
            case .SQLITE_BUSY, .SQLITE_LOCKED: self = .locked
            case .SQLITE_FULL: self = .full
            case .SQLITE_CONSTRAINT: self = .refused(error.message ?? "\(error.resultCode)")
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .damaged(error.message ?? "\(error.resultCode)")
            // A table or an index that every store has is gone.
            case .SQLITE_ERROR where error.message?.hasPrefix("no such ") == true:
                self = .damaged(error.message ?? "")
            default: self = .failed(error.message ?? "\(error.resultCode)")
            }
        case is RowDecodingError: self = .damaged("a value has another type than its column")
        default: self = .failed("\(error)")
        }
    }
}
