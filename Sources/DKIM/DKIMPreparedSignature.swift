internal import MailCrypto
internal import MailSyntax

/// A signature that is complete except for the operation with the private key, which may run on any thread.
public struct DKIMPreparedSignature: Sendable {
    /// The name of the field.
    public static let fieldName = SignatureField.dkimSignature.name

    /// The key that will sign.
    public let key: DKIMSigningKey
    let digest: [UInt8]
    let unsignedValue: [UInt8]
    let foldsWithLF: Bool

    /// The value of the field, with leading space.
    public func fieldValue() throws(DKIMSigningError) -> [UInt8] {
        let signature: [UInt8]
        do throws(CryptoError) {
            signature = try key.key.sign(digest: digest)
        } catch {
            throw .crypto(error)
        }
        var value = FoldedTags(octets: unsignedValue)
        value.addBroken(Base64.encode(signature))
        return foldsWithLF ? value.octets.filter { $0 != .cr } : value.octets
    }
}
