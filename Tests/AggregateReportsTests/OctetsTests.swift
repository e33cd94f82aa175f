import DMARC
import MailSyntax
import TestSupport
import Testing

@testable import AggregateReports

@Suite("Octets of policies and rows")
struct OctetsTests {
    @Test("what is written reads again, and equal values have equal octets")
    func roundTrip() throws {
        var random = RandomReports(seed: 1)
        var (records, policies) = ([[UInt8]: ReportRecord](), [[UInt8]: PolicyConfiguration]())
        for _ in 0..<2_000 {
            let (record, policy) = (random.record(), try random.policy())
            #expect(ReportRecord(octets: record.octets) == record)
            #expect(PolicyConfiguration(octets: policy.octets) == policy)
            #expect(records.updateValue(record, forKey: record.octets).map { $0 == record } ?? true)
            #expect(policies.updateValue(policy, forKey: policy.octets).map { $0 == policy } ?? true)
        }
    }

    @Test("cut, longer or changed anywhere, they are refused, or another value's own")
    func damaged() throws {
        var random = RandomReports(seed: 2)
        for _ in 0..<60 {
            for octets in [random.record().octets, try random.policy().octets] {
                for end in octets.indices { try read(Array(octets[..<end]), isWhole: false) }
                try read(octets + [0], isWhole: false)
                for place in octets.indices {
                    var changed = octets
                    changed[place] ^= UInt8.random(in: 1...255, using: &random.generator)
                    try read(changed, isWhole: true)
                }
            }
        }
    }

    private func read(_ octets: [UInt8], isWhole: Bool) throws {
        let (record, policy) = (ReportRecord(octets: octets), PolicyConfiguration(octets: octets))
        if !isWhole, octets.first == 1 { #expect(record == nil || policy == nil) }
        if let record { #expect(record.octets == octets) }
        if let policy { #expect(policy.octets == octets) }
    }

    @Test("octets of any kind never trap")
    func noise() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...40, using: &generator)
            let octets =
                [1]
                + (0..<count).map { _ in
                    UInt8.random(in: 0...(Bool.random(using: &generator) ? 8 : 255), using: &generator)
                }
            _ = ReportRecord(octets: octets)
            _ = PolicyConfiguration(octets: octets)
        }
        #expect(ReportRecord(octets: [1, 4, 0, 0, 0, 0, 1, 0] + [UInt8](repeating: 0xFF, count: 20)) == nil)
        #expect(ReportRecord(octets: []) == nil && PolicyConfiguration(octets: [2]) == nil)
    }

    @Test("version 1 stays what it is, and an ordinary row takes less than 100 octets")
    func version() throws {
        let record = ReportRecord(
            source: try #require(IPAddress("192.0.2.1")),
            disposition: .pass,
            isDKIMAligned: true,
            isSPFAligned: true,
            headerFrom: "example.com",
            envelopeFrom: "",
            signatures: [ReportRecord.Signature(domain: "example.com", selector: "s", result: .pass)],
            spf: ReportRecord.SPF(domain: "example.com", result: .pass)
        )
        let name = "0b6578616d706c652e636f6d"
        #expect(
            record.octets.hexadecimal == "0104c0000201" + "0203" + "00" + name + "0100" + "01\(name)01730200"
                + "01\(name)0200"
        )
        #expect(record.octets.count < 100)
        let policy = try PolicyConfiguration.sample { $0.problem = "x" }
        let destination = "077265706f727473" + name + "00"
        #expect(
            policy.octets.hexadecimal == "01" + name + "0203" + "0000" + "000000" + "0130" + "01\(destination)"
                + "010178"
        )
    }
}

extension [UInt8] {
    var hexadecimal: String { map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
}

/// Policies and rows of any kind.
struct RandomReports {
    var generator: SeededGenerator

    init(seed: UInt64) { generator = SeededGenerator(seed: seed) }

    mutating func one<Value>(_ values: [Value]) -> Value { values[Int.random(in: values.indices, using: &generator)] }
    mutating func text() -> String {
        one(["", "a", "example.com", "\u{0}\u{FFFF}<&>", "ü😀", String(repeating: "x", count: 300)])
    }
    mutating func optionalText() -> String? { Bool.random(using: &generator) ? text() : nil }

    mutating func record() -> ReportRecord {
        var record = ReportRecord(
            source: Bool.random(using: &generator)
                ? .v4(IPv4Address(.random(in: 0 ... .max, using: &generator)))
                : .v6(IPv6Address(high: .random(in: 0 ... .max, using: &generator), low: 1)),
            disposition: one(ReportDisposition.allCases),
            isDKIMAligned: Bool.random(using: &generator),
            isSPFAligned: Bool.random(using: &generator),
            headerFrom: text(),
            envelopeFrom: optionalText()
        )
        for _ in 0..<Int.random(in: 0...2, using: &generator) {
            record.reasons.append(ReportReason(one(ReportReason.Kind.allCases), comment: optionalText()))
            record.signatures.append(
                ReportRecord.Signature(
                    domain: text(),
                    selector: text(),
                    result: one(ReportDKIMResult.allCases),
                    humanResult: optionalText()
                )
            )
        }
        if Bool.random(using: &generator) {
            record.spf = ReportRecord.SPF(
                domain: text(),
                result: one(ReportSPFResult.allCases),
                humanResult: optionalText()
            )
        }
        return record
    }

    mutating func policy() throws -> PolicyConfiguration {
        var policy = PolicyConfiguration(domain: try DomainName(one(["example.com", "b_c.example", "a"])))
        policy.discoveryMethod = one(PolicyConfiguration.DiscoveryMethod.allCases)
        policy.policy = one([.none, .quarantine, .reject])
        policy.subdomainPolicy = one([nil, .quarantine, .reject])
        policy.nonexistentSubdomainPolicy = one([nil, .quarantine, .reject])
        policy.dkimAlignment = one([.relaxed, .strict])
        policy.spfAlignment = one([.relaxed, .strict])
        policy.isTesting = Bool.random(using: &generator)
        policy.failureOptions = text()
        let uris = (0..<3).map { _ in one(["mailto:a@x.example!1k", "mailto:%C3%BC@y.example", "mailto:c@z.example!0"])
        }
        policy.destinations = ReportDestination.destinations(of: uris.compactMap { ReportDestination($0) })
        policy.problem = optionalText()
        return policy
    }
}
