public import MailAuthentication
internal import MailSyntax
internal import Policy
internal import ReverseDNS

// One line a message, with the members that MailEvent reads.

extension EventForm {
    /// The most octets of recipients in an event.
    private static let mostRecipientOctets = 512 << 10

    /// Writes the line of a judged message, with its line end.
    ///
    /// - Parameters:
    ///   - judgement: what was found and decided.
    ///   - transcript: what the session told.
    ///   - isClean: whether nobody would ask about the message.
    ///   - problem: what stood in the way of the rules; nil where nothing did.
    ///   - text: what the line takes the place of.
    public func write(
        _ judgement: Judgement,
        _ transcript: Transcript,
        isClean: Bool,
        problem: String?,
        to text: inout JSONText
    ) {
        text.line { event in
            add(transcript, .inbound, name: judgement.assessment.iprev?.names.first, to: &event)
            event.add("problem", problem)
            event.add(judgement.assessment, judgement.verdict.excuse, self)
            event.object("verdict") {
                $0.add(judgement.verdict, transcript, self, removed: judgement.removedFields.count)
            }
            event.array("signed") { _ in }
            event.null("unsigned")
            if let seal = transcript.seal { event.add(seal) }
            let hasAnswers = hasLocalParts && (isClean ? hasCleanAnswers : hasUncleanAnswers)
            event.object("dns") { $0.add(judgement.lookups, judgement.lookupCounts, hasAnswers: hasAnswers) }
        }
    }

    /// Writes the line of a message of our own, with its line end.
    ///
    /// - Parameters:
    ///   - keys: the keys that signed it.
    ///   - unsigned: why nothing was signed.
    ///   - removed: how many forged fields were deleted.
    ///   - transcript: what the session told.
    ///   - text: what the line takes the place of.
    public func write(
        signedBy keys: [String],
        unsigned: String?,
        removed: Int,
        _ transcript: Transcript,
        to text: inout JSONText
    ) {
        text.line { event in
            add(transcript, .outbound, name: nil, to: &event)
            event.null("problem")
            event.addNoChecks()
            event.addVerdict(keys.isEmpty ? "accept" : "sign", would: nil, removed: removed, transcript)
            event.array("signed", keys)
            event.add("unsigned", unsigned)
            event.object("dns") { $0.addNoLookups() }
        }
    }

    /// Writes the line of a message that was not judged, with its line end.
    ///
    /// - Parameters:
    ///   - action: what was done.
    ///   - would: what enforce mode would have done.
    ///   - problem: why it was not judged.
    ///   - removed: how many forged fields were deleted.
    ///   - direction: whether the message is our own.
    ///   - transcript: what the session told.
    ///   - text: what the line takes the place of.
    public func write(
        unjudged action: String,
        would: String?,
        problem: String,
        removed: Int,
        _ direction: MailEvent.Direction,
        _ transcript: Transcript,
        to text: inout JSONText
    ) {
        text.line { event in
            add(transcript, direction, name: nil, to: &event)
            event.add("problem", problem)
            event.addNoChecks()
            event.addVerdict(action, would: would, removed: removed, transcript)
            event.array("signed") { _ in }
            event.null("unsigned")
            event.object("dns") { $0.addNoLookups() }
        }
    }

    /// Writes what every line begins with.
    private func add(
        _ transcript: Transcript,
        _ direction: MailEvent.Direction,
        name: DomainName?,
        to event: inout JSONLine
    ) {
        event.add("v", MailEvent.version)
        event.add("time", thousandths: transcript.time)
        event.add("host", host)
        event.add("listener", transcript.listener)
        event.add("configuration", hexadecimal: transcript.configuration)
        event.add("id", octets: transcript.queueID?[...])
        event.add("direction", direction.rawValue)
        event.add("addresses", addresses.rawValue)
        event.object("client") { add(transcript, name: name, to: &$0) }
        if let relay = transcript.envelope.relay {
            event.object("relay") { object in
                object.add("ip", address: relay.address)
                object.add("state", relay.state.rawValue)
            }
        }
        addEnvelope(transcript, to: &event)
        event.add("message_id", octets: hasLocalParts ? transcript.messageID?.messageID : nil)
        // The few lines that have it pay for it.
        if transcript.isAutoSubmitted { event.add("auto_submitted", true) }
        event.add("octets", transcript.octetCount)
        event.add("ms", transcript.milliseconds)
    }

    private func add(_ transcript: Transcript, name: DomainName?, to client: inout JSONLine) {
        client.add("ip", address: transcript.envelope.clientAddress)
        client.add("name", name)
        let helo = transcript.envelope.helo[...]
        client.add("helo", octets: helo.contains(UInt8(ascii: "@")) ? mailbox(helo) : helo)
        client.add("trusted", transcript.isTrusted)
        client.add("authenticated", transcript.hasAuthenticated)
        client.add("login", octets: hasLocalParts ? transcript.login?[...] : nil)
    }

    private func addEnvelope(_ transcript: Transcript, to event: inout JSONLine) {
        event.add("mail_from", octets: mailbox(transcript.envelope.sender[...]))
        var room = Self.mostRecipientOctets
        let recipients = transcript.envelope.recipients
        // What a text becomes by escapes counts.
        let taken = add("rcpt_to", recipients, to: &event, room: &room)
        let refused = add("refused_rcpt_to", transcript.refused, to: &event, room: &room)
        let sentAway = add("deferred_rcpt_to", transcript.sentAway, to: &event, room: &room)
        let all = recipients.count + transcript.refused.count + transcript.sentAway.count
        event.add("unnamed_rcpt_to", all - taken - refused - sentAway)
        guard transcript.isUnanswered || !transcript.early.isEmpty || transcript.obstacle != nil else {
            return event.null("rcpt_stage")
        }
        event.object("rcpt_stage") { stage in
            stage.add("answered", !transcript.isUnanswered)
            stage.array("early") { list in
                for (early, places) in transcript.early {
                    list.object { group in
                        group.array("known", early.checks.map(\.rawValue))
                        group.array("rcpt_to", early.isRefused ? [] : places.filter { $0 < taken })
                        group.array("refused_rcpt_to", early.isRefused ? places.filter { $0 < refused } : [])
                    }
                }
            }
            stage.add("obstacle", transcript.obstacle?.rawValue)
        }
    }

    /// Writes recipients as far as there is room, and returns how many were written.
    private func add(
        _ name: StaticString,
        _ mailboxes: [[UInt8]],
        to event: inout JSONLine,
        room: inout Int
    ) -> Int {
        var written = 0
        event.array(name) { list in
            for recipient in mailboxes where room > 0 {
                let before = list.count
                list.element(octets: mailbox(recipient[...]))
                room -= list.count - before
                written += 1
            }
        }
        return written
    }
}

extension JSONLine {
    fileprivate mutating func add(_ seal: Transcript.Seal) {
        object("sealed") { object in
            object.add("domain", seal.domain)
            object.add("selector", seal.selector)
            object.add("instance", seal.instance)
            object.add("cv", seal.status)
        }
    }
}

extension ArraySlice<UInt8> {
    /// The text between the brackets of a Message-ID, or the whole text where there are none.
    fileprivate var messageID: Octets {
        let text = trimmed
        guard text.first == UInt8(ascii: "<"), text.last == UInt8(ascii: ">"), text.count > 2 else { return text }
        return text.dropFirst().dropLast()
    }
}
