internal import Glibc

/// The status of a file, in words for messages.
struct FileStatus {
    let path: String
    private let status: stat

    /// The file at a path, with or without following links; nil if it is unknown, with the reason in `errno`.
    init?(_ path: String, followsLinks: Bool = false) {
        var status = stat()
        guard unsafe (followsLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
        self.init(path, status)
    }

    init(_ path: String, _ status: stat) {
        self.path = path
        self.status = status
    }

    var kind: mode_t { status.st_mode & S_IFMT }
    var mode: mode_t { status.st_mode & 0o7777 }
    var owner: uid_t { status.st_uid }
    var group: gid_t { status.st_gid }

    /// The kind of file, in words.
    var noun: String {
        switch kind {
        case S_IFSOCK: "a socket"
        case S_IFREG: "a regular file"
        case S_IFDIR: "a directory"
        case S_IFLNK: "a symbolic link"
        case S_IFIFO: "a named pipe"
        default: "a device"
        }
    }

    /// `root:postern, mode 0640`.
    var description: String {
        "\(HostDatabase.userName(owner)):\(HostDatabase.groupName(group)), mode \(Self.octal(mode))"
    }

    /// Whether the mode grants an account a right: 4 to read, 2 to write, 1 to enter.
    func grants(_ right: mode_t, to account: Account) -> Bool {
        if account.user == 0 { return true }
        if account.user == owner { return mode & right << 6 != 0 }
        return mode & (account.groups.contains(group) ? right << 3 : right) != 0
    }

    /// The mode in four octal digits.
    static func octal(_ mode: mode_t) -> String {
        let digits = String(mode, radix: 8)
        return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }
}
