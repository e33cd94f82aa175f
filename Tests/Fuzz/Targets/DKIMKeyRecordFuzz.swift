internal import DKIM
internal import MailCrypto
internal import MailSyntax

/// Reads an input as a key record, and as the key inside one; no key that comes out of it lets anything pass.
func fuzzKeyRecord(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let text = unsafe input(start, count)
    check(text[...])
    check((Octets("k=rsa; p=") + Base64.encode(text))[...])
    return 0
}

private let digest = [UInt8](repeating: 7, count: 32)

private func check(_ text: Octets) {
    guard let record = try? DKIMKeyRecord(text), case .usable(let key) = record.key else { return }
    expect(key.kind == record.kind)
    expect(key.kind == .ed25519 || DKIMKeyRecord.modulusBits.contains(key.bits))
    expect(!key.verifies([UInt8](repeating: 1, count: (key.bits + 7) / 8), digest: digest))
    _ = key.signedDigest(in: [UInt8](repeating: 1, count: (key.bits + 7) / 8))
}
