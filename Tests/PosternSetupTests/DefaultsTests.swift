import DKIM
import DNSResolver
import MailAuthentication
import PosternConfiguration
import Testing

@testable import PosternSetup

@Suite("Defaults")
struct DefaultsTests {
    /// The options whose defaults differ, as text; those that depend on the host or on other settings are left out.
    private func differing<Options>(_ set: Options, _ library: Options, without others: Set<String> = []) -> [String] {
        zip(Mirror(reflecting: set).children, Mirror(reflecting: library).children).compactMap { mine, theirs in
            guard let label = mine.label, !others.contains(label), "\(mine.value)" != "\(theirs.value)" else {
                return nil
            }
            return "\(label): \(mine.value) and \(theirs.value)"
        }
    }

    @Test("what a configuration without settings asks for is what the libraries do by themselves")
    func same() throws {
        let configuration = Configuration()
        let resolver = differing(
            ResolverOptions(configuration),
            ResolverOptions(servers: []),
            without: ["servers", "maximumWaiting"]
        )
        #expect(resolver == [])
        #expect(differing(configuration.dns.cache.options, CacheOptions()) == [])
        let (set, library) = (AuthenticationSettings(configuration), AuthenticationSettings())
        #expect(differing(set.dkim, library.dkim) == [])
        #expect(differing(set.spf, library.spf, without: ["receiver"]) == [])
        #expect(differing(set, library, without: ["dkim", "spf", "checks"]) == [])
        let text = "[[signing]]\ndomain = 'example.org'\nkeys = [{ selector = 's', file = '/k' }]"
        let signing = try #require(try Configuration.parse(text, file: "p").signing.first)
        #expect(differing(signing.options, DKIMSigningOptions()) == [])
    }
}
