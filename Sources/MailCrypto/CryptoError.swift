internal import COpenSSL

/// Why a key cannot be used, or an operation with it did not succeed.
public enum CryptoError: Error, Hashable, Sendable {
    /// The text or the octets are no key of the form expected.
    case malformedKey(String)
    /// A key of a kind that DKIM does not use.
    case unsupportedKey
    /// An RSA modulus of this many bits, which is out of the bounds given.
    case modulusSize(Int)
    /// An RSA exponent that is even, below three, or above 2³².
    case exponent
    /// OpenSSL refused; its own words.
    case failed(String)

    /// The failure that OpenSSL has just reported to this thread, whose queue is emptied.
    static func last(_ operation: String) -> CryptoError {
        var text = [CChar](repeating: 0, count: 256)
        let code = ERR_get_error()
        ERR_clear_error()
        guard code != 0 else { return .failed(operation) }
        // ERR_error_string_n writes at most the length given, with a final NUL.
        unsafe ERR_error_string_n(code, &text, text.count)
        let reason = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return .failed("\(operation): \(reason)")
    }
}

extension CryptoError {
    /// The words of a failure alone.
    var reason: String {
        if case .failed(let reason) = self { reason } else { description }
    }
}

extension CryptoError: CustomStringConvertible {
    /// The reason, as words to follow "the key".
    public var description: String {
        switch self {
        case .malformedKey(let reason): "is not readable: \(reason)"
        case .unsupportedKey: "is neither RSA nor Ed25519"
        case .modulusSize(let bits): "has an RSA modulus of \(bits) bits"
        case .exponent: "has an RSA exponent that is not usable"
        case .failed(let reason): "failed: \(reason)"
        }
    }
}
