import FoundationEssentials
import PosternConfiguration
import Testing

/// The commonest mistakes, each with every line that `postern config check` says about it.
///
/// `Tests/Vectors/configuration/mistakes.txt` is read and written by people: `===` and a title, the configuration, `---`, the messages.
/// With POSTERN_WRITE_GOLDEN set in the environment the messages are written anew, to be read before they are kept.
@Suite("Configuration mistakes")
struct MistakeTests {
    private static let folder =
        "/" + #filePath.split(separator: "/").dropLast(2).joined(separator: "/") + "/Vectors/configuration/"

    struct Mistake {
        let title: String
        let configuration: String
        let messages: String
    }

    private static func mistakes() throws -> [Mistake] {
        let text = try String(contentsOfFile: folder + "mistakes.txt", encoding: .utf8)
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

    private static func check(_ text: String) -> String {
        let problems: [String]
        do {
            problems = try Configuration.parse(text, file: folder + "postern.toml").warnings.map(\.description)
        } catch {
            problems = error.problems.map(\.description)
        }
        return problems.map { $0.replacing(folder, with: "") }.joined(separator: "\n")
    }

    @Test("every message reads as it is written down")
    func golden() throws {
        let mistakes = try Self.mistakes()
        #expect(mistakes.count >= 40)
        var written = ""
        for mistake in mistakes {
            let messages = Self.check(mistake.configuration)
            #expect(messages == mistake.messages, "\(mistake.title)")
            #expect(!messages.isEmpty, "\(mistake.title) is no mistake")
            written += "=== \(mistake.title)\n\(mistake.configuration)\n---\n\(messages)\n"
        }
        if ProcessInfo.processInfo.environment["POSTERN_WRITE_GOLDEN"] != nil {
            try written.write(toFile: Self.folder + "mistakes.txt", atomically: true, encoding: .utf8)
        }
    }

    @Test("every problem names its file and line")
    func places() throws {
        for mistake in try Self.mistakes() {
            do {
                _ = try Configuration.parse(mistake.configuration, file: "p.toml")
            } catch {
                #expect(error.problems.allSatisfy { $0.line > 0 && !$0.file.isEmpty }, "\(mistake.title)")
            }
        }
    }
}
