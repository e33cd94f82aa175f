/// The one change to a message that explains why a hash differs.
public enum DKIMDiagnosis: Hashable, Sendable {
    /// This many octets were appended after the signed body, starting at a line.
    case footerAppended(octets: Int)
}

extension DKIMDiagnosis: CustomStringConvertible {
    /// The change in words.
    public var description: String {
        switch self {
        case .footerAppended(let octets): "a footer of \(octets) octets was appended to the body"
        }
    }
}
