public import MailSyntax

/// The result of one authentication method (RFC 8601 § 2.2, resinfo).
public struct MethodResult: Hashable, Sendable {
    /// One property of the message that was evaluated (RFC 8601 § 2.2, propspec).
    public struct Property: Hashable, Sendable {
        /// The source of the property: `smtp`, `header`, `body` or `policy` (RFC 8601 § 2.3).
        public var type: String
        /// The name of the property, such as `mailfrom` or `d`.
        public var name: String
        /// The value of the property, without quotes.
        public var value: Octets

        /// A property with its value.
        public init(_ type: String, _ name: String, _ value: Octets) {
            self.type = type
            self.name = name
            self.value = value
        }
    }

    /// The name of the method: `spf`, `dkim`, `dmarc`… (RFC 8601 § 2.7).
    public var method: String
    /// The version of the method; nil means version 1 (RFC 8601 § 2.6).
    public var methodVersion: Int?
    /// The result, in the lower-case words of the method's RFC.
    public var result: String
    /// The reason for the result, for people.
    public var reason: Octets?
    /// The comment after the result, for people.
    public var comment: Octets?
    /// The properties that were evaluated.
    public var properties: [Property]

    /// A result with its properties.
    public init(
        _ method: String,
        _ result: String,
        reason: Octets? = nil,
        comment: Octets? = nil,
        properties: [Property] = []
    ) {
        self.method = method
        self.result = result
        self.reason = reason
        self.comment = comment
        self.properties = properties
    }
}
