internal import Glibc
internal import PosternConfiguration

/// A socket or another file that the daemon will make.
struct MadeFile {
    /// The listener of the socket; nil for any other file.
    let listen: Configuration.Listen?
    let path: String
    /// The directory of the file.
    let folder: String
    /// The status of the directory; nil when it does not exist, or the account may not know.
    let status: FileStatus?
    /// The error number if the status is unknown.
    let errorCode: Int32
    /// Whether it is the file of the DNS cache, which the daemon can do without.
    let isCache: Bool

    private let configuration: Configuration
    private let table: String
    private let setting: String

    /// The file that a setting of a table names.
    init(
        _ configuration: Configuration,
        _ table: String,
        _ setting: String,
        _ path: String,
        listen: Configuration.Listen? = nil,
        isCache: Bool = false
    ) {
        self.configuration = configuration
        self.table = table
        self.setting = setting
        self.path = path
        self.listen = listen
        self.isCache = isCache
        guard let slash = path.lastIndex(of: "/") else {
            folder = "."
            status = FileStatus(folder, followsLinks: true)
            errorCode = errno
            return
        }
        folder = slash == path.startIndex ? "/" : String(path[..<slash])
        status = FileStatus(folder, followsLinks: true)
        errorCode = errno
    }

    /// The kind of file, in a word.
    var noun: String { isCache ? "file" : "socket" }

    /// A problem with the setting that names the file, or with another setting of its table.
    func problem(
        of other: String? = nil,
        _ message: String,
        accepted: String = "",
        command: String = "",
        isWarning: Bool = false
    ) -> ConfigurationProblem {
        configuration.problem(
            "\(table).\(other ?? setting)",
            message + (isCache ? ": the DNS cache is not kept" : ""),
            accepted: accepted,
            command: command,
            isWarning: isWarning || isCache
        )
    }
}
