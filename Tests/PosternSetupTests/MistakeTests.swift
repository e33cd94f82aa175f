import FoundationEssentials
import Glibc
import MailCrypto
import NIOPosix
import PosternConfiguration
import TestSupport
import Testing

@testable import PosternSetup

/// The commonest mistakes, each with every line that `postern config check` says about it.
///
/// `Tests/Vectors/configuration/mistakes.txt` is read and written by people: `===` and a title, the configuration, `---`, the messages.
/// `\xE9` in a configuration is that octet. A title that ends with "(root)" is for root alone, who can give files away.
/// With POSTERN_WRITE_GOLDEN set in the environment the messages are written anew, to be read before they are kept.
@Suite("Configuration mistakes")
struct MistakeTests {
    private static let vectors =
        "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/") + "/Vectors/configuration/"

    /// The account that the daemon would have: never root, nor another user that the messages would name.
    private static let account = Account(
        name: "postern",
        user: geteuid() == 0 ? 4242 : geteuid(),
        group: geteuid() == 0 ? 4242 : getegid(),
        groupName: "postern"
    )

    /// Debian's Postfix.
    private static let postfix = PostfixInstallation(
        account: Account(name: "postfix", user: 4343, group: 4343, groupName: "postfix"),
        main: "",
        master: "smtp      inet  n       -       y       -       -       smtpd\n"
    )

    struct Mistake {
        let title: String
        let configuration: String
        let messages: String

        /// What the file holds.
        var octets: [UInt8] {
            let parts = configuration.components(separatedBy: "\\x")
            return parts.dropFirst().reduce(into: Array((parts.first ?? "").utf8)) { octets, part in
                octets += [UInt8(part.prefix(2), radix: 16) ?? 0] + part.utf8.dropFirst(2)
            }
        }
    }

    /// Where the configurations are read: with the lists and the keys that they name, and with keys that are no keys.
    private let folder: Folder

    init() throws {
        folder = try Folder()
        for name in ["enrolled", "networks"] {
            try folder.write(name, Array(String(contentsOfFile: Self.vectors + name, encoding: .utf8).utf8))
        }
        try folder.write("no-domains", Array("# a comment\nexample net\n".utf8))
        try folder.write("latin1", [0x61, 0x0A, 0x62, 0x2E, 0xFC, 0x0A])
        let pem = try PrivateKey.generate(.ed25519, bits: 256).pem()
        for (name, mode) in [("good.pem", 0o600), ("open.pem", 0o644), ("foreign.pem", 0o600)] as [(String, mode_t)] {
            try unsafe chmod(folder.write(name, pem), mode)
        }
        for (name, mode) in [("garbage.pem", 0o600), ("open-garbage.pem", 0o644)] as [(String, mode_t)] {
            try unsafe chmod(folder.write(name, Array("no key\n".utf8)), mode)
        }
        unsafe chown(folder.file("foreign.pem"), 65_534, 65_534)
        unsafe chown(folder.file("good.pem"), Self.account.user, Self.account.group)
    }

    private static func mistakes() throws -> [Mistake] {
        let text = try String(contentsOfFile: vectors + "mistakes.txt", encoding: .utf8)
        return ("\n" + text).components(separatedBy: "\n=== ").dropFirst().map { section in
            let lines = section.split(separator: "\n", omittingEmptySubsequences: false)
            let parts = lines.dropFirst().split(separator: "---", maxSplits: 1)
            return Mistake(
                title: String(lines.first ?? ""),
                configuration: parts.first?.joined(separator: "\n") ?? "",
                messages: parts.count > 1 ? parts[1].filter { !$0.isEmpty }.joined(separator: "\n") : ""
            )
        }
    }

    private func check(_ mistake: Mistake) throws -> [ConfigurationProblem] {
        let path = try folder.write("postern.toml", mistake.octets)
        return ConfigurationCheck(
            path: path,
            as: { Self.account },
            group: MultiThreadedEventLoopGroup.singleton,
            postfix: Self.postfix
        ).problems
    }

    /// The problem as it would be in any folder.
    private func anywhere(_ problem: ConfigurationProblem) -> String {
        problem.description.replacing(folder.path + "/", with: "").replacing(folder.path, with: "FOLDER")
    }

    @Test("every message reads as it is written down")
    func golden() throws {
        let mistakes = try Self.mistakes()
        #expect(mistakes.count >= 95)
        var written = ""
        for mistake in mistakes {
            let isForRoot = mistake.title.hasSuffix("(root)")
            let messages =
                isForRoot && geteuid() != 0
                ? mistake.messages
                : try check(mistake).map(anywhere).joined(separator: "\n")
            #expect(messages == mistake.messages, "\(mistake.title)")
            #expect(!messages.isEmpty, "\(mistake.title) is no mistake")
            written += "=== \(mistake.title)\n\(mistake.configuration)\n---\n\(messages)\n"
        }
        if ProcessInfo.processInfo.environment["POSTERN_WRITE_GOLDEN"] != nil {
            try written.write(toFile: Self.vectors + "mistakes.txt", atomically: true, encoding: .utf8)
        }
    }

    @Test("every problem names its file and line")
    func places() throws {
        for mistake in try Self.mistakes() {
            #expect(try check(mistake).allSatisfy { $0.line > 0 && !$0.file.isEmpty }, "\(mistake.title)")
        }
    }
}
