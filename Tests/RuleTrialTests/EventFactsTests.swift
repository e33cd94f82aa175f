import MailSyntax
import Policy
import Testing

@testable import MailEvents
@testable import RuleTrial

@Suite("Facts of events")
struct EventFactsTests {
    @Test("facts that an event tells are the facts that it was made of")
    func roundTrip() throws {
        var random = RandomFacts(seed: 4)
        for _ in 0..<1000 {
            let stored = random.stored()
            let facts = try PolicyFacts(MailEvent(stored))
            #expect(String(reflecting: facts) == String(reflecting: stored.facts))
        }
    }

    @Test("what is stored of an event is what is known of the message")
    func stored() throws {
        var random = RandomFacts(seed: 5)
        for _ in 0..<500 {
            var message = random.stored()
            // The order of an event: those that were refused come last.
            let count = message.recipients.count
            let refused = Array(message.recipients.indices.suffix(Int.random(in: 0..<count, using: &random.random)))
            for place in refused { message.recorded.refuse(place, .reject, "r") }
            var event = MailEvent(message)
            event.verdict.refused = refused.map { place in
                MailEvent.Verdict.Refusal(action: "reject", rule: "r", refusedRcptTo: [place - event.rcptTo.count])
            }
            event.rcptStage = RecipientStage(
                answered: message.isAnswered,
                early: message.early.map { group in
                    RecipientStage.Early(
                        known: group.known.map(\.rawValue),
                        rcptTo: group.recipients.filter { !refused.contains($0) },
                        refusedRcptTo: group.recipients.filter(refused.contains).map { $0 - event.rcptTo.count }
                    )
                },
                obstacle: message.obstacle?.rawValue
            )
            #expect(StoredFacts(event).octets == message.octets)
        }
    }

    @Test("domains alone are no local parts and no source routes")
    func domainsOnly() throws {
        var stored = StoredFacts()
        stored.recipients = ["@a.example", "@[IPv6:2001:db8::1]"].map { MailAddress(mailbox: Octets($0)) }
        let read = StoredFacts(MailEvent(stored, addresses: .domains))
        #expect(read.addresses == .domains && read.recipients == stored.recipients)
        #expect(read.recipients.map { $0.domain?.description } == ["a.example", "[ipv6:2001:db8::1]"])
    }

    @Test(
        "an event with a word that no filter writes is not understood",
        arguments: ["spf", "iprev", "dmarc", "author", "ip", "mode", "names"]
    )
    func unreadable(_ member: String) {
        var random = RandomFacts(seed: 6)
        var stored = random.stored()
        stored.facts.results = PerCheck { _ in .pass }
        var event = MailEvent(stored)
        switch member {
        case "spf": event.spf?.result = "maybe"
        case "iprev": event.iprev?.result = ""
        case "dmarc": event.dmarc = MailEvent.DMARC(result: "policy ", rua: [], ruf: [], aligned: [])
        case "author": event.author?.reading = "?"
        case "ip": event.client.ip = "localhost"
        case "mode": event.verdict.mode = "off"
        default: event.iprev?.names = ["a..b"]
        }
        #expect(StoredFacts(event).subject == .unreadable)
    }

    @Test("a client that hides is one that no domain permits", arguments: ["disguised", "unreadable"])
    func hidden(_ state: String) throws {
        var stored = StoredFacts()
        stored.facts.results.spf = ResultWord.none
        var event = MailEvent(stored)
        event.relay = MailEvent.Relay(ip: "198.51.100.2", state: state)
        let results = try PolicyFacts(event).results
        #expect(results.spf == (state == "disguised" ? .fail : ResultWord.none) && results.spfHelo == nil)
    }

    @Test("mail that no rule has judged is known as such")
    func subjects() {
        var event = MailEvent(StoredFacts())
        #expect(StoredFacts(event).subject == .judged)
        event.facts = nil
        #expect(StoredFacts(event).subject == .unjudged)
        event.verdict.stage = "rcpt"
        #expect(StoredFacts(event).subject == .judged)
        event.direction = .outbound
        #expect(StoredFacts(event).subject == .outbound)
    }
}
