public import MailSyntax

/// Signs one message while it streams through (RFC 6376 § 5).
///
///     var signer = DKIMMessageSigner(keys: keys, options: options, now: now)
///     signer.endOfHeaders(headers)
///     for chunk in body { signer.body(chunk) }
///     for value in try signer.finish() { insert("DKIM-Signature", value) }
///
/// It does no I/O and reads no clock. Copies share the running hash, so only one copy may continue.
public struct DKIMMessageSigner {
    private let keys: [DKIMSigningKey]
    private var maker: SignatureMaker
    private var lint = TransportLint()

    /// A signer for a message that is sent at `now`; each key makes one signature.
    public init(keys: [DKIMSigningKey], options: DKIMSigningOptions = DKIMSigningOptions(), now: UnixTime) {
        self.keys = keys
        maker = SignatureMaker(options, now: now)
    }

    /// Takes the header fields, including those that the MTA adds before it sends the message.
    public mutating func endOfHeaders(_ headers: HeaderBlock) {
        maker.endOfHeaders(headers)
        lint.header(headers)
    }

    /// Takes the next octets of the body, cut at any place.
    public mutating func body(_ chunk: UnsafeRawBufferPointer) {
        unsafe maker.body(chunk)
        unsafe lint.body(chunk)
    }

    /// The content that an MTA on the way may rewrite, which would break the signature (RFC 6376 § 5.3).
    public var warnings: [DKIMSigningWarning] { lint.warnings }

    /// Ends the body and computes everything except the signatures themselves, which take most of the time.
    public mutating func prepare() throws(DKIMSigningError) -> [DKIMPreparedSignature] {
        guard !keys.isEmpty else { throw .noKey }
        return try maker.prepare(keys, as: .dkimSignature)
    }

    /// Ends the body and returns the values of the DKIM-Signature fields, with leading space, one for each key.
    ///
    /// The fields go above all other fields, in any order.
    public mutating func finish() throws(DKIMSigningError) -> [[UInt8]] {
        var values = [[UInt8]]()
        for signature in try prepare() { values.append(try signature.fieldValue()) }
        return values
    }
}
