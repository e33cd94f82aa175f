internal import ArgumentParser
internal import CommandSupport
internal import DNSLookup
internal import Glibc
internal import MailSyntax
internal import PosternSetup

/// `postern lookup`: asks the DNS in the same way as the daemon.
struct LookupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lookup",
        abstract: "Look a name up as the daemon does.",
        discussion: """
            Prints the records, one a line, and then the TTL, where the answer came from, and how long it took. The \
            exit status is 0 with records, 1 without, and 75 when there is no answer.
            """
    )

    @Argument(help: "The name; an address for PTR.")
    var name: String

    @Argument(help: "The type: A, AAAA, MX, PTR or TXT.")
    var type: String

    @OptionGroup var lookups: LookupOptions

    @Option(help: ArgumentHelp("The configuration whose [dns] counts.", valueName: "file"))
    var config: String?

    func validate() throws {
        _ = try question()
    }

    func run() async throws {
        let question = try question()
        let resolver = try lookups.setup(config).resolver
        let start = ContinuousClock.now
        let reply = await resolver.dns.lookUp(question)
        let time = ContinuousClock.now - start
        switch reply.result {
        case .success(let answer):
            for record in answer.records { print(Self.text(record)) }
            print("; \(question): \(Self.text(answer)), \(Self.text(reply.source)), \(Self.milliseconds(time))")
            if answer.status != .records { throw ExitCode.failure }
        case .failure(let error):
            print("; \(question): \(Self.text(error)), \(Self.milliseconds(time))")
            lookups.noteSilence(of: resolver)
            throw ExitCode(EX_TEMPFAIL)
        }
    }

    private func question() throws -> DNSQuestion {
        guard let type = DNSRecordType.allCases.first(where: { $0.description == type.uppercased() }) else {
            throw ValidationError("'\(type)' is no type that is looked up; expected A, AAAA, MX, PTR or TXT")
        }
        if type == .ptr, let address = IPAddress(name) { return DNSQuestion(address.reverseName, type) }
        return DNSQuestion(try Names.domain(name, "the name"), type)
    }

    /// A record's data in the notation of a master file (RFC 1035 § 5.1), with a text in one piece.
    private static func text(_ record: DNSRecord) -> String {
        switch record {
        case .a(let address): return address.description
        case .aaaa(let address): return address.description
        case .mx(let preference, let exchange): return "\(preference) \(exchange)"
        case .ptr(let name): return name.description
        case .txt(let text):
            let quoted = text.map { octet in
                switch octet {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"): "\\" + String(UnicodeScalar(octet))
                case 0x20...0x7E: String(UnicodeScalar(octet))
                default: "\\" + String(String(1000 + Int(octet)).dropFirst())
                }
            }
            return "\"\(quoted.joined())\""
        }
    }

    private static func text(_ answer: DNSAnswer) -> String {
        switch answer.status {
        case .records: "TTL \(answer.timeToLive) s"
        case .noData: "no records of the type, TTL \(answer.timeToLive) s"
        case .noSuchName: "no such name, TTL \(answer.timeToLive) s"
        }
    }

    private static func text(_ source: DNSSource) -> String {
        switch source {
        case .cache: "from the cache"
        case .stale: "stale, from the cache"
        case .server, .joined: "from a server"
        case .zone: "from a zone file"
        }
    }

    private static func text(_ error: DNSLookupError) -> String {
        switch error {
        case .timeout: "no server replied in time"
        case .serverFailure: "the servers failed (SERVFAIL or no usable reply)"
        case .refused: "the servers refused to answer"
        case .malformed: "the reply could not be understood"
        case .aliasLoop, .tooManyAliases, .cancelled, .noRoom, .noServer, .tooMuch: "\(error)"
        }
    }

    private static func milliseconds(_ time: Duration) -> String {
        let microseconds = time.components.seconds * 1_000_000 + time.components.attoseconds / 1_000_000_000_000
        return "\(microseconds / 1000).\(String(1000 + microseconds % 1000).dropFirst()) ms"
    }
}
