import ARC
import DKIM
import DNSLookup
import MailCrypto
import MailSyntax
import TestSupport
import Testing

/// What somebody would do who wants to be taken for a sealer that we trust.
@Suite("Attacks on a chain")
struct AttackTests {
    static let message = "From: a@author.example\nSubject: tea\nList-Id: <l.list.example>\n\nTea is at four.\n"

    /// A message that these sealers sealed one after the other, and their keys.
    static func sealed(by sealers: [Sealer], _ message: String = message) throws -> (message: String, zone: DNSZone) {
        var message = message
        for (place, sealer) in sealers.enumerated() { message = try sealer.seal(message, place + 1) }
        let records = Dictionary(try sealers.map { try $0.record() }) { first, _ in first }
        return (message, try Verification.zone(records.map { ($0.key, $0.value) }))
    }

    private func outcome(_ message: String, _ zone: DNSZone) async -> ARCOutcome {
        await Verification.outcome(of: [UInt8](message.utf8), zone)
    }

    @Test("the newest sealer vouches, nobody else")
    func newest() async throws {
        let (list, mallory) = (try Sealer("list.example"), try Sealer("mallory.example"))
        let (message, zone) = try Self.sealed(by: [list, mallory])
        let outcome = await outcome(message, zone)
        #expect(outcome.result == .pass)
        #expect(outcome.sealers.map(\.description) == ["list.example", "mallory.example"])
        #expect(outcome.vouchingSealer?.description == "mallory.example")
    }

    @Test("a set on top by another cannot claim the name of the list")
    func stolenName() async throws {
        let (list, mallory) = (try Sealer("list.example"), try Sealer("list.example"))
        let (message, _) = try Self.sealed(by: [mallory])
        let outcome = await outcome(message, try Verification.zone([try list.record()]))
        #expect(outcome.result == .fail)
        #expect(outcome.vouchingSealer == nil)
    }

    @Test("the seals of one message do not hold for another")
    func transplanted() async throws {
        let (message, zone) = try Self.sealed(by: [try Sealer("list.example")])
        let outcome = await outcome(message.replacing("a@author.example", with: "b@bank.example"), zone)
        #expect(outcome.problem == .signature(.message, 1, "header hash differs"))
        #expect(outcome.vouchingSealer == nil)
    }

    @Test("a message signature that leaves out From vouches for nobody")
    func withoutFrom() async throws {
        let list = try Sealer("list.example")
        let message = try list.seal(Self.message, 1, h: "subject")
        let outcome = await outcome(
            message.replacing("a@author", with: "b@bank"),
            try Verification.zone([list.record()])
        )
        #expect(outcome.result == .pass)
        #expect(outcome.sealer?.description == "list.example")
        #expect(outcome.vouchingSealer == nil)
    }

    @Test("a key in testing mode vouches for nobody")
    func testing() async throws {
        let list = try Sealer("list.example")
        let outcome = await outcome(
            try list.seal(Self.message, 1),
            try Verification.zone([list.record("; t=y")])
        )
        #expect(outcome.result == .pass)
        #expect(outcome.vouchingSealer == nil)
    }

    @Test("a body that goes on beyond l= breaks the chain")
    func appended() async throws {
        let list = try Sealer("list.example")
        let message = try list.seal(Self.message, 1, more: " l=17;") + "Buy now.\n"
        let outcome = await outcome(message, try Verification.zone([list.record()]))
        #expect(outcome.problem == .signature(.message, 1, "body goes on beyond the 17 octets signed"))
    }

    @Test("no answer is no fail; but a broken seal is one, whatever else is unknown")
    func unanswered() async throws {
        let (list, relay) = (try Sealer("list.example"), try Sealer("relay.example"))
        let (message, _) = try Self.sealed(by: [list, relay])
        var zone = try Verification.zone([list.record()])
        zone.add(failure: .timeout, at: try DomainName("s._domainkey.relay.example"))
        let open = await outcome(message, zone)
        #expect(open.result == .temperror)
        #expect(open.vouchingSealer == nil)
        #expect(open.unansweredSealer?.description == "relay.example")
        let broken = await outcome(message.replacing("list.example; none", with: "list.example; spf=pass"), zone)
        #expect(broken.result == .fail)
    }

    @Test("50 sets pass, 51 do not", arguments: [(50, ARCResult.pass), (51, .fail)])
    func length(_ count: Int, _ result: ARCResult) async throws {
        let sealers = Array(repeating: try Sealer("list.example", .rsa), count: count)
        let (message, zone) = try Self.sealed(by: sealers)
        let outcome = await outcome(message, zone)
        #expect(outcome.result == result, "\(outcome.trace.last ?? "")")
    }

    @Test("a chain whose keys take too long to try fails")
    func costly() async throws {
        let sealers = Array(repeating: try Sealer("list.example"), count: 27)
        let (message, zone) = try Self.sealed(by: sealers)
        #expect(
            await outcome(message, zone).problem
                == .signature(.seal, 2, "the keys of this message take too long to try")
        )
    }

    @Test("a malformed chain asks for no key, and a long one for each key once")
    func questions() async throws {
        let sealers = try (1...20).map { try Sealer("d\($0).example") }
        let (message, zone) = try Self.sealed(by: sealers)
        let asked = Asked(zone)
        #expect(await Verification.outcome(of: [UInt8](message.utf8), asked).result == .pass)
        #expect(asked.questions.count == 20)
        let unasked = Asked(zone)
        let broken = message.replacing("i=7; a=ed25519-sha256; cv=pass", with: "i=7; a=ed25519-sha256; cv=none")
        #expect(await Verification.outcome(of: [UInt8](broken.utf8), unasked).problem == .status(7))
        #expect(unasked.questions.isEmpty)
    }
}
