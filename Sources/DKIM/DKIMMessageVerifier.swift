public import DNSLookup
public import MailSyntax

/// Verifies the signatures of one message while it streams through (RFC 6376 § 6.1).
///
///     var verifier = DKIMMessageVerifier(options: options, now: now)
///     for index in headers.indices {
///         if let question = verifier.headerField(headers[index], at: index) { startLookup(question) }
///     }
///     verifier.endOfHeaders(headers)
///     verifier.checkHeaders { question in replies[question] }
///     for chunk in body where !verifier.isBodyComplete { verifier.body(chunk) }
///     verifier.endOfBody()
///     let outcomes = verifier.verify { question in replies[question] }
///
/// It does no I/O and reads no clock. Copies share the running hashes, so only one copy may continue.
public struct DKIMMessageVerifier {
    /// A signature field, and what is known about it so far.
    private struct Entry {
        var fieldIndex: Int
        var signature: DKIMSignature?
        /// The index of the hasher for its body form.
        var hasher: Int?
        /// The outcome that was decided when the field was read.
        var decided: DKIMOutcome?
        /// The check of the signature with its key.
        var check: SignatureCheck?
    }

    /// The most failed signatures whose cause is looked for: enough for a person.
    private static let maximumDiagnosed = 2

    private let options: DKIMVerificationOptions
    private let now: UnixTime
    private var entries: [Entry] = []
    private var signaturesOverLimit = 0
    private var hashers: [BodyHasher] = []
    /// Whether the rest of the body cannot change any result; then it need not be passed.
    public private(set) var isBodyComplete = true
    private var fields: SignedFields?
    private var retainedBody: [UInt8] = []
    private var isBodyRetained: Bool
    private var budget: VerificationBudget

    /// A verifier for a message that arrives at `now`.
    public init(options: DKIMVerificationOptions = DKIMVerificationOptions(), now: UnixTime) {
        self.options = options
        self.now = now
        isBodyRetained = options.diagnosedBodyOctets > 0
        budget = VerificationBudget(options)
    }

    /// Takes one header field; fields are passed from the top, and fields other than signatures may be left out.
    ///
    /// - Parameters:
    ///   - field: the field.
    ///   - index: the position of the field among all fields of the message.
    /// - Returns: the question for the key, if the field is a signature that needs its key.
    public mutating func headerField(_ field: HeaderField, at index: Int) -> DNSQuestion? {
        guard field.isNamed("DKIM-Signature") else { return nil }
        // RFC 6376 § 6.1: "A Verifier MAY limit the number of signatures it tries"
        guard entries.count < options.maximumSignatures else {
            signaturesOverLimit += 1
            return nil
        }
        var entry = Entry(fieldIndex: index)
        defer { entries.append(entry) }
        do throws(DKIMSignature.SyntaxError) {
            let signature = try DKIMSignature(field)
            entry.signature = signature
            entry.decided = decision(on: signature)
        } catch {
            entry.decided = Self.unreadable(field, error)
        }
        guard entry.decided == nil, let signature = entry.signature else { return nil }
        entry.hasher = hasher(for: signature)
        return signature.keyQuestion
    }

    /// The domains of the signatures that are checked, from the top.
    public var signingDomains: [DomainName] {
        entries.compactMap { $0.decided == nil ? $0.signature?.domain : nil }
    }

    /// Takes all header fields together, the same fields that were passed one by one.
    public mutating func endOfHeaders(_ headers: HeaderBlock) {
        if !hashers.isEmpty { fields = SignedFields(headers) }
    }

    /// Checks the header fields of the signatures whose keys are known, to leave less work for the end of the body.
    ///
    /// - Parameter keys: the reply to a question that `headerField` returned; nil if it has not come yet.
    public mutating func checkHeaders(keys: (DNSQuestion) -> DNSReply?) {
        for index in entries.indices {
            guard entries[index].check == nil, let question = entries[index].signature?.keyQuestion,
                let reply = keys(question)
            else { continue }
            entries[index].check = check(entries[index], key: reply)
        }
    }

    /// The check of a signature; nil for a signature that is not checked.
    private mutating func check(_ entry: Entry, key reply: DNSReply?) -> SignatureCheck? {
        guard let signature = entry.signature, entry.hasher != nil else { return nil }
        // Without `endOfHeaders` there are no fields for which a signature could be valid.
        let fields = fields ?? SignedFields(HeaderBlock())
        return SignatureCheck(signature, at: entry.fieldIndex, in: fields, key: reply, options, &budget)
    }

    /// Takes the next octets of the body, cut at any place.
    public mutating func body(_ chunk: UnsafeRawBufferPointer) {
        guard !isBodyComplete else { return }
        for index in hashers.indices { unsafe hashers[index].update(chunk) }
        isBodyComplete = hashers.allSatisfy(\.isBeyondLength)
        guard isBodyRetained else { return }
        if chunk.count <= options.diagnosedBodyOctets - retainedBody.count {
            unsafe retainedBody.append(contentsOf: chunk)
        } else {
            isBodyRetained = false
            retainedBody = []
        }
    }

    /// Ends the body.
    public mutating func endOfBody() {
        for index in hashers.indices { hashers[index].finish() }
    }

    /// Judges the signatures, from the top.
    ///
    /// - Parameter keys: the reply to a question that `headerField` returned; nil if it never came.
    public mutating func verify(keys: (DNSQuestion) -> DNSReply?) -> [DKIMOutcome] {
        endOfBody()
        checkHeaders(keys: keys)
        var diagnosis = DiagnosisBudget(octets: options.diagnosisOctets)
        var diagnosed = 0
        var outcomes = [DKIMOutcome]()
        outcomes.reserveCapacity(entries.count + 1)
        for entry in entries {
            guard let hasher = entry.hasher, let check = entry.check ?? check(entry, key: nil) else {
                outcomes.append(entry.decided ?? DKIMOutcome(.neutral))
                continue
            }
            let body = SignedBody(
                hash: hashers[hasher].digest(check.bodyLength),
                octetCount: hashers[hasher].octetCount,
                octets: isBodyRetained ? retainedBody : nil
            )
            if diagnosed == Self.maximumDiagnosed { diagnosis = DiagnosisBudget(octets: 0) }
            let outcome = check.outcome(body, &diagnosis)
            if outcome.result == .fail { diagnosed += 1 }
            outcomes.append(outcome.result == .pass ? dated(outcome) : outcome)
        }
        if signaturesOverLimit > 0 {
            let problem = "\(signaturesOverLimit) more than the \(options.maximumSignatures) signatures examined"
            outcomes.append(DKIMOutcome(.policy, problem: problem))
        }
        return outcomes
    }

    /// The outcome for a signature that does not depend on its key, if there is one.
    private func decision(on signature: DKIMSignature) -> DKIMOutcome? {
        if signature.algorithm == .rsaSHA1 {
            // RFC 8301 § 3.1: signatures with historic algorithms, such as rsa-sha1, "have permanently failed
            // evaluation". Nothing was evaluated, so permerror of RFC 8601 § 2.7.1 describes it better than fail.
            return Self.outcome(.permerror, "rsa-sha1 is historic", signature)
        }
        // RFC 6376 § 3.5, `x=`: "Signatures MAY be considered invalid if the verification time at the Verifier is past
        // the expiration date." The signature could be read and did not pass this test, so the result is fail.
        if let expiration = signature.expiration, isPast(expiration, at: now) {
            return Self.outcome(.fail, "signature expired", signature)
        }
        return nil
    }

    /// The most seconds ahead for which differing clocks may be the cause: one of them may even use another time zone.
    private static let maximumClockDifference: Int64 = 86_400

    /// The outcome of a valid signature that is dated in the future.
    ///
    /// RFC 6376 § 3.5, `t=`: "Implementations MAY ignore signatures that have a timestamp in the future." But our own
    /// clock may be slow, and then we would ignore every fresh signature. So the result is temperror: RFC 8601 § 2.7.1
    /// says that "a later attempt may produce a final result". Only valid signatures get it, so that nobody can leave a
    /// domain's policy undecided with a signature that only the domain can make.
    private func dated(_ outcome: DKIMOutcome) -> DKIMOutcome {
        guard let timestamp = outcome.signature?.timestamp, isPast(now, at: timestamp) else { return outcome }
        var outcome = outcome
        let distance = timestamp - now
        if distance <= Self.maximumClockDifference {
            outcome.result = .temperror
            outcome.problem = "signature is dated \(distance) seconds ahead of our clock"
        } else {
            outcome.result = .neutral
            outcome.problem = "signature is dated in the future"
        }
        return outcome
    }

    /// Whether a time is before another by more than clocks may differ.
    private func isPast(_ time: UnixTime, at other: UnixTime) -> Bool {
        time < other && other - time > options.clockSkew
    }

    private static func outcome(_ result: DKIMResult, _ problem: String, _ signature: DKIMSignature) -> DKIMOutcome {
        var outcome = DKIMOutcome(result, problem: problem)
        outcome.signature = signature
        outcome.domain = signature.domainText.text
        outcome.selector = signature.selectorText.text
        return outcome
    }

    private static func unreadable(_ field: HeaderField, _ error: DKIMSignature.SyntaxError) -> DKIMOutcome {
        // RFC 8601 § 2.7.1, neutral: "the signature or signatures contained syntax errors or were not otherwise able to be
        // processed"; permerror: "some error that is unrecoverable, such as a required header field being absent".
        var outcome = DKIMOutcome(error == .fromNotSigned ? .permerror : .neutral, problem: error.description)
        if let tags = try? TagList(field.value) {
            outcome.domain = tags["d"]?.prefix(255).text
            outcome.selector = tags["s"]?.prefix(255).text
        }
        return outcome
    }

    /// The index of the hasher for a signature's body; signatures that need the same form of the body share a hasher.
    private mutating func hasher(for signature: DKIMSignature) -> Int {
        let canonicalization = signature.canonicalization.body
        let index = hashers.firstIndex { $0.canonicalization == canonicalization } ?? hashers.count
        if index == hashers.count { hashers.append(BodyHasher(canonicalization)) }
        hashers[index].add(signature.length)
        isBodyComplete = hashers.allSatisfy(\.isBeyondLength)
        return index
    }
}
