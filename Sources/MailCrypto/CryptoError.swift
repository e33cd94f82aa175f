internal import COpenSSL

/// Why a key cannot be used, or an operation with it failed.
public enum CryptoError: Error, Hashable, Sendable {
    /// The text or the octets are not a key of the expected form.
    case malformedKey(String)
    /// The text is not an unencrypted private key in PEM.
    case noPrivateKey
    /// A key of a kind that DKIM does not use.
    case unsupportedKey
    /// An RSA modulus of this many bits, which is outside the given bounds.
    case modulusSize(Int)
    /// An RSA exponent that is even, below three, or above 2³².
    case exponent
    /// OpenSSL reported a failure: the operation, and OpenSSL's own words if it has any.
    case failed(String)

    /// The failure that OpenSSL has just reported to this thread; empties the thread's error queue.
    static func last(_ operation: String) -> CryptoError {
        let code = ERR_get_error()
        ERR_clear_error()
        // ERR_reason_error_string returns static words without OpenSSL's numbers and function names, or null.
        guard code != 0, let reason = unsafe ERR_reason_error_string(code) else { return .failed(operation) }
        return .failed("\(operation): \(unsafe String(cString: reason))")
    }
}

extension CryptoError: CustomStringConvertible {
    /// The reason, in words that follow "the key".
    public var description: String {
        switch self {
        case .malformedKey(let reason): "is not readable: \(reason)"
        case .noPrivateKey: "is not a private key in PEM, or has a password"
        case .unsupportedKey: "is neither RSA nor Ed25519"
        case .modulusSize(let bits): "has an RSA modulus of \(bits) bits"
        case .exponent: "has an RSA exponent that is not usable"
        case .failed(let reason): "failed: \(reason)"
        }
    }
}
