public import MailSyntax

/// An Authentication-Results header field (RFC 8601).
public struct AuthenticationResultsField: Hashable, Sendable {
    /// Why a value is not an Authentication-Results field.
    public typealias SyntaxError = StructuredFieldError

    /// The name of the authentication service that made the field (RFC 8601 § 2.5).
    public var authservID: Octets
    /// The version of the field's syntax; nil means version 1 (RFC 8601 § 2.6).
    public var version: Int?
    /// The results in their order; an empty list is written as `none`.
    public var results: [MethodResult]

    /// A field with its results.
    public init(authservID: Octets, version: Int? = nil, results: [MethodResult]) {
        self.authservID = authservID
        self.version = version
        self.results = results
    }
}
