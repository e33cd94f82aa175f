import Glibc
import MailCrypto
import TestSupport
import Testing

@testable import PosternSetup

@Suite("Key files")
struct KeyFileTests {
    // `/tmp` has the sticky bit, so what lies below it can be safe.
    private let parent: Folder
    private var folder: String { parent.path }

    init() throws { parent = try Folder() }

    private static let pem = (try? PrivateKey.generate(.ed25519, bits: 256).pem()) ?? []

    private static func write(_ path: String, mode: mode_t, _ octets: [UInt8] = pem) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        unsafe Glibc.write(descriptor, octets, octets.count)
        close(descriptor)
        unsafe chmod(path, mode)
    }

    @Test(
        "The mode of the file",
        arguments: [
            (0o600, nil), (0o400, nil), (0o640, nil),
            (0o604, "can be read by everybody (mode 0604, bit 0004)"),
            (0o644, "can be read by everybody (mode 0644, bit 0004)"),
            (0o602, "can be written to by everybody (mode 0602, bit 0002)"),
            (0o620, "can be written to by its group (mode 0620, bit 0020)"),
            (0o660, "can be written to by its group (mode 0660, bit 0020)"),
        ] as [(mode_t, String?)]
    )
    func fileMode(_ mode: mode_t, _ problem: String?) {
        let path = folder + "/key.pem"
        Self.write(path, mode: mode)
        #expect(KeyFile.problem(with: path)?.description == problem.map { "\(path) \($0)" })
        if problem == nil { #expect((try? KeyFile.read(path)) == Self.pem) }
    }

    @Test(
        "The mode of a directory on the way",
        arguments: [
            (0o755, nil, ""), (0o700, nil, ""), (0o1777, nil, ""),
            (0o775, "can be written to by its group (mode 0775, bit 0020)", "g-w"),
            (0o777, "can be written to by its group and by everybody (mode 0777, bits 0022)", "go-w"),
            (0o757, "can be written to by everybody (mode 0757, bit 0002)", "o-w"),
        ] as [(mode_t, String?, String)]
    )
    func directoryMode(_ mode: mode_t, _ problem: String?, _ change: String) {
        let upper = folder + "/upper"
        unsafe mkdir(upper, 0o700)
        unsafe mkdir(upper + "/lower", 0o700)
        Self.write(upper + "/lower/key.pem", mode: 0o600)
        unsafe chmod(upper, mode)
        #expect(KeyFile.problem(with: upper + "/lower/key.pem")?.description == problem.map { "\(upper) \($0)" })
        #expect(
            KeyFile.problem(with: upper + "/lower/key.pem")?.command == problem.map { _ in "chmod \(change) \(upper)" }
        )
        #expect(KeyFile.problem(with: upper + "/lower/../lower/./key.pem")?.path == problem.map { _ in upper })
    }

    @Test("A directory that a link leads through counts")
    func links() {
        unsafe mkdir(folder + "/open", 0o700)
        Self.write(folder + "/open/key.pem", mode: 0o600)
        unsafe symlink("open/key.pem", folder + "/relative.pem")
        unsafe symlink(folder + "/relative.pem", folder + "/absolute.pem")
        #expect(KeyFile.problem(with: folder + "/absolute.pem") == nil)
        unsafe chmod(folder + "/open", 0o777)
        #expect(KeyFile.problem(with: folder + "/absolute.pem")?.path == folder + "/open")
        unsafe symlink("loop.pem", folder + "/loop.pem")
        #expect(KeyFile.problem(with: folder + "/loop.pem")?.reason == "has too many symbolic links")
    }

    @Test("What is no key file at all")
    func others() {
        #expect(KeyFile.problem(with: folder + "/absent")?.reason == "cannot be found: No such file or directory")
        #expect(KeyFile.problem(with: folder)?.reason == "is not a regular file")
        unsafe mkfifo(folder + "/fifo", 0o600)
        #expect(KeyFile.problem(with: folder + "/fifo")?.reason == "is not a regular file")
        Self.write(folder + "/key.pem", mode: 0o600)
        #expect(KeyFile.problem(with: folder + "/key.pem/x")?.reason == "is not a directory")
    }

    @Test("what is no key gets no command that would change who may read it", arguments: [0o644, 0o666, 0o640])
    func noKey(_ mode: mode_t) {
        let path = folder + "/postern.toml"
        Self.write(path, mode: mode, Array("mode = \"observe\"\n".utf8))
        let failure = KeyFile.problem(with: path)
        #expect(failure?.command ?? "" == "")
        if mode != 0o640 { #expect(failure?.reason == "is not a private key in PEM, or has a password") }
        unsafe mkdir(folder + "/open", 0o700)
        unsafe chmod(folder + "/open", 0o777)
        Self.write(folder + "/open/list", mode: 0o600, Array("a.example\n".utf8))
        let inOpen = KeyFile.problem(with: folder + "/open/list")
        #expect(inOpen?.path == folder + "/open/list")
        #expect(inOpen?.command == "")
    }

    @Test("a directory with several faults takes one command", .enabled(if: geteuid() == 0))
    func directoryOfAnother() {
        let upper = folder + "/upper"
        unsafe mkdir(upper, 0o700)
        Self.write(upper + "/key.pem", mode: 0o600)
        unsafe chmod(upper, 0o777)
        unsafe chown(upper, 65_534, 65_534)
        #expect(KeyFile.problem(with: upper + "/key.pem")?.command == "chown root \(upper) && chmod go-w \(upper)")
    }

    /// One rule, whoever looks: root's own check accepts for the service's account what that account can use.
    @Test(
        "The account that will run the daemon",
        .enabled(if: geteuid() == 0),
        arguments: [
            // owner, group, mode, the account, what is wrong, what to type
            (0, 4242, 0o640, 4242, nil, ""),
            (4242, 4242, 0o600, 4242, nil, ""),
            (4242, 4242, 0o640, 4242, nil, ""),
            (0, 0, 0o640, 4242, "can be read by the group root (mode 0640, bit 0040)", "chown root:postern"),
            (0, 4243, 0o640, 4242, "can be read by the group 4243 (mode 0640, bit 0040)", "chown root:postern"),
            (0, 4242, 0o660, 4242, "can be written to by its group (mode 0660, bit 0020)", "chown root:postern"),
            (
                65_534, 4242, 0o600, 4242, "belongs to the user nobody, not to root or to the user postern",
                "chown root:postern"
            ),
            (0, 0, 0o600, 0, nil, ""),
            (0, 4242, 0o640, 0, nil, ""),
            (4242, 4242, 0o600, 0, "belongs to the user 4242, not to root", "chown root:root"),
        ] as [(uid_t, gid_t, mode_t, uid_t, String?, String)]
    )
    func accounts(
        _ owner: uid_t,
        _ group: gid_t,
        _ mode: mode_t,
        _ user: uid_t,
        _ reason: String?,
        _ command: String
    ) {
        let path = folder + "/key.pem"
        Self.write(path, mode: mode)
        unsafe chown(path, owner, group)
        let account = Account(
            name: user == 0 ? "root" : "postern",
            user: user,
            group: user,
            groupName: user == 0 ? "root" : "postern"
        )
        let failure = KeyFile.problem(with: path, as: account)
        #expect(failure?.reason == reason)
        let mended = command.isEmpty ? "" : "\(command) \(path) && chmod \(user == 0 ? "0600" : "0640") \(path)"
        #expect(failure?.command ?? "" == mended)
    }
}
