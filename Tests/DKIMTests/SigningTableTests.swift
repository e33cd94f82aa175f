import DKIM
import MailSyntax
import Testing

@Suite("Signing table")
struct SigningTableTests {
    static func table() throws -> DKIMSigningTable {
        DKIMSigningTable([
            .init(domain: try DomainName("example.org"), includesSubdomains: true, keys: []),
            .init(domain: try DomainName("own.example.org"), logins: [Octets("alice"), Octets("bob@x")], keys: []),
            .init(domain: try DomainName("single.example"), keys: []),
            .init(domain: try DomainName("single.example"), includesSubdomains: true, keys: []),
        ])
    }

    @Test(
        "The closest domain decides, and its logins",
        arguments: [
            ("example.org", nil, "example.org"),
            ("EXAMPLE.org", "anybody", "example.org"),
            ("a.b.example.org", nil, "example.org"),
            ("xexample.org", nil, "foreign domain"),
            ("org", nil, "foreign domain"),
            ("own.example.org", "alice", "own.example.org"),
            ("own.example.org", "bob@x", "own.example.org"),
            ("own.example.org", "Alice", "foreign login"),
            ("own.example.org", "mallory", "foreign login"),
            ("own.example.org", nil, "foreign login"),
            // An entry that does not cover what is below it leaves that to the one above.
            ("a.own.example.org", "mallory", "example.org"),
            ("single.example", nil, "single.example"),
            ("a.single.example", nil, "foreign domain"),
        ] as [(String, String?, String)]
    )
    func decides(_ author: String, _ login: String?, _ expected: String) throws {
        let found =
            switch try Self.table().decision(author: DomainName(author), login: login.map { Octets($0) }) {
            case .sign(let entry): "\(entry.domain)"
            case .foreignDomain: "foreign domain"
            case .foreignLogin: "foreign login"
            }
        #expect(found == expected)
    }
}
