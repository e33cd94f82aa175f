import Glibc
import PosternDaemon
import Testing

@Suite("Key files")
struct KeyFileTests {
    // `/tmp` has the sticky bit, so what lies below it can be safe.
    private let parent: Folder
    private var folder: String { parent.path }

    init() throws { parent = try Folder() }

    private static func write(_ path: String, mode: mode_t) {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        unsafe Glibc.write(descriptor, "key", 3)
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
        if problem == nil { #expect((try? KeyFile.read(path)) == [0x6B, 0x65, 0x79]) }
    }

    @Test(
        "The mode of a directory on the way",
        arguments: [
            (0o755, nil), (0o700, nil), (0o1777, nil),
            (0o775, "can be written to by its group (mode 0775, bit 0020)"),
            (0o777, "can be written to by its group (mode 0777, bit 0020)"),
            (0o757, "can be written to by everybody (mode 0757, bit 0002)"),
        ] as [(mode_t, String?)]
    )
    func directoryMode(_ mode: mode_t, _ problem: String?) {
        let upper = folder + "/upper"
        unsafe mkdir(upper, 0o700)
        unsafe mkdir(upper + "/lower", 0o700)
        Self.write(upper + "/lower/key.pem", mode: 0o600)
        unsafe chmod(upper, mode)
        #expect(KeyFile.problem(with: upper + "/lower/key.pem")?.description == problem.map { "\(upper) \($0)" })
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

    @Test("A file of somebody else", .enabled(if: geteuid() == 0))
    func owner() {
        Self.write(folder + "/key.pem", mode: 0o600)
        unsafe chown(folder + "/key.pem", 65_534, 0)
        #expect(
            KeyFile.problem(with: folder + "/key.pem")?.reason == "belongs to user 65534, not to root or user 0"
        )
    }
}
