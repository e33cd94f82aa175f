import DNSLookup
import MailSyntax
import ReverseDNS
import Testing

@Suite("RFC 8601 § 3: iprev")
struct ReverseNameTests {
    private static let address = IPAddress.v4(IPv4Address(0xC000_0201))
    private static let six = IPAddress.v6(IPv6Address(high: 0x2001_0DB8_0000_0000, low: 1))

    private func zone(_ pointers: [String], of address: IPAddress = address) throws -> DNSZone {
        var zone = DNSZone()
        for name in pointers { zone.add(.ptr(try DomainName(name)), at: address.reverseName) }
        zone.add(.a(IPv4Address(0xC000_0201)), at: try DomainName("good.test"))
        zone.add(.a(IPv4Address(0xC000_0201)), at: try DomainName("fine.test"))
        zone.add(.aaaa(IPv6Address(high: 0x2001_0DB8_0000_0000, low: 1)), at: try DomainName("six.test"))
        zone.add(.a(IPv4Address(1)), at: try DomainName("bad.test"))
        zone.add(failure: .timeout, at: try DomainName("late.test"))
        return zone
    }

    @Test(
        "§ 2.7.3: results",
        arguments: [
            (["good.test"], ReverseNameResult.pass, ["good.test"]),
            (["bad.test", "late.test", "good.test"], .pass, ["good.test"]),
            (["fine.test", "bad.test", "good.test"], .pass, ["fine.test", "good.test"]),
            (["bad.test"], .fail, []), (["none.test"], .fail, []), (["six.test"], .fail, []),
            (["bad.test", "late.test"], .temperror, []), ([], .permerror, []),
            ((0..<10).map { "x\($0).test" } + ["good.test"], .fail, []),
        ] as [([String], ReverseNameResult, [String])]
    )
    func results(pointers: [String], result: ReverseNameResult, names: [String]) async throws {
        let inquiry = ReverseNameInquiry(of: Self.address)
        let outcome = try await zone(pointers).outcome(of: inquiry)
        #expect(try zone(pointers).outcomeAtHand(of: inquiry) == outcome)
        #expect(outcome.result == result)
        #expect(outcome.names.map(\.description) == names)
        #expect(outcome.unansweredNames.map(\.description) == pointers.filter { $0 == "late.test" })
        #expect(outcome.claimedNames.map(\.description) == Array(pointers.prefix(10)))
    }

    @Test("IPv6, mapped IPv4, and no answer for the address")
    func families() async throws {
        #expect(
            try await zone(["six.test"], of: Self.six).outcome(of: ReverseNameInquiry(of: Self.six)).result == .pass
        )
        let mapped = IPAddress.v6(IPv6Address(high: 0, low: 0xFFFF_C000_0201))
        #expect(try await zone(["good.test"]).outcome(of: ReverseNameInquiry(of: mapped)).result == .pass)
        var zone = DNSZone()
        zone.add(failure: .serverFailure, at: Self.address.reverseName)
        #expect(await zone.outcome(of: ReverseNameInquiry(of: Self.address)).result == .temperror)
    }
}
