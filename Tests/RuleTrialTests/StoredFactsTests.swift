import MailSyntax
import Policy
import Testing

@testable import RuleTrial

@Suite("Stored facts")
struct StoredFactsTests {
    @Test("what is stored reads again")
    func roundTrip() throws {
        var random = RandomFacts(seed: 1)
        for _ in 0..<500 {
            var stored = random.stored()
            stored.recorded.rule = random.one([nil, "spf-strict"])
            stored.recorded.would = random.one([
                nil, RecordedVerdict.Match(action: .junk, rule: "j", stage: .endOfMessage),
            ])
            for place in random.some(Array(stored.recipients.indices)) {
                stored.recorded.refuse(place, .reject, random.one([nil, "a", "b"]))
            }
            let again = try StoredFacts(octets: stored.octets)
            #expect(again.octets == stored.octets)
            #expect(String(reflecting: again.facts) == String(reflecting: stored.facts))
            #expect(again.recipients == stored.recipients && again.early == stored.early)
            #expect(again.recorded == stored.recorded && again.obstacle == stored.obstacle)
        }
    }

    @Test("cut or changed anywhere, they are refused or read, and never more")
    func damaged() throws {
        var random = RandomFacts(seed: 2)
        for _ in 0..<50 {
            let octets = random.stored().octets
            for end in 1..<octets.count {
                #expect(throws: StoredFacts.ReadingError.damaged) { try StoredFacts(octets: Array(octets[..<end])) }
            }
            for place in 1..<octets.count {
                var changed = octets
                changed[place] ^= UInt8.random(in: 1...255, using: &random.random)
                if let read = try? StoredFacts(octets: changed) { _ = try StoredFacts(octets: read.octets) }
            }
        }
    }

    @Test("addresses that are not UTF-8 are written as they read again")
    func repaired() throws {
        var stored = StoredFacts()
        stored.facts.mailFrom = MailAddress(mailbox: [0xFA])
        stored.facts.pra = MailAddress(mailbox: [0xFE])
        #expect(try StoredFacts(octets: stored.octets).octets == stored.octets)
    }

    @Test("no facts, and those of a later version, are told from damage")
    func version() {
        #expect(throws: StoredFacts.ReadingError.unknownVersion) { try StoredFacts(octets: []) }
        #expect(throws: StoredFacts.ReadingError.unknownVersion) { try StoredFacts(octets: [3, 0, 0]) }
        #expect(throws: StoredFacts.ReadingError.damaged) { try StoredFacts(octets: [1]) }
    }

    @Test("an ordinary message takes less than 250 octets, and version 1 is still read")
    func size() throws {
        var stored = StoredFacts()
        let author = try DomainName("example.com")
        stored.facts.client = IPAddress("192.0.2.1")
        stored.facts.helo = "mail.example.com"
        stored.facts.mailFrom = MailAddress("bounce@example.com")
        stored.facts.pra = MailAddress("a@example.com")
        stored.facts.authenticated = false
        stored.facts.results = PerCheck { $0 == .spfHelo ? ResultWord.none : $0 == .arc ? nil : .pass }
        stored.facts.senderIDAligned = .pass
        stored.facts.dkimAligned = .pass
        stored.facts.dmarcPolicy = .reject
        stored.facts.dmarcPublished = .reject
        stored.facts.author = .readable
        stored.facts.fromCount = 1
        stored.facts.fromDomains = [author]
        stored.facts.dkimDomains = [author, author]
        stored.facts.clientNames = [try author.child(Octets("mail"))]
        stored.recipients = [MailAddress("b@example.net")]
        stored.recorded.mode = .enforce
        stored.hasContent = true
        let text = stored.octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        #expect(stored.octets.count < 250)
        let expected = [
            "0201dd9d8004", "151111113310", "c0000201", "106d61696c2e6578616d706c652e636f6d",
            "12626f756e6365406578616d706c652e636f6d", "0d61406578616d706c652e636f6d", "01",
            "02", "0c076578616d706c6503636f6d", "11046d61696c076578616d706c6503636f6d", "0100", "020000", "0101",
            "01", "0d62406578616d706c652e6e6574", "91",
        ]
        #expect(text == expected.joined())
        let older = try StoredFacts(octets: [1] + stored.octets.dropFirst())
        #expect(older.octets == stored.octets)
        #expect(older.facts.spfOpen == .unknown && older.facts.listDomains == nil)
    }
}
