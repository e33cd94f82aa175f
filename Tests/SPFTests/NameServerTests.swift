import DNSLookup
import DNSResolver
import FoundationEssentials
import MailSyntax
import SPF
import SenderID
import TestSupport
import Testing

/// Runs suites against the name servers that `Tests/Judges/spf_name_server.py` starts.
@Suite("NameServerTests", .enabled(if: ProcessInfo.processInfo.environment["POSTERN_SPF_SERVERS"] != nil))
struct NameServerTests {
    @Test("every suite, over UDP")
    func overUDP() async throws {
        let ports = try JSONDecoder().decode(
            [String: [UInt16]].self,
            from: Data(try #require(ProcessInfo.processInfo.environment["POSTERN_SPF_SERVERS"]).utf8)
        )
        #expect(!ports.isEmpty)
        for (suite, ports) in ports {
            let resolvers = ports.map(Self.resolver)
            let cases = try SPFSuite.cases(Data(contentsOf: URL(filePath: suite)))
            #expect(!cases.isEmpty, "\(suite)")
            for vector in cases {
                let resolver = resolvers[vector.sectionNumber]
                let result =
                    await suite.split(separator: "/").last?.hasPrefix("rfc7208") == true
                    ? try expectSPF(vector, resolver) : senderID(vector, resolver).rawValue
                #expect(vector.results.contains(result), "\(suite) \(vector.testDescription)")
            }
            for resolver in resolvers { await resolver.shutdown() }
        }
    }

    private static func resolver(port: UInt16) -> CachingResolver {
        var options = ResolverOptions(servers: [NameServer(.v4(IPv4Address(0x7F00_0001)), port: port)])
        options.attemptTimeout = .milliseconds(200)
        options.attempts = 3
        options.timeout = .seconds(1)
        return CachingResolver(options)
    }

    private func expectSPF(_ vector: SPFCase, _ resolver: CachingResolver) async throws -> String {
        let (helo, client) = (vector.helo, vector.client)
        let outcome = await resolver.outcome(
            of: vector.mailFrom.isEmpty
                ? SPFInquiry(helo: helo, client: client, now: 0)
                : SPFInquiry(mailFrom: vector.mailFrom, helo: helo, client: client, now: 0)
        )
        if let explanation = vector.explanation {
            #expect(outcome.explanation == (explanation == "DEFAULT" ? nil : explanation), "\(vector.testDescription)")
        }
        return outcome.result.rawValue
    }

    private func senderID(_ vector: SPFCase, _ resolver: CachingResolver) async -> SPFResult {
        let (helo, client) = (vector.helo, vector.client)
        guard let address = vector.responsibleAddress else {
            let inquiry = SenderIDInquiry(mailFrom: vector.mailFrom, helo: helo, client: client, now: 0)
            return await resolver.outcome(of: inquiry).result
        }
        var headers = HeaderBlock()
        headers.append(name: "From".utf8, value: address)
        return await resolver.outcome(of: SenderIDInquiry(of: headers, helo: helo, client: client, now: 0)).result
    }
}
