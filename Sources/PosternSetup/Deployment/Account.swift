public import Glibc

/// An account of this host that reads files and makes sockets.
public struct Account: Hashable, Sendable {
    /// The account under which the package and its unit run the daemon.
    public static let serviceName = "postern"

    /// The user's name, or the number if it has no name.
    public let name: String
    /// The user's number.
    public let user: uid_t
    /// The user's own group.
    public let group: gid_t
    /// The name of that group, or its number.
    public let groupName: String
    /// All groups of the user.
    public let groups: Set<gid_t>

    /// An account from its parts.
    init(name: String, user: uid_t, group: gid_t, groupName: String? = nil, groups: Set<gid_t> = []) {
        self.name = name
        self.user = user
        self.group = group
        self.groupName = groupName ?? HostDatabase.groupName(group)
        self.groups = groups.union([group])
    }

    /// The account of this name; nil when the host has none.
    public init?(named name: String) {
        guard let entry = HostDatabase.user(named: name) else { return nil }
        self.init(name: name, user: entry.user, group: entry.group, groups: HostDatabase.groups(of: name, entry.group))
    }

    /// The account of this process.
    public static var current: Account {
        var groups = [gid_t](repeating: 0, count: 1024)
        // getgroups(2) writes at most the given number of groups, and returns their number, or -1.
        let count = unsafe getgroups(Int32(groups.count), &groups)
        return Account(
            name: HostDatabase.userName(geteuid()),
            user: geteuid(),
            group: getegid(),
            groups: Set(groups.prefix(max(0, Int(count))))
        )
    }

    /// Switches this process permanently to the daemon's account.
    ///
    /// That is the service's account, if root calls and the host has this account; any other caller stays as it is.
    public static func becomeService() -> Account {
        guard geteuid() == 0, let service = Account(named: serviceName) else { return current }
        let groups = Array(service.groups)
        guard unsafe setgroups(groups.count, groups) == 0, setgid(service.group) == 0, setuid(service.user) == 0 else {
            return current
        }
        return service
    }
}

/// Looks up names and numbers of users and groups.
enum HostDatabase {
    static func user(named name: String) -> (user: uid_t, group: gid_t)? {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: bufferSize)
        // getpwnam_r puts the strings of the entry into the buffer, and sets `found` to null if there is no such user.
        unsafe getpwnam_r(name, &entry, &buffer, buffer.count, &found)
        return unsafe found == nil ? nil : (entry.pw_uid, entry.pw_gid)
    }

    static func userName(_ number: uid_t) -> String {
        var entry = unsafe passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: bufferSize)
        // As above; pw_name points into the buffer.
        unsafe getpwuid_r(number, &entry, &buffer, buffer.count, &found)
        guard unsafe found != nil, let name = unsafe entry.pw_name else { return "\(number)" }
        return unsafe String(cString: name)
    }

    static func group(named name: String) -> gid_t? {
        if let number = gid_t(name) { return number }
        var entry = unsafe group_entry()
        var found: UnsafeMutablePointer<group_entry>?
        var buffer = [CChar](repeating: 0, count: bufferSize)
        // As above, for groups.
        unsafe getgrnam_r(name, &entry, &buffer, buffer.count, &found)
        return unsafe found == nil ? nil : entry.gr_gid
    }

    static func groupName(_ number: gid_t) -> String {
        var entry = unsafe group_entry()
        var found: UnsafeMutablePointer<group_entry>?
        var buffer = [CChar](repeating: 0, count: bufferSize)
        // As above; gr_name points into the buffer.
        unsafe getgrgid_r(number, &entry, &buffer, buffer.count, &found)
        guard unsafe found != nil, let name = unsafe entry.gr_name else { return "\(number)" }
        return unsafe String(cString: name)
    }

    static func groups(of name: String, _ own: gid_t) -> Set<gid_t> {
        var groups = [gid_t](repeating: 0, count: 1024)
        var count = Int32(groups.count)
        // getgrouplist(3) writes at most `count` groups, and sets `count` to their number.
        guard unsafe getgrouplist(name, own, &groups, &count) >= 0 else { return [own] }
        return Set(groups.prefix(max(0, Int(count))))
    }

    private static let bufferSize = 65_536
}

private typealias group_entry = group
