internal import PosternConfiguration

/// The parts of the host's Postfix that decide whether it can reach a unix socket.
public struct PostfixInstallation: Sendable {
    /// The account of its processes.
    let account: Account
    /// Its chroot directory, at which its relative paths start.
    let queueDirectory: String
    /// Whether its SMTP server runs in the chroot.
    let isConfined: Bool

    /// The Postfix of this host; nil when there is none.
    public static var ofThisHost: PostfixInstallation? {
        guard let account = Account(named: "postfix"),
            let master = try? TextFile.read("/etc/postfix/master.cf").get(),
            let main = try? TextFile.read("/etc/postfix/main.cf").get()
        else { return nil }
        return PostfixInstallation(account: account, main: main, master: master)
    }

    /// An installation, read from the text of its main.cf and master.cf.
    init(account: Account, main: String, master: String) {
        self.account = account
        // postconf(5): if a parameter has two lines, the last counts.
        let values = main.split(separator: "\n").compactMap { line -> Substring? in
            let parts = line.split(separator: "=", maxSplits: 1).map { $0.split(separator: " ") }
            return parts.first == ["queue_directory"] ? parts.last?.first : nil
        }
        queueDirectory = values.last.map(String.init) ?? "/var/spool/postfix"
        // master(5): service, type, private, unprivileged, chroot, wakeup, process limit, command. "-" means no chroot
        // since compatibility level 1.
        isConfined = master.split(separator: "\n").contains { line in
            let fields = line.split { $0 == " " || $0 == "\t" }
            return fields.count >= 8 && !line.hasPrefix("#") && fields[4] == "y" && fields[7] == "smtpd"
        }
    }
}
