internal import DNSLookup
internal import MailCrypto
internal import MailSyntax

/// What all signatures of a message are checked against.
final class VerifiedMessage {
    let options: DKIMVerificationOptions
    let fields: SignedFields
    /// The whole body, when it was short enough to be kept.
    let body: [UInt8]?

    init(options: DKIMVerificationOptions, fields: SignedFields, body: [UInt8]?) {
        self.options = options
        self.fields = fields
        self.body = body
    }
}

/// One signature and what it is checked against (RFC 6376 § 6.1.2, § 6.1.3).
struct SignatureCheck {
    let message: VerifiedMessage
    let signature: DKIMSignature
    /// Where the signature's own field stands.
    let fieldIndex: Int
    /// The hash of the canonical body that counts.
    let bodyHash: [UInt8]
    /// How many octets the canonical body has; of what `l=` leaves out, as many as were seen.
    let bodyOctets: UInt64
    /// Whether to find out what changed, which costs more than the check itself.
    let isDiagnosed: Bool

    /// Judges the signature with the reply to its key's question.
    func outcome(key reply: DNSReply?) -> DKIMOutcome {
        var outcome = DKIMOutcome(.temperror)
        outcome.signature = signature
        outcome.domain = signature.domainText.text
        outcome.selector = signature.selectorText.text
        outcome.keySource = reply?.source
        switch reply?.result {
        case nil, .failure(.cancelled)?:
            outcome.problem = "no answer about the key in time"
        case .failure(let error)?:
            // RFC 6376 § 6.1.2: "If the query for the public key fails to respond, the Verifier MAY seek a later
            // verification attempt by returning TEMPFAIL (key unavailable)."
            outcome.problem = "key unavailable: \(Self.words(error))"
        case .success(let answer)?:
            judge(answer, &outcome)
        }
        return outcome
    }

    private func judge(_ answer: DNSAnswer, _ outcome: inout DKIMOutcome) {
        let known = answer.derived { DKIMKeyRecords($0) }
        // RFC 6376 § 6.1.2: "If the query for the public key fails because the corresponding key record does not exist,
        // the Verifier MUST immediately return PERMFAIL (no key for signature)."
        guard let first = known.records.first else {
            outcome.result = .permerror
            outcome.problem = answer.status == .records ? Self.words(known.firstError) : "no key for signature"
            return
        }
        // RFC 6376 § 6.1.2: when several key records are returned, "the Verifier can choose one of the key records or may
        // cycle through the key records". We cycle, and report the first when none passes.
        judge(first, &outcome)
        for record in known.records.dropFirst() where outcome.result != .pass {
            var other = outcome
            judge(record, &other)
            if other.result == .pass { outcome = other }
        }
    }

    private func judge(_ record: DKIMKeyRecord, _ outcome: inout DKIMOutcome) {
        outcome.testing = record.isTesting
        outcome.result = .permerror
        guard let key = usableKey(record, &outcome.problem) else { return }
        outcome.keyBits = key.bits
        let header = HeaderCheck(check: self, key: key)
        outcome.bodyHash = bodyHash
        outcome.isBodyIntact = bodyHash == signature.bodyHash
        outcome.isHeaderIntact = header.isIntact
        if key.kind == .rsa, key.bits < message.options.minimumRSABits {
            outcome.result = .policy
            outcome.problem = "RSA key of \(key.bits) bits is too short"
        } else if outcome.isBodyIntact == true, outcome.isHeaderIntact == true {
            (outcome.result, outcome.problem) = resultOfLength
        } else {
            outcome.result = .fail
            outcome.diagnoses = diagnoses(header)
            outcome.problem = Self.problem(outcome)
        }
    }

    /// What explains the differences found, one for the header and one for the body at most.
    private func diagnoses(_ header: HeaderCheck) -> [DKIMDiagnosis] {
        guard isDiagnosed else { return [] }
        let ofHeader = header.isIntact ? nil : HeaderDiagnosis(header).diagnosis
        let isBodyIntact = bodyHash == signature.bodyHash
        let ofBody = isBodyIntact ? nil : message.body.flatMap { BodyDiagnosis(signature, body: $0).diagnosis }
        return [ofHeader, ofBody].compactMap { $0 }
    }

    /// The key of a record, when the record allows it to be used for this signature (RFC 6376 § 6.1.2).
    private func usableKey(_ record: DKIMKeyRecord, _ problem: inout String?) -> PublicKey? {
        // RFC 6376 § 3.6.1, `s=`: "Verifiers for a given service type MUST ignore this record if the appropriate type is
        // not listed."
        guard record.allowsEmail else {
            problem = "key is not for email"
            return nil
        }
        // RFC 6376 § 6.1.2: "PERMFAIL (inappropriate hash algorithm)", "PERMFAIL (inappropriate key algorithm)".
        guard record.allowsSHA256 else {
            problem = "inappropriate hash algorithm"
            return nil
        }
        guard record.kind == (signature.algorithm == .ed25519SHA256 ? .ed25519 : .rsa) else {
            problem = "inappropriate key algorithm"
            return nil
        }
        // RFC 6376 § 3.6.1, `t=s`: "MUST have the same domain value on the right-hand side of the "@" in the "i=" tag and
        // the value of the "d=" tag".
        guard !record.requiresExactDomain || signature.identityDomain == signature.domain else {
            problem = "i= is below d=, which the key forbids"
            return nil
        }
        switch record.key {
        case .usable(let key): return key
        case .revoked: problem = "key revoked"
        case .unusable(let error): problem = "key \(error)"
        }
        return nil
    }

    /// The result of a signature that is right, which the length of the body may still spoil.
    private var resultOfLength: (DKIMResult, String?) {
        guard let length = signature.length else { return (.pass, nil) }
        // RFC 6376 § 3.5: the value of `l=` "MUST NOT be larger than the actual number of octets in the canonicalized
        // message body".
        guard bodyOctets >= length else { return (.permerror, "l= is larger than the body") }
        guard bodyOctets > length, message.options.bodyBeyondLength == .policy else { return (.pass, nil) }
        return (.policy, "body goes on beyond the \(length) octets signed")
    }

    private static func problem(_ outcome: DKIMOutcome) -> String {
        let part =
            switch (outcome.isBodyIntact, outcome.isHeaderIntact) {
            case (true, _): "header hash differs"
            case (_, true): "body hash differs"
            default: "header and body hash differ"
            }
        guard !outcome.diagnoses.isEmpty else { return part }
        return part + ": " + outcome.diagnoses.map(\.description).joined(separator: "; ")
    }

    private static func words(_ error: DNSLookupError) -> String {
        switch error {
        case .timeout: "timeout"
        case .serverFailure: "server failure"
        case .refused: "refused"
        case .malformed: "malformed reply"
        case .aliasLoop: "alias loop"
        case .cancelled: "cancelled"
        }
    }

    private static func words(_ error: DKIMKeyRecord.SyntaxError?) -> String {
        switch error {
        case .tagList: "key record is not a tag-list"
        case .version: "key record has an unknown version"
        case .missingKey: "key record has no p="
        case .keyType: "key type is unknown"
        case .malformedKey: "key is not base64"
        case nil: "no key for signature"
        }
    }
}

/// The check of the header fields of one signature with one key.
struct HeaderCheck {
    let check: SignatureCheck
    let key: PublicKey
    /// The fields that `h=` names, in its order.
    let fields: [HeaderField]
    /// Whether `b=` is a signature of the header fields.
    let isIntact: Bool

    init(check: SignatureCheck, key: PublicKey) {
        self.check = check
        self.key = key
        let signature = check.signature
        let signed = check.message.fields
        fields = signed.fields(at: signed.indices(of: signature.headerNames, excluding: check.fieldIndex))
        let form = SignedFields.canonicalForm(
            fields,
            own: signature.unsignedField,
            signature.canonicalization.header
        )
        isIntact = key.verifies(signature.signature, digest: SHA256Hasher.digest(form))
    }
}
