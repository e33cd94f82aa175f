internal import MailCrypto
internal import MailSyntax

/// Looks for a single change to a header that explains why its signature fails.
///
/// An RSA signature reveals the signed digest, so each guess costs a hash. An Ed25519 signature must be verified for
/// each guess, so the budget allows fewer guesses.
struct HeaderDiagnosis {
    private typealias Guess = (DKIMDiagnosis, [HeaderField], HeaderField)

    private let signature: DKIMSignature
    private let key: PublicKey
    private let fields: [HeaderField]
    private let own: HeaderField
    private let form: Canonicalization

    init(_ header: SignedHeader, key: PublicKey) {
        signature = header.signature
        self.key = key
        fields = header.fields
        own = signature.unsignedField
        form = signature.canonicalization.header
    }

    /// The change that explains the failure, if there is one and the budget lasts until it is found.
    func diagnosis(_ budget: inout DiagnosisBudget) -> DKIMDiagnosis? {
        guard key.kind == .rsa else { return find(&budget, cost: DiagnosisBudget.keyOperation, isSigned: isVerified) }
        // If it contains no digest, this key did not make the signature.
        guard budget.pay(DiagnosisBudget.keyOperation), let signed = key.signedDigest(in: signature.signature) else {
            return nil
        }
        return find(&budget, cost: 0) { $0 == signed }
    }

    private func isVerified(_ digest: [UInt8]) -> Bool { key.verifies(signature.signature, digest: digest) }

    /// Tries the guesses in order.
    ///
    /// - Parameters:
    ///   - cost: the cost of asking whether a digest was signed.
    ///   - isSigned: whether a digest was signed.
    private func find(
        _ budget: inout DiagnosisBudget,
        cost: Int,
        isSigned: ([UInt8]) -> Bool
    ) -> DKIMDiagnosis? {
        func isSignedForm(_ fields: [HeaderField], _ own: HeaderField, _ form: Canonicalization, isLF: Bool) -> Bool? {
            let count = SignedFields.octetCount(fields, own: own)
            // The cost of a field includes more than its octets.
            guard budget.pay(count + 32 * fields.count + cost) else { return nil }
            let octets = SignedFields.canonicalForm(fields, own: own, form, capacity: count)
            return isSigned(SHA256Hasher.digest(isLF ? octets.filter { $0 != .cr } : octets))
        }
        for guesses in [tagged, added] + (form == .simple ? refolded + [spaced, renamed] : []) + [copied] {
            for (diagnosis, fields, own) in guesses() {
                guard let isFound = isSignedForm(fields, own, form, isLF: false) else { return nil }
                if isFound { return diagnosis }
            }
        }
        let other: Canonicalization = form == .simple ? .relaxed : .simple
        if isSignedForm(fields, own, other, isLF: false) == true { return .canonicalizationMisnamed }
        return isSignedForm(fields, own, form, isLF: true) == true ? .headerSignedWithLF : nil
    }

    /// The Subject without its first words, or without text in brackets.
    private func tagged() -> [Guess] {
        guard let index = fields.firstIndex(where: { $0.isNamed("Subject") }) else { return [] }
        let value = fields[index].value
        let text = value.drop { $0.isFolding }
        var guesses = [(removed: Octets, rest: Octets)]()
        if let open = text.firstIndex(of: UInt8(ascii: "[")),
            let close = text[open...].firstIndex(of: UInt8(ascii: "]"))
        {
            let rest = text[(close + 1)...].drop { $0.isFolding }
            guesses.append((text[open...close], text[..<open] + rest))
        }
        var rest = text
        for _ in 0..<3 {
            rest = rest.drop { !$0.isFolding }.drop { $0.isFolding }
            if !rest.isEmpty { guesses.append((text[..<rest.startIndex].trimmed, rest)) }
        }
        let space = value[..<text.startIndex]
        return guesses.map { removed, rest in
            var changed = fields
            changed[index] = HeaderField(name: fields[index].label, value: space + rest)
            let tag = String(decoding: removed.prefix(60).map { $0.isVChar ? $0 : .space }, as: UTF8.self)
            return (.subjectTagged(tag), changed, own)
        }
    }

    /// The header without one of its fields; of names that occur more than once, without the lowest.
    private func added() -> [Guess] {
        fields.indices.prefix(40).compactMap { index in
            var changed = fields
            let removed = changed.remove(at: index)
            guard removed.name.count <= 60, removed.name.allSatisfy(\.isVChar) else { return nil }
            return (.fieldAdded(removed.name.text), changed, own)
        }
    }

    /// The header with folds removed, or with other white space in them: in one field, all, or the signature's own.
    private var refolded: [() -> [Guess]] {
        let transforms: [(Octets) -> Octets] = [
            { $0.replacingFolds { $0 } },
            { $0.replacingFolds { _ in [.space] } },
            { $0.replacingFolds { _ in [.cr, .lf, .tab] } },
            { $0.replacingFolds { _ in [.cr, .lf, .space] } },
        ]
        return transforms.map { transform in
            {
                let others = fields.map { HeaderField(name: $0.label, value: transform($0.value)) }
                let mine = HeaderField(name: own.label, value: transform(own.value))
                let single = fields.indices.filter { fields[$0].value.contains(.cr) }.prefix(10).map { index in
                    var changed = fields
                    changed[index] = others[index]
                    return changed
                }
                return [
                    (.headerRefolded, others, own), (.headerRefolded, others, mine), (.headerRefolded, fields, mine),
                ]
                    + single.map { (.headerRefolded, $0, own) }
            }
        }
    }

    /// The header without white space at the end of values, and with one space or none after the colons.
    private func spaced() -> [Guess] {
        let transforms: [(Octets) -> Octets] = [
            { value in value[..<(value.trimmed.endIndex)] },
            { value in [.space] + value.drop { $0.isWSP } },
            { value in value.drop { $0.isWSP } },
        ]
        return transforms.map { transform in
            let others = fields.map { HeaderField(name: $0.label, value: transform($0.value)) }
            return (.headerWhiteSpace, others, own)
        }
    }

    /// Field names as `h=` spells them, or in lower case.
    private func renamed() -> [Guess] {
        let names = signature.headerNames
        let asListed = fields.map { field in
            HeaderField(name: names.first { $0.equalsIgnoringCase(field.name) } ?? field.name, value: field.value)
        }
        let lower = fields.map { HeaderField(name: $0.name.map(\.lowercased)[...], value: $0.value) }
        return [(.fieldNameCase, asListed, own), (.fieldNameCase, lower, own)]
    }

    /// The fields as the signer copied them into `z=` (RFC 6376 § 3.5); they may show what changed but prove nothing.
    private func copied() -> [Guess] {
        guard let copies = signature.copiedFields else { return [] }
        return copies.split(separator: UInt8(ascii: "|"), maxSplits: 40).prefix(40).compactMap { copy in
            guard let decoded = DKIMSignature.quotedPrintable(copy),
                let colon = decoded.firstIndex(of: UInt8(ascii: ":")),
                let index = fields.firstIndex(where: { $0.name.equalsIgnoringCase(decoded[..<colon].trimmed) }),
                fields[index].name.allSatisfy(\.isVChar), fields[index].name.count <= 60
            else { return nil }
            var changed = fields
            changed[index] = HeaderField(name: fields[index].label, value: decoded[(colon + 1)...])
            return (.fieldChanged(fields[index].name.text), changed, own)
        }
    }
}

extension UInt8 {
    fileprivate var isFolding: Bool { isWSP || self == .cr || self == .lf }
}

extension ArraySlice<UInt8> {
    /// The octets with each fold (a CRLF and the white space after it) replaced; `replace` gets the white space.
    fileprivate func replacingFolds(_ replace: (Octets) -> Octets) -> Octets {
        var output = [UInt8]()
        var rest = self
        while let fold = rest.firstIndex(of: .cr), fold + 1 < rest.endIndex, rest[fold + 1] == .lf {
            output += rest[..<fold]
            let space = rest[(fold + 2)...].prefix(while: \.isWSP)
            output += replace(space)
            rest = rest[space.endIndex...]
        }
        return (output + rest)[...]
    }
}
