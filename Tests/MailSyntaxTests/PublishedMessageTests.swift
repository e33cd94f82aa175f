import FoundationEssentials
import MailSyntax
import TestSupport
import Testing

@Suite("Messages in use and malformed ones", .published("mail-messages/cpython"), .published("mail-messages/mime4j"))
struct PublishedMessageTests {
    /// Each message of both collections.
    private static func messages() throws -> [Data] {
        let cpython = try Corpora.files(in: "mail-messages/cpython").filter { $0.contains("/msg_") }
        let mime4j = try Corpora.files(in: "mail-messages/mime4j").filter { $0.hasSuffix(".msg") }
        return try (cpython + mime4j).map(Corpora.read)
    }

    @Test("each has an author, or a reason why not")
    func authors() throws {
        var kinds: [String: Int] = [:]
        for message in try Self.messages() {
            switch AuthorIdentity(of: StoredMessage(Octets(message)).headers) {
            case .domain(let domain, let mailboxes):
                #expect(mailboxes.allSatisfy { $0.domainName == domain })
                kinds["domain", default: 0] += 1
            case .repaired: kinds["repaired", default: 0] += 1
            case .severalDomains: kinds["several domains", default: 0] += 1
            case .noDomain: kinds["no domain", default: 0] += 1
            case .severalFields: kinds["several fields", default: 0] += 1
            case .missing: kinds["missing", default: 0] += 1
            case .unreadable: kinds["unreadable", default: 0] += 1
            }
        }
        // The four have no address: three are a word, one is a name before an empty pair of brackets.
        #expect(kinds == ["domain": 81, "missing": 42, "unreadable": 4])
    }

    @Test("no line makes the reader of addresses trap")
    func lines() throws {
        var count = 0
        for message in try Self.messages() {
            for line in message.split(whereSeparator: { $0 == 0x0A || $0 == 0x0D }) {
                _ = try? AddressList(parsing: Octets(line.drop { $0 != UInt8(ascii: ":") }.dropFirst()))
                count += 1
            }
        }
        #expect(count > 6000)
    }
}
