internal import MailCrypto
internal import MailSyntax

/// The header fields that a signature names, hashed once for all keys that are tried (RFC 6376 § 3.7).
package struct SignedHeader: Sendable {
    package let signature: DKIMSignature
    /// The hash that `b=` must sign.
    let digest: [UInt8]
    /// The fields of the message, and the indices of those that `h=` names, in its order.
    private let signed: SignedFields
    private let indices: [Int]

    /// Nil when the fields have more octets than `octetsLeft`; otherwise subtracts their number from it.
    init?(_ signature: DKIMSignature, at fieldIndex: Int, in signed: SignedFields, octetsLeft: inout Int) {
        let indices = signed.indices(of: signature.headerNames, excluding: fieldIndex)
        let fields = signed.fields(at: indices)
        let count = SignedFields.octetCount(fields, own: signature.unsignedField)
        guard count <= octetsLeft else { return nil }
        octetsLeft -= count
        let form = SignedFields.canonicalForm(
            fields,
            own: signature.unsignedField,
            signature.canonicalization.header,
            capacity: count
        )
        self.signature = signature
        self.signed = signed
        self.indices = indices
        digest = SHA256Hasher.digest(form)
    }

    /// A header whose hash is known, such as that of a seal; its fields are not.
    package init(_ signature: DKIMSignature, digest: [UInt8]) {
        self.signature = signature
        self.digest = digest
        signed = SignedFields(HeaderBlock())
        indices = []
    }

    /// The fields that `h=` names, in its order.
    var fields: [HeaderField] { Array(signed.fields(at: indices)) }
}
