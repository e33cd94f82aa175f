package import DNSLookup
internal import MailCrypto
internal import MailSyntax

/// The result of a body that has ended, for one signature.
package struct SignedBody {
    /// The hash of the signed part of the canonical body.
    let hash: [UInt8]
    /// The length of the canonical body in octets; beyond `l=`, only octets that were seen count.
    let octetCount: UInt64
    /// The whole body, if it was short enough to be kept.
    let octets: [UInt8]?

    /// The body of a seal, which covers none.
    package static let ofSeal = SignedBody(hash: [], octetCount: 0, octets: nil)
}

/// One signature, and the check of its header fields with each key: all that can be known before the body has ended
/// (RFC 6376 §§ 6.1.2 and 6.1.3).
package struct SignatureCheck: Sendable {
    /// The result of checking the header fields with one key record.
    private struct KeyCheck: Sendable {
        enum Finding: Sendable {
            /// The key cannot verify this signature, for this reason (RFC 6376 § 6.1.2).
            case unusable(String)
            /// We decided not to verify the signature: the length of the key in bits, and the reason.
            case refused(Int, String)
            /// The key was tried.
            case tried(PublicKey, isIntact: Bool)
        }

        let isTesting: Bool
        let finding: Finding

        var isIntact: Bool {
            if case .tried(_, isIntact: true) = finding { true } else { false }
        }
    }

    /// The most keys that are tried for one signature.
    ///
    /// RFC 6376 § 3.6.2.2: "TXT RRs MUST be unique for a particular selector name". A second record may be left over;
    /// more records are a way to make us compute.
    private static let maximumKeysTried = 2

    private let signature: DKIMSignature
    private let options: DKIMVerificationOptions
    private let reply: DNSReply?
    private var header: SignedHeader?
    /// The key to report: the key that fits, otherwise the first key.
    private var key: KeyCheck?

    /// Checks the header fields of a signature.
    ///
    /// - Parameters:
    ///   - signature: the signature; `fieldIndex` is the position of its own field.
    ///   - fields: the fields of the message.
    ///   - reply: the reply to the question for its key; nil if it never came.
    ///   - budget: the work that the message may still cause.
    package init(
        _ signature: DKIMSignature,
        at fieldIndex: Int,
        in fields: SignedFields,
        key reply: DNSReply?,
        _ options: DKIMVerificationOptions,
        _ budget: inout VerificationBudget
    ) {
        self.init(signature, key: reply, options, &budget) { $0.header(of: signature, at: fieldIndex, in: fields) }
    }

    /// Checks the header fields of a signature.
    ///
    /// - Parameters:
    ///   - signature: the signature.
    ///   - reply: the reply to the question for its key; nil if it never came.
    ///   - options: the keys that are accepted.
    ///   - budget: the work that the message may still cause.
    ///   - hashed: hashes the fields that the signature covers; nil when they are too long.
    package init(
        _ signature: DKIMSignature,
        key reply: DNSReply?,
        _ options: DKIMVerificationOptions,
        _ budget: inout VerificationBudget,
        _ hashed: (inout VerificationBudget) -> SignedHeader?
    ) {
        self.signature = signature
        self.options = options
        self.reply = reply
        guard case .success(let answer)? = reply?.result else { return }
        // RFC 6376 § 6.1.2: when several key records are returned, "the Verifier can choose one of the key records or may
        // cycle through the key records". We cycle.
        var tried = 0
        for record in answer.derived({ DKIMKeyRecords($0) }).records {
            var finding = finding(about: record)
            if case .tried(let usable, _) = finding {
                let isAffordable = budget.pay(for: usable, isFirst: tried == 0)
                guard isAffordable || key == nil else { break }
                tried += 1
                if isAffordable { header = header ?? hashed(&budget) }
                let obstacle = isAffordable ? Self.headerTooLong : Self.keysTooCostly
                finding = header.map { verify(usable, $0) } ?? .refused(usable.bits, obstacle)
            }
            let check = KeyCheck(isTesting: record.isTesting, finding: finding)
            if check.isIntact || key == nil { key = check }
            if check.isIntact || tried == Self.maximumKeysTried { break }
        }
    }

    private static let keysTooCostly = "the keys of this message take too long to try"
    private static let headerTooLong = "header is too long to be hashed again for this signature"

    private func verify(_ key: PublicKey, _ header: SignedHeader) -> KeyCheck.Finding {
        .tried(key, isIntact: key.verifies(signature.signature, digest: header.digest))
    }

    /// How many octets of the canonical body are signed; nil for all.
    var bodyLength: UInt64? { signature.length }

    /// Judges the signature after its body has ended.
    ///
    /// - Parameter budget: the work that finding the change may still cause.
    package func outcome(_ body: SignedBody, _ budget: inout DiagnosisBudget) -> DKIMOutcome {
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
            outcome.problem = "key unavailable: \(error)"
        case .success(let answer)?:
            guard let key else {
                // RFC 6376 § 6.1.2: "If the query for the public key fails because the corresponding key record does not
                // exist, the Verifier MUST immediately return PERMFAIL (no key for signature)."
                outcome.result = .permerror
                let error = answer.derived { DKIMKeyRecords($0) }.firstError
                outcome.problem = answer.status == .records ? Self.words(error) : "no key for signature"
                break
            }
            outcome.testing = key.isTesting
            judge(key.finding, body, &outcome, &budget)
        }
        return outcome
    }

    private func judge(
        _ finding: KeyCheck.Finding,
        _ body: SignedBody,
        _ outcome: inout DKIMOutcome,
        _ budget: inout DiagnosisBudget
    ) {
        outcome.bodyHash = body.hash
        outcome.isBodyIntact = body.hash == signature.bodyHash
        switch finding {
        case .unusable(let problem):
            outcome.result = .permerror
            outcome.problem = problem
            outcome.bodyHash = nil
            outcome.isBodyIntact = nil
        case .refused(let bits, let problem):
            outcome.result = .policy
            outcome.keyBits = bits
            outcome.problem = problem
        case .tried(let key, let isIntact):
            outcome.keyBits = key.bits
            outcome.isHeaderIntact = isIntact
            if outcome.isBodyIntact == true, isIntact {
                (outcome.result, outcome.problem) = result(of: body.octetCount)
            } else {
                outcome.result = .fail
                outcome.diagnoses = diagnoses(key, outcome, body, &budget)
                outcome.problem = Self.problem(outcome)
            }
        }
    }

    /// The changes that explain the differences, at most one for the header and one for the body.
    private func diagnoses(
        _ key: PublicKey,
        _ outcome: DKIMOutcome,
        _ body: SignedBody,
        _ budget: inout DiagnosisBudget
    ) -> [DKIMDiagnosis] {
        guard !budget.isSpent else { return [] }
        var diagnoses = [DKIMDiagnosis?]()
        if outcome.isHeaderIntact != true, let header {
            diagnoses.append(HeaderDiagnosis(header, key: key).diagnosis(&budget))
        }
        if outcome.isBodyIntact != true, let octets = body.octets {
            diagnoses.append(BodyDiagnosis(signature, body: octets).diagnosis(&budget))
        }
        return diagnoses.compactMap { $0 }
    }

    /// Whether a record's key may be used for this signature (RFC 6376 § 6.1.2); if so, `tried` and not yet intact.
    private func finding(about record: DKIMKeyRecord) -> KeyCheck.Finding {
        // RFC 6376 § 3.6.1, `s=`: "Verifiers for a given service type MUST ignore this record if the appropriate type is
        // not listed."
        guard record.allowsEmail else { return .unusable("key is not for email") }
        // RFC 6376 § 6.1.2: "PERMFAIL (inappropriate hash algorithm)", "PERMFAIL (inappropriate key algorithm)".
        guard record.allowsSHA256 else { return .unusable("inappropriate hash algorithm") }
        guard record.kind == (signature.algorithm == .ed25519SHA256 ? .ed25519 : .rsa) else {
            return .unusable("inappropriate key algorithm")
        }
        // RFC 6376 § 3.6.1, `t=s`: "MUST have the same domain value on the right-hand side of the "@" in the "i=" tag and
        // the value of the "d=" tag".
        guard !record.requiresExactDomain || signature.identityDomain == signature.domain else {
            return .unusable("i= is below d=, which the key forbids")
        }
        switch record.key {
        case .usable(let key): return finding(aboutLengthOf: key)
        case .revoked: return .unusable("key revoked")
        case .unusable(.modulusSize(let bits)) where bits > options.maximumBits: return tooLong(bits)
        case .unusable(let error): return .unusable("key \(error)")
        }
    }

    private func finding(aboutLengthOf key: PublicKey) -> KeyCheck.Finding {
        guard key.kind == .rsa else { return .tried(key, isIntact: false) }
        if key.bits < options.minimumBits { return .refused(key.bits, "RSA key of \(key.bits) bits is too short") }
        return key.bits > options.maximumBits ? tooLong(key.bits) : .tried(key, isIntact: false)
    }

    /// RFC 8301 § 3.2: "Verifiers MUST be able to validate signatures with keys ranging from 1024 bits to 4096 bits,
    /// and they MAY be able to validate signatures with larger keys." We do not, which RFC 8601 § 2.7.1 calls policy.
    private func tooLong(_ bits: Int) -> KeyCheck.Finding { .refused(bits, "RSA key of \(bits) bits is too long") }

    /// The result of a valid signature; the length of the body may still change it.
    private func result(of bodyOctets: UInt64) -> (DKIMResult, String?) {
        guard let length = signature.length else { return (.pass, nil) }
        // RFC 6376 § 3.5: the value of `l=` "MUST NOT be larger than the actual number of octets in the canonicalized
        // message body".
        guard bodyOctets >= length else { return (.permerror, "l= is larger than the body") }
        guard bodyOctets > length, options.unsignedBody == .policy else { return (.pass, nil) }
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
