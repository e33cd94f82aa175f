import MailSyntax
import SenderID
import TestSupport
import Testing

@Suite("Purported responsible address")
struct PRATests {
    @Test("our vectors", arguments: praVectors)
    func finds(_ vector: PRAVector) {
        vector.expectSame()
    }

    @Test("our vectors, by a second reading of the RFC", arguments: praVectors)
    func secondReading(_ vector: PRAVector) {
        let found = SecondReading(vector.headers).address
        #expect(found?.text == vector.pra)
        #expect(found?.field == vector.selected)
    }

    @Test("both readings agree on shuffled headers")
    func shuffled() {
        var generator = Seeded(state: 4407)
        let lines = [
            "Resent-Sender: s@rs.example", "Resent-Sender: ", "Resent-From: r@rf.example", "Resent-From: \t",
            "Received: from x", "Return-Path: <>", "Sender: b@s.example", "Sender: ", "From: a@f.example", "From: ",
            "Resent-From: q@rf.example, p@rf.example", "Subject: x", "Resent-Sender: nobody",
        ]
        for _ in 0..<3000 {
            let count = Int.random(in: 0...7, using: &generator)
            let headers = (0..<count).map { _ in lines[Int.random(in: lines.indices, using: &generator)] + "\r\n" }
                .joined()
            let found = try? PurportedResponsibleAddress.find(in: HeaderBlock(stored: headers.utf8))
            let second = SecondReading(headers).address
            let text = found.map { $0.mailbox.addrSpec[...].text }
            guard found?.field.rawValue == second?.field, text == second?.text else {
                Issue.record("\(headers): \(String(describing: found)), \(String(describing: second))")
                return
            }
        }
    }

    @Test(
        "the reason says what is wrong",
        arguments: [
            ("Subject: x", "no From field"), ("Sender: a@b.c|Sender: a@b.c", "more than one Sender field"),
            ("From: a@b.c|From: a@b.c", "more than one From field"), ("From: <", "malformed From field"),
            ("Sender: a@b.c, d@e.f", "not one mailbox in the Sender field"),
            ("Resent-From: a@[192.0.2.1]", "no domain name in the Resent-From field"),
            ("Sender: a@b.c'", "no domain name in the Sender field"),
        ]
    )
    func reason(_ fields: String, _ expected: String) {
        let text = fields.split(separator: "|").map { $0 + "\r\n" }.joined()
        do {
            let found = try PurportedResponsibleAddress.find(in: HeaderBlock(stored: text.utf8))
            Issue.record("found \(found)")
        } catch {
            #expect(error.description == expected)
        }
    }
}

/// RFC 4407 § 2 read once more, step by step over a list of fields, with nothing shared but the parser of addresses.
private struct SecondReading {
    var address: (field: String, text: String)?

    init(_ headers: String) {
        let block = HeaderBlock(stored: headers.utf8)
        let fields = block.map { (name: $0.name.text.lowercased(), value: $0.value.text) }
        func isEmpty(_ value: String) -> Bool { value.allSatisfy { " \t\r\n\r\n".contains($0) } }
        func filled(_ name: String) -> [Int] {
            fields.indices.filter { fields[$0].name == name && !isEmpty(fields[$0].value) }
        }
        var chosen: Int?
        // "Select the first non-empty Resent-Sender header in the message."
        if let sender = filled("resent-sender").first {
            // "If it is preceded by a non-empty Resent-From header and one or more Received or Return-Path headers occur
            // after said Resent-From header and before the Resent-Sender header, continue with step 2."
            let isOlder = filled("resent-from").contains { from in
                from < sender && fields[from..<sender].contains { $0.name == "received" || $0.name == "return-path" }
            }
            if !isOlder { chosen = sender }
        }
        if chosen == nil { chosen = filled("resent-from").first }
        if chosen == nil {
            switch filled("sender").count {
            case 0:
                guard filled("from").count == 1 else { return }
                chosen = filled("from").first
            case 1: chosen = filled("sender").first
            default: return
            }
        }
        guard let chosen, let list = try? AddressList(reading: Octets(fields[chosen].value)),
            list.elements.count == 1, case .mailbox(let mailbox) = list.elements[0], mailbox.domainName != nil
        else { return }
        let names = [
            "resent-sender": "Resent-Sender", "resent-from": "Resent-From", "sender": "Sender", "from": "From",
        ]
        address = (names[fields[chosen].name] ?? "", mailbox.addrSpec[...].text)
    }
}

/// A generator that gives the same numbers each time (SplitMix64).
private struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
