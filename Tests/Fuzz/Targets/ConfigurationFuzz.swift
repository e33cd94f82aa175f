internal import Policy
internal import PosternConfiguration

/// Reads an input as a configuration: it has at least one problem, with its place in words, or it reads back from what
/// `postern config show` writes.
func fuzzConfiguration(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let text = String(decoding: unsafe input(start, count), as: UTF8.self)
    let lines = text.utf8.count { $0 == 0x0A } + 1
    do throws(ConfigurationError) {
        let configuration = try Configuration.parse(text, file: "fuzz.toml")
        Outcomes.count(configuration.rules.rules.isEmpty ? "settings" : "rules")
        _ = configuration.warnings
        let shown = configuration.text
        let again = Result { () throws(ConfigurationError) in try Configuration.parse(shown, file: "fuzz.toml") }
        guard case .success(let again) = again else { fatalError("what is shown cannot be read: \(again)") }
        expect(again.text == shown, "what is shown reads otherwise")
    } catch {
        Outcomes.count("problems")
        expect(!error.problems.isEmpty)
        for problem in error.problems {
            expect(!problem.message.isEmpty && problem.line <= lines + 1 && problem.line >= 0)
            expect(!problem.description.utf8.contains(0), "a NUL in a message")
        }
    }
    return 0
}
