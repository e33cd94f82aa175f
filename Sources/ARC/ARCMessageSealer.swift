public import DKIM
internal import MailCrypto
public import MailSyntax

/// Seals one message while it streams through (RFC 8617 § 5.1).
///
///     var sealer = ARCMessageSealer(key: key, now: now)
///     for chunk in body { sealer.body(chunk) }
///     let set = try sealer.seal(headers, chain, results: results)
///
/// The set goes above all other fields, and nobody may change the message afterwards: § 5.1, "All message modifications
/// ... MUST be performed before sealing". It does no I/O and reads no clock. Copies share the running hash, so only one
/// copy may continue.
public struct ARCMessageSealer {
    private let key: DKIMSigningKey
    private let now: UnixTime
    private var maker: SignatureMaker

    /// A sealer for a message that is sent on at `now`.
    public init(key: DKIMSigningKey, now: UnixTime) {
        self.key = key
        self.now = now
        var options = DKIMSigningOptions()
        // § 4.1.2: the signature "SHOULD include any DKIM-Signature header fields already present", and must not include
        // Authentication-Results or the fields of sets.
        options.headers.append("DKIM-Signature")
        // The next host may show the message by another Content-Type, or take it for a post of a list.
        options.oversign += ["Content-Type", "List-Id"]
        maker = SignatureMaker(options, now: now)
    }

    /// Takes the next octets of the body, cut at any place.
    public mutating func body(_ chunk: UnsafeRawBufferPointer) { unsafe maker.body(chunk) }

    /// Seals the message after its body has ended; this takes two operations with the key.
    ///
    /// - Parameters:
    ///   - headers: the header fields, those of earlier sets among them.
    ///   - chain: what our own check of these sets has found.
    ///   - results: the value of our own Authentication-Results field.
    /// - Returns: the new set.
    public mutating func seal(
        _ headers: HeaderBlock,
        _ chain: ARCOutcome,
        results: Octets
    ) throws(ARCSealingError) -> NewARCSet {
        guard chain.result != .temperror else { throw .unanswered }
        let earlier = ARCFields(readableOf: headers)
        // § 5.1: "the instance value of the new ARC Set is one greater than the highest".
        let instance = earlier.places.count + 1
        guard instance <= ARCField.maximumInstance else { throw .full }
        let results = Self.field(.results, " i=\(instance); ", results)
        let message = Self.field(.message, "", try messageSignature(headers, instance)[...])
        let hash = SealHash()
        // § 5.1.2: a seal over a chain that has failed covers its own set only, "as if this newest ARC Set was the only
        // set present".
        if chain.result == .pass { hash.add(earlier.inOrder) }
        let seal = try seal(instance, chain.result) {
            hash.digest(results: results, message: message, unsignedSeal: $0)
        }
        return NewARCSet(
            instance: instance,
            status: chain.result,
            fields: [(.seal, seal), (.message, Array(message.value)), (.results, Array(results.value))]
        )
    }

    /// § 4.1.2: the signature of the message.
    private mutating func messageSignature(
        _ headers: HeaderBlock,
        _ instance: Int
    ) throws(ARCSealingError) -> [UInt8] {
        maker.endOfHeaders(headers)
        do throws(DKIMSigningError) {
            let signatures = try maker.prepare([key], as: .arcMessageSignature(instance: instance))
            guard let signature = signatures.first else { throw .noKey }
            return try signature.fieldValue()
        } catch {
            throw .signing(error)
        }
    }

    /// § 4.1.3: the seal; `digest` hashes everything that it covers, when it is given the seal up to `b=`.
    private func seal(
        _ instance: Int,
        _ status: ARCResult,
        _ digest: (HeaderField) -> [UInt8]
    ) throws(ARCSealingError) -> [UInt8] {
        var value = FoldedTags(fieldName: ARCMember.seal.rawValue)
        value.add("i=\(instance);")
        value.add("a=\(key.algorithm.rawValue);")
        value.add("t=\(now);")
        value.add("cv=\(status.rawValue);")
        value.add("d=\(key.domain);")
        value.add("s=\(key.selector);")
        value.add("b=")
        let digest = digest(Self.field(.seal, "", value.octets[...]))
        do throws(CryptoError) {
            value.addBroken(Base64.encode(try key.key.sign(digest: digest)))
        } catch {
            throw .signing(.crypto(error))
        }
        return value.octets
    }

    /// A field, with CRLF in its folds whatever they were written with.
    private static func field(_ member: ARCMember, _ start: String, _ value: Octets) -> HeaderField {
        var block = HeaderBlock()
        block.append(name: member.rawValue.utf8, value: Array(start.utf8) + value)
        return block[block.startIndex]
    }
}
