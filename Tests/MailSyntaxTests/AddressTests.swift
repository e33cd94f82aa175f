import Glibc
import MailSyntax
import Testing

@Suite("IP addresses and networks")
struct AddressTests {
    @Test(
        "RFC 4291 § 2.2, RFC 5952: what is read, and how it is written",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"), ("::", "::"),
            ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
            ("fe80::1:0:0:2", "fe80::1:0:0:2"),
            ("192.0.2", nil), ("192.0.2.256", nil), ("192.0.2.01", nil), ("", nil), ("2001:db8::1%eth0", nil),
            (":::", nil), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("1:2:3:4:5:6:7:8:9", nil), ("1:2:3:4:5:6:7", nil),
            ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"), ("1::8:", nil),
            ("1:2:3:4::5:6:7:8", nil), ("1::2::3", nil), (":1:2:3:4:5:6:7", nil), ("1:2:3:4:5:6:7:", nil),
            ("1:2:3:4:5:6:192.0.2.1", "1:2:3:4:5:6:c000:201"), ("1:2:3:4:5:6:7:192.0.2.1", nil), ("1::192.0.2", nil),
            ("::192.0.2.1:1", nil), ("1", nil), (":", nil), ("192.0.2.1.", nil), (".192.0.2.1", nil), ("1..2.3", nil),
            ("192.0.2.1\u{0}x", nil), (" 192.0.2.1", nil), ("12345::", nil),
        ] as [(String, String?)]
    )
    func reads(text: String, expected: String?) {
        #expect(IPAddress(text)?.description == expected)
    }

    @Test("inet_pton() reads the same, whatever the text")
    func sameAsLibrary() {
        var random = SystemRandomNumberGenerator()
        let pieces = [
            "0", "1", "25", "255", "256", "a", "fFfF", "10000", ".", ".", ":", ":", "::", "1.2.3.4", "/", " ",
        ]
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 1...17, using: &random)).compactMap { _ in pieces.randomElement() }.joined()
            var (v4, v6) = (in_addr(), in6_addr())
            let isV4 = unsafe inet_pton(AF_INET, text, &v4) == 1
            let isV6 = unsafe inet_pton(AF_INET6, text, &v6) == 1
            switch IPAddress(text) {
            case .v4(let address): #expect(isV4 && address.value == UInt32(bigEndian: v4.s_addr), "\(text)")
            case .v6(let address):
                let octets = unsafe withUnsafeBytes(of: &v6) { unsafe Array($0) }
                let value = octets.reduce(UInt128(0)) { $0 << 8 | UInt128($1) }
                #expect(isV6 && value == UInt128(address.high) << 64 | UInt128(address.low), "\(text)")
            case nil: #expect(!isV4 && !isV6, "\(text)")
            }
        }
    }

    @Test("RFC 1035 § 3.5, RFC 3596 § 2.5: reverse names")
    func reverseNames() throws {
        #expect(try #require(IPAddress("192.0.2.1")).reverseName.description == "1.2.0.192.in-addr.arpa")
        #expect(try #require(IPAddress("0.9.10.99")).reverseName.description == "99.10.9.0.in-addr.arpa")
        #expect(try #require(IPAddress("100.255.1.20")).reverseName == DomainName("20.1.255.100.in-addr.arpa"))
        let expected = "1" + String(repeating: ".0", count: 23) + ".8.b.d.0.1.0.0.2.ip6.arpa"
        #expect(try #require(IPAddress("2001:db8::1")).reverseName.description == expected)
    }

    @Test("RFC 7208 § 5: IPv4-mapped addresses are IPv4")
    func mapped() throws {
        let address = try #require(IPAddress("::ffff:192.0.2.1"))
        #expect(address.unmapped == IPAddress("192.0.2.1") && address.unmapped.bitWidth == 32)
        #expect(try #require(IPAddress("::192.0.2.1")).unmapped.bitWidth == 128)
    }

    @Test(
        "RFC 4632 § 3.1: networks",
        arguments: [
            ("192.0.2.0/24", "192.0.2.255", true), ("192.0.2.0/24", "192.0.3.0", false),
            ("192.0.2.77/24", "192.0.2.1", true),
            ("0.0.0.0/0", "203.0.113.9", true), ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1/32", "192.0.2.2", false),
            ("192.0.2.0/31", "192.0.2.1", true), ("::/0", "2001:db8::1", true), ("::/0", "192.0.2.1", false),
            ("2001:db8::/32", "2001:db8:ffff::", true), ("2001:db8::/32", "2001:db9::", false),
            ("2001:db8::/64", "2001:db8::ffff:0:0:1", true), ("2001:db8::/64", "2001:db8:0:1::", false),
            ("2001:db8::/65", "2001:db8::8000:0:0:0", false), ("2001:db8::/65", "2001:db8::7fff:0:0:0", true),
            ("2001:db8::1/128", "2001:db8::1", true), ("2001:db8::1/128", "2001:db8::2", false),
        ]
    )
    func networks(network: String, address: String, isInside: Bool) throws {
        let network = try #require(IPNetwork(network))
        #expect(network.contains(try #require(IPAddress(address))) == isInside)
        #expect(IPNetwork(network.description) == network)
    }

    @Test(
        "a network by its first address",
        arguments: [
            ("10.1.2.3/8", "10.0.0.0/8"), ("192.0.2.77/26", "192.0.2.64/26"), ("192.0.2.1", "192.0.2.1"),
            ("192.0.2.1/0", "0.0.0.0/0"), ("2001:db8::1/32", "2001:db8::/32"),
            ("2001:db8::1:0:0:1/64", "2001:db8::/64"),
            ("2001:db8::ffff:0:0:1/65", "2001:db8:0:0:8000::/65"), ("2001:db8::3/127", "2001:db8::2/127"),
            ("2001:db8::1/128", "2001:db8::1"), ("ffff::1/0", "::/0"),
            ("::ffff:198.51.100.7/120", "198.51.100.0/24"), ("::ffff:192.0.2.1", "192.0.2.1"),
            ("::ffff:0.0.0.0/96", "0.0.0.0/0"), ("::ffff:0.0.0.0/95", "::fffe:0:0/95"),
        ]
    )
    func canonical(network: String, expected: String) throws {
        #expect(try #require(IPNetwork(network)).canonical.description == expected)
    }

    @Test(
        "what is no network",
        arguments: [
            "192.0.2.0/33", "::/129", "192.0.2.0/", "192.0.2.0/-1", "192.0.2.0/+1", "x/8", "", "/8", "192.0.2.0/8/8",
            "1.2.3.4/99999999999999999999",
        ]
    )
    func noNetworks(text: String) {
        #expect(IPNetwork(text) == nil)
    }
}
