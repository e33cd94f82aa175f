internal import DKIM
internal import DNSLookup
internal import MailSyntax

/// The key of RFC 8463 appendix A.2; without its private half no input can be signed.
private let record = [UInt8]("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".utf8)

/// Verifies an input as a message whose keys all exist, in one chunk and octet by octet: the outcomes are the same.
func fuzzDKIMMessage(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let message = StoredMessage(unsafe input(start, count)[...])
    let whole = outcomes(message, chunk: max(1, message.body.count))
    let pieces = outcomes(message, chunk: 1)
    expect(whole.map(\.trace) == pieces.map(\.trace), "chunks matter")
    for outcome in whole {
        Outcomes.count(outcome.problem ?? outcome.result.rawValue)
        expect(outcome.result != .pass && outcome.result != .none && outcome.problem != nil)
        expect(outcome.problem?.utf8.count ?? 0 < 500)
    }
    return 0
}

private func outcomes(_ message: StoredMessage, chunk: Int) -> [DKIMOutcome] {
    var verifier = DKIMMessageVerifier(now: 1_600_000_000)
    for index in message.headers.indices { _ = verifier.headerField(message.headers[index], at: index) }
    verifier.endOfHeaders(message.headers)
    unsafe message.body.withUnsafeBytes { body in
        for start in stride(from: 0, to: body.count, by: chunk) {
            unsafe verifier.body(UnsafeRawBufferPointer(rebasing: body[start..<min(start + chunk, body.count)]))
        }
    }
    return verifier.verify { question in
        DNSReply(.success(DNSAnswer(question, records: [.txt(record)], timeToLive: 1)), source: .zone)
    }
}
