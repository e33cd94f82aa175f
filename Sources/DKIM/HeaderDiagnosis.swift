internal import MailCrypto
internal import MailSyntax

/// Looks for the one change to a header that explains why its signature fails.
///
/// An RSA signature says which digest was signed, so each guess costs a hash; an Ed25519 signature has to be verified for
/// each guess, so fewer are made.
struct HeaderDiagnosis {
    private typealias Guess = (DKIMDiagnosis, [HeaderField], HeaderField)

    private static let mostEd25519Guesses = 16

    private let header: HeaderCheck
    private let fields: [HeaderField]
    private let own: HeaderField

    init(_ header: HeaderCheck) {
        self.header = header
        fields = header.fields
        own = header.signature.unsignedField
    }

    /// The change, when there is one that explains it.
    var diagnosis: DKIMDiagnosis? {
        let signature = header.signature
        let form = signature.canonicalization.header
        var guesses = tagged + added
        if form == .simple { guesses += refolded + spaced + renamed }
        guesses += copied
        switch header.key.kind {
        case .rsa:
            // Without a digest in it, the signature is not by this key at all.
            guard let signed = header.key.signedDigest(in: signature.signature) else { return nil }
            return find(guesses, form) { $0 == signed }
        case .ed25519:
            return find(Array(guesses.prefix(Self.mostEd25519Guesses)), form) {
                header.key.verifies(signature.signature, digest: $0)
            }
        }
    }

    private func find(_ guesses: [Guess], _ form: Canonicalization, _ isSigned: ([UInt8]) -> Bool) -> DKIMDiagnosis? {
        for (diagnosis, fields, own) in guesses {
            let octets = SignedFields.canonicalForm(fields, own: own, form)
            if isSigned(SHA256Hasher.digest(octets)) { return diagnosis }
        }
        let other: Canonicalization = form == .simple ? .relaxed : .simple
        let misnamed = SignedFields.canonicalForm(fields, own: own, other)
        if isSigned(SHA256Hasher.digest(misnamed)) { return .canonicalizationMisnamed }
        let withLF = SignedFields.canonicalForm(fields, own: own, form).filter { $0 != 0x0D }
        return isSigned(SHA256Hasher.digest(withLF)) ? .headerSignedWithLF : nil
    }

    /// The Subject without its first words, or without what stands in brackets in it.
    private var tagged: [Guess] {
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
            changed[index] = HeaderField(name: fields[index].name, value: space + rest)
            let tag = String(decoding: removed.prefix(60).map { $0.isVChar ? $0 : 0x20 }, as: UTF8.self)
            return (.subjectTagged(tag), changed, own)
        }
    }

    /// The header without one of its fields; for names that occur more than once, without the lowest.
    private var added: [Guess] {
        fields.indices.prefix(40).compactMap { index in
            var changed = fields
            let removed = changed.remove(at: index)
            guard removed.name.trimmed.count <= 60, removed.name.trimmed.allSatisfy(\.isVChar) else { return nil }
            return (.fieldAdded(removed.name.trimmed.text), changed, own)
        }
    }

    /// Folds taken away, or made with other white space: in one field, in all, or in the signature's own.
    private var refolded: [Guess] {
        let transforms: [(Octets) -> Octets] = [
            { $0.replacingFolds { $0 } },
            { $0.replacingFolds { _ in [0x20] } },
            { $0.replacingFolds { _ in [0x0D, 0x0A, 0x09] } },
            { $0.replacingFolds { _ in [0x0D, 0x0A, 0x20] } },
        ]
        return transforms.flatMap { transform -> [Guess] in
            let others = fields.map { HeaderField(name: $0.name, value: transform($0.value)) }
            let mine = HeaderField(name: own.name, value: transform(own.value))
            let single = fields.indices.filter { fields[$0].value.contains(0x0D) }.prefix(10).map { index in
                var changed = fields
                changed[index] = others[index]
                return changed
            }
            return [(.headerRefolded, others, own), (.headerRefolded, others, mine), (.headerRefolded, fields, mine)]
                + single.map { (.headerRefolded, $0, own) }
        }
    }

    /// White space at the end of values cut off, and that after the colon made one space or none.
    private var spaced: [Guess] {
        let transforms: [(Octets) -> Octets] = [
            { value in value[..<(value.trimmed.endIndex)] },
            { value in [0x20] + value.drop { $0.isWSP } },
            { value in value.drop { $0.isWSP } },
        ]
        return transforms.map { transform in
            let others = fields.map { HeaderField(name: $0.name, value: transform($0.value)) }
            return (.headerWhiteSpace, others, own)
        }
    }

    /// Field names as `h=` spells them, and in lower case.
    private var renamed: [Guess] {
        let names = header.signature.headerNames
        let asListed = fields.map { field in
            HeaderField(name: names.first { $0.equalsIgnoringCase(field.name) } ?? field.name, value: field.value)
        }
        let lower = fields.map { HeaderField(name: $0.name.map(\.lowercased)[...], value: $0.value) }
        return [(.fieldNameCase, asListed, own), (.fieldNameCase, lower, own)]
    }

    /// Fields as the signer copied them into `z=` (RFC 6376 § 3.5), which may say what changed but proves nothing.
    private var copied: [Guess] {
        guard let copies = header.signature.copiedFields else { return [] }
        return copies.split(separator: UInt8(ascii: "|")).prefix(40).compactMap { copy in
            guard let decoded = DKIMSignature.quotedPrintable(copy),
                let colon = decoded.firstIndex(of: UInt8(ascii: ":")),
                let index = fields.firstIndex(where: { $0.name.equalsIgnoringCase(decoded[..<colon].trimmed) }),
                fields[index].name.allSatisfy(\.isVChar), fields[index].name.count <= 60
            else { return nil }
            var changed = fields
            changed[index] = HeaderField(name: fields[index].name, value: decoded[(colon + 1)...])
            return (.fieldChanged(fields[index].name.text), changed, own)
        }
    }
}

extension UInt8 {
    fileprivate var isFolding: Bool { isWSP || self == 0x0D || self == 0x0A }
}

extension ArraySlice<UInt8> {
    /// The octets with each fold, CRLF and the white space after it, replaced; `replace` is given the white space.
    fileprivate func replacingFolds(_ replace: (Octets) -> Octets) -> Octets {
        var output = [UInt8]()
        var rest = self
        while let fold = rest.firstIndex(of: 0x0D), fold + 1 < rest.endIndex, rest[fold + 1] == 0x0A {
            output += rest[..<fold]
            let space = rest[(fold + 2)...].prefix(while: \.isWSP)
            output += replace(space)
            rest = rest[space.endIndex...]
        }
        return (output + rest)[...]
    }
}
