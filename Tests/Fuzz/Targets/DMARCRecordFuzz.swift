internal import DMARC
internal import DNSLookup
internal import MailSyntax

/// Reads an input as a policy record; what it says, written again, says the same, and nobody passes for whom nobody
/// vouches.
func fuzzDMARCRecord(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let text = unsafe input(start, count)
    guard let record = DMARCRecord(text[...]) else { return 0 }
    let tags = record.description.split(separator: " ").filter { $0 != "p=-" }
    let written = "v=DMARC1; " + tags.joined(separator: "; ")
    guard let again = DMARCRecord(Octets(written)) else { fatalError("a record that does not read again") }
    expect(again.description == record.description, "a record that reads otherwise")
    expect(record.aggregateReportURIs.count + record.failureReportURIs.count <= text.count)

    guard let author = try? DomainName("a.b.example"), let parent = try? DomainName("b.example"),
        let other = try? DomainName("other.test")
    else { fatalError("no names") }
    let resolver = EverywhereTheSame(text: text)
    guard let discovery = resolver.outcomeAtHand(of: DMARCPolicyInquiry(of: .domain(author, []))) else {
        fatalError("no answer")
    }
    func result(spf: DomainName?, dkim: [DomainName]) -> DMARCResult {
        guard let outcome = resolver.outcomeAtHand(of: DMARCInquiry(discovery, DMARCIdentifiers(spf: spf, dkim: dkim)))
        else {
            fatalError("no answer")
        }
        _ = outcome.steps
        Outcomes.count(outcome.result.rawValue)
        return outcome.result
    }
    for outcome in [result(spf: nil, dkim: []), result(spf: other, dkim: [other])] {
        expect(outcome != .pass && outcome != .temperror, "a pass that nobody vouches for")
    }
    // RFC 9989 § 3.2.10: identical domains are aligned in either mode.
    let identical = [result(spf: author, dkim: []), result(spf: nil, dkim: [other, author])]
    expect(identical.allSatisfy { $0 != .fail } && identical[0] == identical[1])
    // What the strict mode aligns, the relaxed one does too.
    if record.spfAlignment == .strict { expect(result(spf: parent, dkim: []) != .pass, "strict is relaxed") }
    return 0
}
