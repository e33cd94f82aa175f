internal import DNSLookup
internal import MailSyntax
internal import SPF

/// Reads an input as lines: a domain-spec, an explanation, a sender and a HELO name; and expands the first two.
func fuzzMacros(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let lines = unsafe input(start, count).split(separator: 0x0A, maxSplits: 3, omittingEmptySubsequences: false)
    guard lines.count == 4 else { return 0 }
    let resolver = OneRecord(domainSpec: Array(lines[0]), explanation: Array(lines[1]))
    let identity = SPFIdentity(localPart: lines[2], domain: Octets("sender.example.org"))
    _ = SPFIdentity(mailFrom: lines[2], helo: lines[3])
    for client in [IPAddress.v4(IPv4Address(0xC000_0202)), .v6(IPv6Address(high: 0x2001_0DB8 << 32, low: 2))] {
        let inquiry = SPFInquiry(
            identity,
            scope: .mfrom,
            helo: lines[3],
            client: client,
            now: UnixTime(.min),
            selector: SPFVersion1()
        )
        guard let outcome = resolver.outcomeAtHand(of: inquiry) else {
            fatalError("an answer is missing")
        }
        expect(outcome.result == .fail || outcome.result == .permerror)
        if let explanation = outcome.explanation {
            expect(explanation.utf8.count <= 500 && explanation.utf8.allSatisfy { (0x20...0x7E).contains($0) })
        }
        let field = ReceivedSPF.fieldBody(
            for: outcome,
            receiver: lines[3],
            clientAddress: client,
            envelopeFrom: lines[2],
            helo: lines[3]
        )
        expect(field.split(separator: 0x0A).dropFirst().allSatisfy { $0.first == 0x09 })
        expect(field.allSatisfy { $0 == 0x0A || $0 == 0x09 || (0x20...0x7E).contains($0) })
    }
    return 0
}

/// A domain with one record that shows the input, and one name for the client; addresses do not exist.
struct OneRecord: DNSResolving {
    let domainSpec: [UInt8]
    let explanation: [UInt8]

    func answerAtHand(_ question: DNSQuestion) -> DNSReply? {
        let answer: DNSAnswer
        switch question.type {
        case .txt where question.name == (try? DomainName("sender.example.org")):
            let text = Array("v=spf1 exists:".utf8) + domainSpec + Array(" -all exp=why.example".utf8)
            answer = DNSAnswer(question, records: [.txt(text)], timeToLive: 1)
        case .txt: answer = DNSAnswer(question, records: [.txt(explanation)], timeToLive: 1)
        case .ptr: answer = DNSAnswer(question, records: [.ptr(question.name)], timeToLive: 1)
        case .a, .aaaa, .mx: answer = DNSAnswer(question, negative: .noSuchName, timeToLive: 1)
        }
        return DNSReply(.success(answer), source: .zone)
    }

    func lookUp(_ question: DNSQuestion) async -> DNSReply {
        answerAtHand(question) ?? DNSReply(.failure(.timeout), source: .zone)
    }
}
