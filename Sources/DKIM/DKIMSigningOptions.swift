/// What is signed, and how.
public struct DKIMSigningOptions: Hashable, Sendable {
    /// The fields that are signed as often as they are there (RFC 6376 § 5.4.1), in the order of `h=`.
    public var headers = Self.defaultHeaders
    /// The fields that are named in `h=` once more than they are there, so that none can be added (RFC 6376 § 8.15).
    public var oversign = Self.defaultOversigned
    /// How header and body are canonicalized.
    public var canonicalization = CanonicalizationPair(header: .relaxed, body: .relaxed)
    /// After how many seconds the signature expires (`x=`); nil for never.
    public var lifetime: Int64?
    /// The AUID (`i=`) as text, such as `@news.example.org`; nil for none.
    public var identity: String?
    /// Whether folds are written as LF alone, as a milter hands them to its MTA; CRLF otherwise.
    public var foldsWithLF = false

    /// The defaults.
    public init() {}

    /// The fields of RFC 6376 § 5.4.1 and those of later standards that carry meaning of their own.
    public static let defaultHeaders = [
        "From", "Sender", "Reply-To", "Subject", "Date", "Message-ID", "To", "Cc", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding", "Content-Language", "In-Reply-To", "References", "Resent-From", "Resent-Sender",
        "Resent-To", "Resent-Cc", "Resent-Date", "Resent-Message-ID", "List-Id", "List-Help", "List-Unsubscribe",
        "List-Unsubscribe-Post", "List-Subscribe", "List-Post", "List-Owner", "List-Archive", "Feedback-ID",
        "Autocrypt",
    ]

    /// The fields that a reader sees, or answers to.
    public static let defaultOversigned = ["From", "Reply-To", "Subject", "Date", "To", "Cc"]
}
