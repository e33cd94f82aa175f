import PosternConfiguration
import TestSupport
import Testing

@testable import PosternSetup

@Suite("The spool before it is written to")
struct SpoolCheckTests {
    private static let account = Account(name: "postern", user: 4242, group: 4242, groupName: "postern")

    private static func said(_ text: String, isOutsideUnit: Bool = false) throws -> [String] {
        let configuration = try Configuration.parse(text, file: "postern.toml")
        return SpoolCheck(account: account, isOutsideUnit: isOutsideUnit).problems(configuration).map(\.description)
    }

    @Test("a host without a ledger hears nothing of it")
    func unknown() throws {
        #expect(try Self.said("") == [])
    }

    @Test("a directory that is missing, is none, or lies elsewhere")
    func others() throws {
        let folder = try Folder()
        let missing = folder.file("spool")
        #expect(
            try Self.said("[events]\nspool = \"\(missing)\"\n") == [
                "postern.toml:2: events.spool: warning: the directory \(missing) does not exist: no events are written "
                    + "(better: for each start of the host: \"d \(missing) 2770 postern postern-ledger\" in "
                    + "/etc/tmpfiles.d/postern.conf) (type: install -d -o postern -g postern-ledger -m 2770 \(missing))"
            ]
        )
        let file = try folder.write("file", [])
        #expect(try Self.said("[events]\nspool = \"\(file)\"\n").first?.contains("is a regular file") == true)
        #expect(try Self.said("[events]\nspool = \"\(folder.path)\"\n") == [])
        let outside = try Self.said("[events]\nspool = \"\(folder.path)\"\n", isOutsideUnit: true)
        #expect(outside.first?.contains("ReadWritePaths=\(folder.path) in both units") == true)
    }
}
