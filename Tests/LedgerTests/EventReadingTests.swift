import FoundationEssentials
import MailEvents
import MailSyntax
import TestSupport
import Testing

@testable import Ledger

@Suite("Reading events")
struct EventReadingTests {
    /// An event with every member that there is.
    private static let full = SampleEvent(
        answers: #"[{"name":"e","type":"TXT","outcome":"records","ttl":3,"source":"server","records":["x\u00e9\\"]},"#
            + #"{"name":"e","type":"A","outcome":"timed out","ttl":null,"source":"server","records":[]}]"#
    ).line
        .replacing(
            #""rcpt_stage":null"#,
            with:
                #""rcpt_stage":{"answered":true,"early":[{"known":["spf"],"rcpt_to":[0],"refused_rcpt_to":[]}],"obstacle":"x"}"#
        )
        .replacing(
            #""tags":null"#,
            with: #""tags":{"p":"reject","sp":null,"np":null,"adkim":"r","aspf":"s","fo":"0","t":"n","psd":"u"}"#
        )
        .replacing(
            #""iprev":null"#,
            with: #""arc":{"result":"pass","instances":1,"sealer":"a","sealers":["a"],"oldest_pass":0,"vouches":true,"#
                + #""problem":null},"iprev":{"result":"pass","names":["a","b"],"unanswered":["c"],"problem":null}"#
        )
        .replacing(
            #""unsigned":null"#,
            with: #""unsigned":null,"sealed":{"domain":"d.example","selector":"s","instance":2,"cv":"pass"}"#
        )
        .replacing(
            #""facts":null"#,
            with: #""facts":{"dkim":"pass","dkim_aligned":null,"sender_id_aligned":"fail","pra":""}"#
        )
        .replacing(
            #""undecided":[],"refused":[],"partial":null"#,
            with: #""undecided":[{"rule":"a","condition":"spf"}],"#
                + #""refused":[{"action":"reject","rule":null,"reply":"550 \ud83d\ude00","refused_rcpt_to":[0]}],"#
                + #""partial":{"outcomes":[{"action":"junk","rule":"r","stage":"eom","rcpt_to":[0]}],"put_off":false}"#
        )
        .replacing(#""octets":"#, with: #""auto_submitted":true,"octets":"#)
        .replacing(
            #""sender_id":null"#,
            with:
                #""sender_id":{"result":"pass","pra":"a@b","header":"From","domain":"b","mechanism":"a","explanation":"e","problem":"p"}"#
        )

    private static func reference(_ line: [UInt8]) -> MailEvent? {
        guard let event = try? JSONDecoder().decode(MailEvent.self, from: Data(line)), event.v == MailEvent.version
        else {
            return nil
        }
        return event
    }

    @Test("a list shows what the event has")
    func summary() throws {
        for line in [
            Self.full,
            Self.full.replacing(#""would":null"#, with: #""would":{"action":"junk","rule":"r","stage":"eom"}"#),
        ] {
            let event = try MailEvent(line: Octets(line))
            let summary = try EventSummary(line: Octets(line))
            let recipients = event.rcptTo + event.refusedRcptTo + event.deferredRcptTo
            #expect(summary.id == event.id && summary.sender == event.mailFrom)
            #expect(summary.clientAddress == event.client.ip && summary.clientName == event.client.name)
            #expect(summary.helo == event.client.helo && summary.author == event.author?.domains.first)
            #expect(summary.recipient == recipients.first)
            #expect(summary.recipientCount == recipients.count + event.unnamedRcptTo)
            #expect(summary.action == event.verdict.action && summary.would == event.verdict.would?.action)
        }
        #expect(throws: EventReadingError.version(2)) {
            try EventSummary(line: Octets(Self.full.replacing(#""v":1"#, with: #""v":2"#)))
        }
    }

    @Test("an event is read as by JSONDecoder")
    func whole() throws {
        let line = Array(Self.full.utf8)
        let event = try MailEvent(line: line[...])
        #expect(event == Self.reference(line))
        #expect(event.verdict.refused.first?.reply == "550 😀")
        #expect(event.dns.answers?.first?.records == ["xé\\"])
        // The octets of a line seldom begin at 0.
        #expect(try MailEvent(line: ([0x20, 0x20] + line)[2...]) == event)
    }

    @Test("members may stand in any order, and unknown ones among them")
    func order() throws {
        let line = Self.full.dropFirst().dropLast()
        let (head, tail) = (
            #"{"ms":12,"spf_helo":null,"#, line.replacing(#","ms":12"#, with: "") + #","x":[{"ms":"no"}]}"#
        )
        #expect(try MailEvent(line: Octets(head + tail)) == MailEvent(line: Octets(Self.full)))
    }

    @Test("a line that is changed at random is read as by JSONDecoder, or is none to both")
    func changed() {
        var generator = SeededGenerator(seed: 21)
        let alphabet =
            Array(#"{}[]",:\u0truefalsn19.-+eE "#.utf8) + [0x00, 0x09, 0x1F, 0x7F, 0xC3, 0xA9, 0xED, 0xA0, 0xFF]
        var read = 0
        for _ in 0..<800 {
            var line = Array(Self.full.utf8)
            for _ in 0..<Int.random(in: 1...2, using: &generator) {
                let place = Int.random(in: line.indices, using: &generator)
                let octet = alphabet[Int.random(in: alphabet.indices, using: &generator)]
                switch Int.random(in: 0...2, using: &generator) {
                case 0: line[place] = octet
                case 1: line.insert(octet, at: place)
                default: line.remove(at: place)
                }
            }
            let (mine, theirs) = (try? MailEvent(line: line[...]), Self.reference(line))
            let text = String(decoding: line, as: UTF8.self)
            // JSONDecoder takes a comma before the end of an array or object.
            let isLoose = mine == nil && (text.contains(",]") || text.contains(",}"))
            #expect(isLoose || (mine == theirs) == true, "\(text)")
            if mine != nil { read += 1 }
        }
        #expect(read > 100)
    }

    @Test("deep nesting, and texts that are no JSON", arguments: ["", " ", "{", "[]", "7", "{}x", "{\"v\":01}", "nul"])
    func nonsense(_ text: String) {
        #expect(throws: EventReadingError.self) { try MailEvent(line: Octets(text)) }
        let deep = String(repeating: "[", count: 100_000)
        #expect(throws: EventReadingError.notJSON) { try MailEvent(line: Octets(deep)) }
    }
}
