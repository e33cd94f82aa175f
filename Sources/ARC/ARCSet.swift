internal import DKIM
internal import MailSyntax

/// The fields of one instance, all three of them (RFC 8617 § 4.2).
struct ARCSet: Sendable {
    let instance: Int
    let results: ARCField
    let message: ARCField
    let seal: ARCField
    /// The seal as a signature.
    let sealSignature: DKIMSignature

    init(_ places: ARCFields.Places, _ instance: Int) throws(ARCProblem) {
        guard let results = places.results else { throw .missing(.results, instance) }
        guard let message = places.message else { throw .missing(.message, instance) }
        guard let seal = places.seal else { throw .missing(.seal, instance) }
        self.instance = instance
        self.results = results
        self.message = message
        self.seal = seal
        try Self.checkStatus(seal, instance)
        // RFC 8617 § 4.1.3: an "h" tag is not allowed in a seal and, if found, must result in a status of "fail".
        guard seal.tags?["h"] == nil else { throw .sealNamesFields(instance) }
        sealSignature = try seal.signature(.seal)
        guard sealSignature.algorithm != .rsaSHA1 else { throw .algorithm(.seal, instance) }
    }

    /// RFC 8617 § 5.2: `cv=` must be "none" in the first set, and "pass" in every other.
    private static func checkStatus(_ seal: ARCField, _ instance: Int) throws(ARCProblem) {
        let status = seal.tags?["cv"]
        if status?.equalsIgnoringCase("fail") == true { throw .failedBefore(instance) }
        guard status?.equalsIgnoringCase(instance == 1 ? "none" : "pass") == true else { throw .status(instance) }
    }

    /// The message signature, if it can be verified at a time (RFC 8617 § 4.1.2).
    func messageSignature(_ now: UnixTime, clockSkew: Int64) throws(ARCProblem) -> DKIMSignature {
        let signature = try message.signature(.arcMessageSignature)
        // RFC 8617 § 4.1.2: ARC-Seal fields must not be covered: later sealers could not be told from forgers.
        guard !signature.headerNames.contains(where: { $0.equalsIgnoringCase("arc-seal") }) else {
            throw .signsSeals(instance)
        }
        guard signature.algorithm != .rsaSHA1 else { throw .algorithm(.message, instance) }
        // RFC 6376 § 3.5, `x=`: "Signatures MAY be considered invalid if the verification time at the Verifier is past
        // the expiration date."
        if let expiration = signature.expiration, expiration < now, now - expiration > clockSkew {
            throw .expired(instance)
        }
        return signature
    }
}

extension ARCField {
    /// The field as a signature.
    fileprivate func signature(_ form: DKIMSignature.Form) throws(ARCProblem) -> DKIMSignature {
        do throws(DKIMSignature.SyntaxError) {
            guard let tags else { return try DKIMSignature(field) }
            return try DKIMSignature(field, tags: tags, as: form)
        } catch {
            throw .unreadable(member, instance, error)
        }
    }
}
