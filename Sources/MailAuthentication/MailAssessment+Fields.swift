internal import AuthenticationResults
internal import DKIM
internal import DMARC
internal import DNSLookup
internal import MailSyntax
internal import SPF
internal import SenderID

extension MailAssessment {
    /// The header fields that tell what was found, in the order in which a reader finds them from the top.
    public func fields(_ settings: HeaderSettings, envelope: Envelope) -> [NewField] {
        var fields = [NewField]()
        if settings.authenticationResults {
            let field = AuthenticationResultsField(authservID: settings.authservID, results: results(envelope))
            fields.append(
                NewField(name: "Authentication-Results", value: field.value(comments: settings.comments))
            )
        }
        if settings.receivedSPF { fields += receivedSPF(settings, envelope) }
        if settings.senderID, let senderID {
            if let pra = senderID.pra, let value = FieldText.propertyValue(Octets(pra)) {
                fields.append(NewField(name: "X-SID-PRA", value: value))
            }
            let word = ResultWords.senderID(senderID.result.rawValue)
            fields.append(NewField(name: "X-SID-Result", value: Array(word.utf8)))
        }
        if settings.dkim, let dkim {
            let word = ResultWords.dkim(dkim.map { ($0.result.rawValue, $0.testing) })
            fields.append(NewField(name: "X-DKIM-Result", value: Array(word.utf8)))
        }
        if settings.authentication {
            fields.append(NewField(name: "X-AUTH-Result", value: Array(authenticationWord.utf8)))
        }
        return fields
    }

    private var authenticationWord: String {
        let authors = author?.domains ?? []
        let isAuthorSigned = dkim?.contains { signature in
            signature.result == .pass && signature.signingDomain.map(authors.contains) == true
        }
        return ResultWords.authentication(
            dmarc: dmarc?.result.rawValue ?? "none",
            authorSigned: isAuthorSigned ?? false,
            senderID: senderID?.result.rawValue ?? "none"
        )
    }

    private func receivedSPF(_ settings: HeaderSettings, _ envelope: Envelope) -> [NewField] {
        guard let outcome = spf, let client = envelope.clientAddress else { return [] }
        let value = ReceivedSPF.fieldBody(
            for: outcome,
            receiver: settings.authservID,
            clientAddress: client,
            envelopeFrom: envelope.sender[...],
            helo: envelope.helo[...]
        )
        return [NewField(name: "Received-SPF", value: Array(value.drop { $0 == 0x20 }))]
    }
}

// MARK: Authentication-Results

extension MailAssessment {
    /// The results of all methods, always in this order.
    private func results(_ envelope: Envelope) -> [MethodResult] {
        var results = [MethodResult]()
        if let spf { results.append(result(spf, envelope)) }
        if let senderID { results.append(Self.result(senderID)) }
        if let dkim {
            results += dkim.isEmpty ? [MethodResult("dkim", "none")] : dkim.map(Self.result)
        }
        if let dmarc {
            var properties = [MethodResult.Property]()
            if let domain = dmarc.fromDomain { properties.append(.init("header", "from", Octets("\(domain)"))) }
            // RFC 7489 § 11.2 registers policy.dmarc as the policy that applies, "after policy options".
            if let policy = dmarc.effectivePolicy {
                properties.append(.init("policy", "dmarc", Octets(policy.rawValue)))
            }
            results.append(
                MethodResult(
                    "dmarc",
                    dmarc.result.rawValue,
                    comment: Self.octets(dmarc.problem?.description),
                    properties: properties
                )
            )
        }
        if let iprev, let address = envelope.clientAddress {
            results.append(
                MethodResult(
                    "iprev",
                    iprev.result.rawValue,
                    properties: [.init("policy", "iprev", Octets(address.description))]
                )
            )
        }
        return results
    }

    /// RFC 8601 § 2.7.2: the MAIL FROM identity, or the HELO identity where the sender is null.
    private func result(_ outcome: SPFOutcome, _ envelope: Envelope) -> MethodResult {
        let property: MethodResult.Property =
            envelope.sender.isEmpty
            ? .init("smtp", "helo", envelope.helo[...]) : .init("smtp", "mailfrom", envelope.sender[...])
        return MethodResult(
            "spf",
            outcome.result.rawValue,
            comment: Self.octets(outcome.problem),
            properties: [property]
        )
    }

    private static func result(_ outcome: SenderIDOutcome) -> MethodResult {
        // RFC 8601 § 2.7.3 (Sender ID): the field that held the PRA.
        let properties: [MethodResult.Property] =
            if let header = outcome.header, let pra = outcome.pra {
                [.init("header", header.lowercased(), Octets(pra))]
            } else {
                []
            }
        return MethodResult(
            "sender-id",
            outcome.result.rawValue,
            comment: octets(outcome.problem),
            properties: properties
        )
    }

    private static func result(_ outcome: DKIMOutcome) -> MethodResult {
        let values: [(String, Octets?)] = [
            ("d", octets(outcome.domain)), ("i", octets(outcome.identity)), ("s", octets(outcome.selector)),
            ("a", octets(outcome.algorithm)), ("b", outcome.signatureOctets),
        ]
        return MethodResult(
            "dkim",
            outcome.result.rawValue,
            comment: octets(outcome.problem),
            properties: values.compactMap { name, value in value.map { .init("header", name, $0) } }
        )
    }

    private static func octets(_ text: String?) -> Octets? {
        text.map { Octets($0) }
    }
}
