internal import DKIM
internal import MailAuthentication
internal import MailSyntax
internal import MilterProtocol
internal import Policy

extension MilterVerdict {
    /// The verdict for the MTA about a judged message, with fields that go above those of the judgement.
    init(_ judgement: Judgement, above seal: [NewField] = []) {
        var modifications = Self.deletions(judgement.removedFields)
        // Each field goes to the top, so the last inserted field is the first from the top.
        for field in (seal + judgement.newFields).reversed() {
            modifications.append(.insertHeader(index: 0, name: Octets(field.name), value: field.value[...]))
        }
        if judgement.verdict.action == .quarantine {
            modifications.append(.quarantine(reason: Octets(judgement.verdict.quarantineReason)))
        }
        self.init(MilterResponse(judgement.verdict), modifications: modifications)
    }

    /// The deletions, from the last field: Postfix renumbers the fields of a name after a deletion, Sendmail does not.
    private static func deletions(_ fields: [RemovedField]) -> [MilterModification] {
        fields.reversed().map { .changeHeader(name: $0.name, index: UInt32(clamping: $0.index), value: []) }
    }

    /// A response to a message that loses these fields and gets no new fields.
    init(_ response: MilterResponse, removing fields: [RemovedField]) {
        self.init(response, modifications: Self.deletions(fields))
    }

    /// The verdict for the MTA about a message of our own.
    init(_ outcome: OutgoingMessage.Outcome?, removing fields: [RemovedField]) {
        let signatures = outcome?.signatures.reversed().map { value in
            // The writer includes the space after the colon.
            MilterModification.insertHeader(
                index: 0,
                name: Octets(DKIMPreparedSignature.fieldName),
                value: value.first == .space ? value.dropFirst() : value[...]
            )
        }
        self.init(.continue, modifications: Self.deletions(fields) + (signatures ?? []))
    }
}

extension MilterResponse {
    /// The reply to a command or a message with this verdict.
    init(_ verdict: PolicyVerdict) {
        switch verdict.action {
        case .reject, .tempfail: self = verdict.reply.map { .reply(MilterReply($0)) } ?? .tempfail
        case .discard: self = .discard
        case .accept, .mark, .junk, .quarantine: self = .continue
        }
    }
}

extension MilterReply {
    /// The reply of a rule.
    init(_ reply: PolicyReply) {
        self.init(code: UInt16(clamping: reply.code), enhancedStatus: reply.enhanced, text: reply.text)
    }
}
