internal import COpenSSL

/// Why a key cannot be used, or an operation with it did not succeed.
public enum CryptoError: Error, Hashable, Sendable {
    /// The text or the octets are no key of the form expected.
    case malformedKey(String)
    /// The text is no unencrypted private key in PEM.
    case noPrivateKey
    /// A key of a kind that DKIM does not use.
    case unsupportedKey
    /// An RSA modulus of this many bits, which is out of the bounds given.
    case modulusSize(Int)
    /// An RSA exponent that is even, below three, or above 2³².
    case exponent
    /// OpenSSL refused: what was tried, and its own words where it has some.
    case failed(String)

    /// The failure that OpenSSL has just reported to this thread, whose queue is emptied.
    static func last(_ operation: String) -> CryptoError {
        let code = ERR_get_error()
        ERR_clear_error()
        // ERR_reason_error_string returns static words without OpenSSL's numbers and names of functions, or null.
        guard code != 0, let reason = unsafe ERR_reason_error_string(code) else { return .failed(operation) }
        return .failed("\(operation): \(unsafe String(cString: reason))")
    }
}

extension CryptoError: CustomStringConvertible {
    /// The reason, as words to follow "the key".
    public var description: String {
        switch self {
        case .malformedKey(let reason): "is not readable: \(reason)"
        case .noPrivateKey: "is no private key in PEM, or one with a password"
        case .unsupportedKey: "is neither RSA nor Ed25519"
        case .modulusSize(let bits): "has an RSA modulus of \(bits) bits"
        case .exponent: "has an RSA exponent that is not usable"
        case .failed(let reason): "failed: \(reason)"
        }
    }
}
