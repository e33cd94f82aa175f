import Glibc
import PosternConfiguration
import TestSupport
import Testing

@testable import PosternSetup

@Suite("Unix sockets before they are made")
struct SocketCheckTests {
    private static let account = Account(name: "postern", user: 4242, group: 4242, groupName: "postern")

    /// Debian's Postfix, with its queue in a folder.
    private static func postfix(_ queue: String, isConfined: Bool) -> PostfixInstallation {
        PostfixInstallation(
            account: Account(name: "postfix", user: 4343, group: 4343, groupName: "postfix"),
            main: "queue_directory = \(queue)\n",
            master: "smtp inet n - \(isConfined ? "y" : "n") - - smtpd\n"
        )
    }

    @Test(
        "Postfix finds and reaches the socket, or a warning says why not",
        .enabled(if: geteuid() == 0),
        arguments: [
            // the directory's group, mode, the socket's group and mode, below the queue, smtpd confined, what is wrong
            (4343, 0o2750, nil, "0660", true, true, nil),
            (4343, 0o2750, nil, "0660", true, false, nil),
            (4343, 0o750, nil, "0660", true, true, "Postfix cannot connect to a socket of the group 4242, mode 0660"),
            (4343, 0o2750, nil, "0600", true, true, "Postfix cannot connect to a socket of the group 4343, mode 0600"),
            (4242, 0o755, nil, "0660", true, true, "Postfix cannot connect to a socket of the group 4242, mode 0660"),
            (4242, 0o755, nil, "0666", true, true, nil),
            (4242, 0o750, nil, "0666", true, true, "is closed to Postfix (4242:4242, mode 0750)"),
            (4343, 0o2750, nil, "0660", false, true, "Postfix's smtpd is confined to"),
            (4343, 0o2750, nil, "0660", false, false, nil),
            (4343, 0o2750, "4343", "0660", true, true, nil),
            (4343, 0o750, "4343", "0660", true, true, "the user postern is not in the group 4343"),
        ] as [(gid_t, mode_t, String?, String, Bool, Bool, String?)]
    )
    func reaches(
        _ group: gid_t,
        _ mode: mode_t,
        _ socketGroup: String?,
        _ socketMode: String,
        _ isBelowQueue: Bool,
        _ isConfined: Bool,
        _ expected: String?
    ) throws {
        let queue = try Folder()
        let other = try Folder()
        let folder = (isBelowQueue ? queue : other).file("postern")
        unsafe mkdir(folder, 0o700)
        unsafe chown(folder, 4242, group)
        unsafe chmod(folder, mode)
        let groupLine = socketGroup.map { "group = \"\($0)\"" } ?? ""
        let configuration = try Configuration.parse(
            "[[listen]]\nsocket = \"unix:\(folder)/postern.sock\"\nmode = \"\(socketMode)\"\n\(groupLine)\n",
            file: "postern.toml"
        )
        let check = SocketCheck(
            account: Self.account,
            isOutsideUnit: false,
            postfix: Self.postfix(queue.path, isConfined: isConfined)
        )
        let problems = check.problems(configuration)
        #expect(problems.count == (expected == nil ? 0 : 1))
        if let expected { #expect(problems.first?.message.contains(expected) == true, "\(problems)") }
        let command = "install -d -o postern -g postfix -m 2750 \(folder)"
        if let problem = problems.first, isBelowQueue { #expect(problem.command == command) }
    }

    @Test("directories that the unit keeps the daemon from are named, when nothing else tells")
    func unit() throws {
        let folder = try Folder()
        let text = "[[listen]]\nsocket = \"unix:\(folder.path)/postern.sock\"\n"
        let configuration = try Configuration.parse(text, file: "postern.toml")
        for isOutside in [true, false] {
            let check = SocketCheck(account: .current, isOutsideUnit: isOutside, postfix: nil)
            let problems = check.problems(configuration)
            #expect(problems.map(\.line) == (isOutside ? [2] : []))
            #expect(problems.allSatisfy { $0.isWarning && $0.accepted.contains("ReadWritePaths=\(folder.path)") })
        }
    }

    @Test("the file of the cache has a warning, for the daemon serves without it")
    func cache() throws {
        let folder = try Folder()
        let check = SocketCheck(account: .current, isOutsideUnit: false, postfix: nil)
        let place = "\n[dns.cache]\nsnapshot = \"\(folder.path)/"
        for (text, message) in [
            (place + "cache\"", nil),
            (place + "absent/cache\"", "the directory \(folder.path)/absent does not exist: the DNS cache is not kept"),
            (place + "\"", "\(folder.path)/ is not a regular file: the DNS cache is not kept"),
            ("[dns]\nzone = \"zone\"" + place + "absent/cache\"", nil),
        ] as [(String, String?)] {
            let configuration = try Configuration.parse(text, file: "postern.toml")
            let problems = check.problems(configuration, snapshot: configuration.dns.cache.snapshot)
            #expect(problems.map(\.message) == (message.map { [$0] } ?? []))
            #expect(problems.allSatisfy { $0.isWarning && $0.key == "dns.cache.snapshot" })
        }
    }

    @Test("what is no socket stays at its path, and the configuration is refused for it")
    func occupied() throws {
        let folder = try Folder()
        try folder.write("file", [])
        let check = SocketCheck(account: .current, isOutsideUnit: true, postfix: nil)
        for (text, key) in [
            ("[[listen]]\nsocket = \"unix:\(folder.path)/file\"", "listen[1].socket"),
            ("[admin]\ncontrol = \"\(folder.path)/file\"", "admin.control"),
        ] {
            let errors = check.problems(try Configuration.parse(text, file: "postern.toml")).filter { !$0.isWarning }
            #expect(errors.map(\.key) == [key])
            #expect(errors.map(\.message) == ["\(folder.path)/file is a regular file, not a socket"])
        }
    }

    @Test("the unit's own directory may be absent, for the unit makes it")
    func runtime() throws {
        let text = "[[listen]]\nsocket = \"unix:/run/postern/postern.sock\"\n"
        let configuration = try Configuration.parse(text, file: "postern.toml")
        #expect(SocketCheck(account: .current, isOutsideUnit: true, postfix: nil).problems(configuration).isEmpty)
    }

    @Test(
        "Postfix's own files say whether it is confined",
        arguments: [
            ("smtp      inet  n       -       y       -       -       smtpd\n", true),
            ("smtp inet n - n - - smtpd\n", false), ("smtp inet n - - - - smtpd\n", false),
            ("#smtp inet n - y - - smtpd\nsmtp inet n - n - - smtpd\n", false),
            ("smtp inet n - n - - smtpd\nsubmission inet n - y - - smtpd\n  -o x=y\n", true),
            ("cleanup unix n - y - 0 cleanup\n", false), ("", false),
        ]
    )
    func confined(_ master: String, _ isConfined: Bool) {
        let account = Account(name: "postfix", user: 4343, group: 4343)
        let postfix = PostfixInstallation(account: account, main: "queue_directory_x = /a\n", master: master)
        #expect(postfix.isConfined == isConfined)
        #expect(postfix.queueDirectory == "/var/spool/postfix")
    }
}
