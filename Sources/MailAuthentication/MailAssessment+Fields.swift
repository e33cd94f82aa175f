internal import ARC
internal import AuthenticationResults
internal import DKIM
internal import DMARC
internal import DNSLookup
internal import MailSyntax
public import Policy
internal import ReverseDNS
internal import SPF
internal import SenderID

extension MailAssessment {
    /// The header fields that report the results, in their order in the header from the top.
    ///
    /// - Parameters:
    ///   - envelope: the SMTP envelope.
    ///   - settings: the fields to write.
    ///   - allowsUTF8: whether the message is internationalized, so that its fields may contain UTF-8.
    ///   - excuse: why a rule on DMARC did not act.
    public func fields(
        _ settings: HeaderSettings,
        envelope: Envelope,
        allowsUTF8: Bool = false,
        excuse: DMARCExcuse? = nil
    ) -> [NewField] {
        var fields = [NewField]()
        fields.reserveCapacity(6)
        if settings.authenticationResults {
            let results = authenticationResults(settings, envelope, allowsUTF8, excuse)
            fields.append(NewField(name: "Authentication-Results", value: results))
        }
        if settings.receivedSPF { fields += receivedSPF(settings, envelope, allowsUTF8) }
        if settings.senderID, let senderIDWord {
            let pra = (senderID?.pra).flatMap { allowsUTF8 ? Octets($0) : FieldText.ascii(Octets($0)) }
            if let pra, let value = FieldText.propertyValue(pra) {
                fields.append(NewField(name: "X-SID-PRA", value: value))
            }
            fields.append(NewField(name: "X-SID-Result", value: Array(senderIDWord.utf8)))
        }
        if settings.dkim, let signatureWord {
            fields.append(NewField(name: "X-DKIM-Result", value: Array(signatureWord.utf8)))
        }
        if settings.authResult {
            fields.append(NewField(name: "X-AUTH-Result", value: Array(authenticationWord.utf8)))
        }
        return fields
    }

    private func receivedSPF(_ settings: HeaderSettings, _ envelope: Envelope, _ allowsUTF8: Bool) -> [NewField] {
        guard let outcome = spf, let client = envelope.clientAddress else { return [] }
        let value = ReceivedSPF.fieldBody(
            for: outcome,
            receiver: settings.authservID,
            clientAddress: client,
            envelopeFrom: envelope.sender[...],
            helo: envelope.helo[...],
            isInternationalized: allowsUTF8
        )
        return [NewField(name: "Received-SPF", value: Array(value.drop { $0 == .space }))]
    }
}

// MARK: Authentication-Results

extension MailAssessment {
    /// The results of all methods, always in the same order: the value of Authentication-Results.
    func authenticationResults(
        _ settings: HeaderSettings,
        _ envelope: Envelope,
        _ allowsUTF8: Bool,
        _ excuse: DMARCExcuse?
    ) -> [UInt8] {
        var writer = AuthenticationResultsWriter(authservID: settings.authservID, allowsUTF8: allowsUTF8)
        if spf == nil, senderID == nil, dkim == nil, dmarc == nil, arc == nil,
            iprev == nil || envelope.clientAddress == nil
        {
            writer.none()
        }
        if let spf {
            writer.begin("spf", spf.result.rawValue)
            // RFC 8601 § 2.7.2: the MAIL FROM identity, or the HELO identity where the sender is null.
            if envelope.sender.isEmpty {
                writer.property("smtp", "helo", envelope.helo[...])
            } else {
                writer.property("smtp", "mailfrom", envelope.sender[...])
            }
            // Of mail that a relay passed on: the address that was checked, which is not the relay's.
            if envelope.relay != nil, let client = envelope.clientAddress {
                writer.property("smtp", "remote-ip", client.description)
            }
        }
        if let senderID {
            writer.begin("sender-id", senderID.result.rawValue)
            // RFC 8601 § 2.7.3 (Sender ID): the field that held the PRA.
            if let header = senderID.header, let pra = senderID.pra {
                writer.property("header", header.lowercased(), pra)
            }
        }
        if let dkim { write(dkim, to: &writer) }
        if let dmarc {
            writer.begin("dmarc", dmarc.result.rawValue)
            // RFC 8601 § 2.2: the reason stands before the properties.
            if let excuse { writer.reason(Octets(excuse.description)) }
            if let domain = dmarc.fromDomain { writer.property("header", "from", domain.description) }
            // RFC 7489 § 11.2 registers policy.dmarc as the policy that applies, "after policy options".
            if let policy = dmarc.effectivePolicy { writer.property("policy", "dmarc", policy.rawValue) }
        }
        if let arc { write(arc, from: envelope.clientAddress, to: &writer) }
        if let iprev, let address = envelope.clientAddress {
            writer.begin("iprev", iprev.result.rawValue)
            writer.property("policy", "iprev", address.description)
        }
        return writer.octets
    }

    /// RFC 8617 § 10.2: the properties of the method "arc".
    private func write(_ chain: ARCOutcome, from client: IPAddress?, to writer: inout AuthenticationResultsWriter) {
        writer.begin("arc", chain.result.rawValue)
        guard chain.result != .none else { return }
        if let oldest = chain.oldestPass { writer.property("header", "oldest-pass", "\(oldest)") }
        if let client { writer.property("smtp", "remote-ip", client.description) }
    }

    private func write(_ outcomes: [DKIMOutcome], to writer: inout AuthenticationResultsWriter) {
        if outcomes.isEmpty { writer.begin("dkim", "none") }
        // A single signature needs only its beginning.
        let signatures = outcomes.count > 1 ? outcomes.compactMap(\.signatureOctets) : []
        for outcome in outcomes {
            writer.begin("dkim", outcome.result.rawValue)
            if let domain = outcome.domain { writer.property("header", "d", domain) }
            if let identity = outcome.signature?.identity { writer.property("header", "i", identity[...]) }
            if let selector = outcome.selector { writer.property("header", "s", selector) }
            if let algorithm = outcome.signature?.algorithm.rawValue { writer.property("header", "a", algorithm) }
            if let signature = outcomes.count > 1 ? outcome.signatureOctets : outcome.signatureStart {
                let prefix = AuthenticationResultsField.signaturePrefix(of: signature, among: signatures)
                writer.property("header", "b", prefix)
            }
        }
    }
}

// MARK: Internationalized mail

extension MailAssessment {
    /// Whether fields about the message may contain UTF-8: the message is internationalized without them
    /// (RFC 6532 § 3).
    ///
    /// Neither the HELO name nor quoted-printable text in a signature makes a message internationalized.
    func allowsUTF8(_ envelope: Envelope, _ headers: HeaderBlock?) -> Bool {
        // Nearly all values are US-ASCII, so that the answer is rarely needed.
        guard !isASCII(envelope) else { return false }
        return !envelope.sender.isASCII || !envelope.recipients.allSatisfy(\.isASCII) || headers?.hasUTF8 == true
    }

    /// Whether all names and addresses that the fields may contain are US-ASCII.
    private func isASCII(_ envelope: Envelope) -> Bool {
        let signatures = dkim ?? []
        return envelope.sender.isASCII && envelope.helo.isASCII && (senderID?.pra?.utf8.isASCII ?? true)
            // By index, because an outcome is expensive to copy.
            && signatures.indices.allSatisfy { index in
                (signatures[index].signature?.identity.isASCII ?? true)
                    && (signatures[index].domain?.utf8.isASCII ?? true)
                    && (signatures[index].selector?.utf8.isASCII ?? true)
            }
    }
}
