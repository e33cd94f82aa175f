internal import DNSLookup
internal import MailCrypto
internal import MailSyntax

/// A body that has ended, as far as a signature is concerned.
struct SignedBody {
    /// The hash of the canonical body that counts.
    let hash: [UInt8]
    /// How many octets the canonical body has; of what `l=` leaves out, as many as were seen.
    let octetCount: UInt64
    /// The whole body, when it was short enough to be kept.
    let octets: [UInt8]?
}

/// One signature, and what its header fields are by its keys: all that can be said before the body has ended
/// (RFC 6376 § 6.1.2, § 6.1.3).
struct SignatureCheck {
    /// What the header fields are by one key record.
    private struct KeyCheck {
        let isTesting: Bool
        /// Nil when the key cannot be used.
        let header: HeaderCheck?
        /// Why it cannot.
        let problem: String?
    }

    private let signature: DKIMSignature
    private let options: DKIMVerificationOptions
    private let reply: DNSReply?
    private var first: KeyCheck?
    private var others: [KeyCheck] = []

    /// Checks the header fields of a signature.
    ///
    /// - Parameters:
    ///   - signature: the signature, whose own field stands at `fieldIndex`.
    ///   - fields: the fields of the message.
    ///   - reply: the reply to its key's question; nil for one that never came.
    init(
        _ signature: DKIMSignature,
        at fieldIndex: Int,
        in fields: SignedFields,
        key reply: DNSReply?,
        _ options: DKIMVerificationOptions
    ) {
        self.signature = signature
        self.options = options
        self.reply = reply
        guard case .success(let answer)? = reply?.result else { return }
        // RFC 6376 § 6.1.2: when several key records are returned, "the Verifier can choose one of the key records or may
        // cycle through the key records". We cycle.
        for record in answer.derived({ DKIMKeyRecords($0) }).records {
            var problem: String?
            let key = usableKey(record, &problem)
            let header = key.map { HeaderCheck(signature, at: fieldIndex, in: fields, key: $0) }
            let check = KeyCheck(isTesting: record.isTesting, header: header, problem: problem)
            if first == nil { first = check } else { others.append(check) }
            if let header, header.isIntact, !isTooShort(header.key) { break }
        }
    }

    /// Judges the signature now that its body has ended.
    ///
    /// - Parameter isDiagnosed: whether to find out what changed, which costs more than the check itself.
    func outcome(_ body: SignedBody, isDiagnosed: Bool) -> DKIMOutcome {
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
            guard let first else {
                // RFC 6376 § 6.1.2: "If the query for the public key fails because the corresponding key record does not
                // exist, the Verifier MUST immediately return PERMFAIL (no key for signature)."
                outcome.result = .permerror
                let error = answer.derived { DKIMKeyRecords($0) }.firstError
                outcome.problem = answer.status == .records ? Self.words(error) : "no key for signature"
                break
            }
            judge(first, body, isDiagnosed, &outcome)
            // The first key is reported when none passes.
            for check in others where outcome.result != .pass {
                var other = outcome
                judge(check, body, isDiagnosed, &other)
                if other.result == .pass { outcome = other }
            }
        }
        return outcome
    }

    private func judge(_ check: KeyCheck, _ body: SignedBody, _ isDiagnosed: Bool, _ outcome: inout DKIMOutcome) {
        outcome.testing = check.isTesting
        outcome.result = .permerror
        outcome.problem = check.problem
        guard let header = check.header else { return }
        outcome.keyBits = header.key.bits
        outcome.bodyHash = body.hash
        outcome.isBodyIntact = body.hash == signature.bodyHash
        outcome.isHeaderIntact = header.isIntact
        if isTooShort(header.key) {
            outcome.result = .policy
            outcome.problem = "RSA key of \(header.key.bits) bits is too short"
        } else if outcome.isBodyIntact == true, header.isIntact {
            (outcome.result, outcome.problem) = result(of: body.octetCount)
        } else {
            outcome.result = .fail
            outcome.diagnoses = isDiagnosed ? diagnoses(header, body) : []
            outcome.problem = Self.problem(outcome)
        }
    }

    private func isTooShort(_ key: PublicKey) -> Bool { key.kind == .rsa && key.bits < options.minimumRSABits }

    /// What explains the differences found, one for the header and one for the body at most.
    private func diagnoses(_ header: HeaderCheck, _ body: SignedBody) -> [DKIMDiagnosis] {
        let ofHeader = header.isIntact ? nil : HeaderDiagnosis(header).diagnosis
        let isBodyIntact = body.hash == signature.bodyHash
        let ofBody = isBodyIntact ? nil : body.octets.flatMap { BodyDiagnosis(signature, body: $0).diagnosis }
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
    private func result(of bodyOctets: UInt64) -> (DKIMResult, String?) {
        guard let length = signature.length else { return (.pass, nil) }
        // RFC 6376 § 3.5: the value of `l=` "MUST NOT be larger than the actual number of octets in the canonicalized
        // message body".
        guard bodyOctets >= length else { return (.permerror, "l= is larger than the body") }
        guard bodyOctets > length, options.bodyBeyondLength == .policy else { return (.pass, nil) }
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
    let signature: DKIMSignature
    let key: PublicKey
    /// The fields of the message, and which of them `h=` names, in its order.
    private let signed: SignedFields
    private let indices: [Int]
    /// Whether `b=` is a signature of the header fields.
    let isIntact: Bool

    init(_ signature: DKIMSignature, at fieldIndex: Int, in signed: SignedFields, key: PublicKey) {
        self.signature = signature
        self.key = key
        self.signed = signed
        indices = signed.indices(of: signature.headerNames, excluding: fieldIndex)
        let form = SignedFields.canonicalForm(
            signed.fields(at: indices),
            own: signature.unsignedField,
            signature.canonicalization.header
        )
        isIntact = key.verifies(signature.signature, digest: SHA256Hasher.digest(form))
    }

    /// The fields that `h=` names, in its order.
    var fields: [HeaderField] { Array(signed.fields(at: indices)) }
}
