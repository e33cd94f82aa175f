internal import ARC
internal import DNSLookup
internal import MailSyntax

/// The key of RFC 8463 appendix A.2; without its private half no input can be sealed.
private let record = [UInt8]("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".utf8)

/// Verifies an input as a message whose keys all exist, in one chunk and octet by octet: the outcomes are the same.
func fuzzARCMessage(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let message = StoredMessage(unsafe input(start, count)[...])
    let whole = outcome(message, chunk: max(1, message.body.count))
    expect(whole.trace == outcome(message, chunk: 1).trace, "chunks matter")
    Outcomes.count(whole.problem?.description ?? whole.result.rawValue)
    expect(whole.result != .pass && whole.vouchingSealer == nil)
    expect((whole.result == .none) == (whole.problem == nil))
    expect(whole.instances <= 50 && whole.sealers.count <= whole.instances)
    return 0
}

private func outcome(_ message: StoredMessage, chunk: Int) -> ARCOutcome {
    var verifier = ARCMessageVerifier(now: 1_600_000_000)
    let inquiry = verifier.endOfHeaders(message.headers)
    unsafe message.body.withUnsafeBytes { body in
        for start in stride(from: 0, to: body.count, by: chunk) {
            unsafe verifier.body(UnsafeRawBufferPointer(rebasing: body[start..<min(start + chunk, body.count)]))
        }
    }
    return verifier.outcome(inquiry.flatMap { Keys().outcomeAtHand(of: $0) })
}

/// Has the same key at every name.
private struct Keys: DNSResolving {
    private func reply(_ question: DNSQuestion) -> DNSReply {
        DNSReply(.success(DNSAnswer(question, records: [.txt(record)], timeToLive: 1)), source: .zone)
    }

    func lookUp(_ question: DNSQuestion) async -> DNSReply { reply(question) }

    func answerAtHand(_ question: DNSQuestion) -> DNSReply? { reply(question) }
}
