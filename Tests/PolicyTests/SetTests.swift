import MailSyntax
import Policy
import Testing

@Suite("Sets")
struct SetTests {
    @Test("a large list answers, and a deep name walks no further than the list is deep")
    func domains() throws {
        var set = DomainSet()
        for number in 0..<20_000 {
            try set.insert("d\(number).example")
            try set.insert(".e\(number).example")
        }
        #expect(set.count == 40_000)
        #expect(set.contains(try DomainName("d19999.example")))
        #expect(!set.contains(try DomainName("x.d19999.example")))
        let deep = String(repeating: "a.", count: 100) + "e7.example"
        #expect(set.contains(try DomainName(deep)))
        #expect(!set.contains(try DomainName("e7.example")))
        #expect(!set.contains(.root))
    }

    @Test("the root, and everything below it")
    func root() throws {
        var set = DomainSet()
        #expect(throws: DomainName.SyntaxError.self) { try set.insert(".") }
        #expect(throws: DomainName.SyntaxError.self) { try set.insert("a..b") }
        #expect(set.isEmpty)
        try set.insert(".org")
        #expect(set.contains(try DomainName("example.org")))
        #expect(!set.contains(try DomainName("org")))
    }

    @Test(
        "a set includes another when its names do",
        arguments: [
            (["a.example"], ["a.example"], true),
            ([".example"], ["a.example"], true),
            ([".example"], [".a.example"], true),
            ([".a.example"], [".example"], false),
            (["a.example"], [".a.example"], false),
            (["example"], [".example"], false),
        ]
    )
    func supersets(_ large: [String], _ small: [String], _ expected: Bool) throws {
        var one = DomainSet()
        var other = DomainSet()
        for name in large { try one.insert(name) }
        for name in small { try other.insert(name) }
        #expect(one.isSuperset(of: other) == expected)
    }

    @Test("prefixes of every length", arguments: [0, 1, 8, 31, 32, 63, 64, 65, 127, 128])
    func prefixes(_ length: Int) throws {
        let address = try #require(IPAddress("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"))
        let network = try #require(IPNetwork(address, prefixLength: length))
        var set = NetworkSet()
        set.insert(network)
        #expect(set.contains(address))
        for other in [
            "::", "2001:db8::", "2001:db8:ffff:ffff::", "2001:db8:ffff:ffff:ffff:ffff:ffff:fffe", "192.0.2.1",
        ] {
            let candidate = try #require(IPAddress(other))
            #expect(set.contains(candidate) == network.contains(candidate), "\(other)/\(length)")
        }
    }

    @Test("addresses that are none", arguments: ["joe", "", "@", "joe@a..b", "@-"])
    func addresses(_ text: String) {
        var set = AddressSet()
        if text == "@-" {
            #expect(throws: Never.self) { try set.insert(text) }
        } else {
            #expect(throws: AddressSet.SyntaxError.self) { try set.insert(text) }
        }
    }
}
