import Glibc

/// Judges messages that are made to cost much, one after the other, and says of each how much it was and what was found.
///
///     hostile-messages --list | [NAME...]
///
/// Each line is: name, octets of the message, octets of the answers, questions, recipients, what was found, apart by tabs.
/// `Tests/Benchmarks/hostile` runs it below callgrind and holds the cost against the size.
@main
enum HostileMessages {
    static func main() throws {
        let wanted = CommandLine.arguments.dropFirst()
        let all = HostileMaker.all
        if wanted.first == "--list" { return print(all.map(\.name).joined(separator: "\n")) }
        guard wanted.allSatisfy({ name in all.contains { $0.name == name } }) else {
            print("no such message among: \(all.map(\.name).joined(separator: " "))")
            exit(64)
        }
        for message in all where wanted.isEmpty || wanted.contains(message.name) {
            let size = try message.make().run()
            let numbers = "\(size.octets)\t\(size.answerOctets)\t\(size.queries)\t\(size.recipients)"
            print("\(message.name)\t\(numbers)\t\(size.found)")
        }
    }
}
