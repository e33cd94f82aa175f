/// The fields that are signed, and the form of signatures.
public struct DKIMSigningOptions: Hashable, Sendable {
    /// The fields that are signed as often as they occur (RFC 6376 § 5.4.1), in the order of `h=`.
    public var headers = Self.defaultHeaders
    /// The fields that `h=` names once more than they occur, so that nobody can add one (RFC 6376 § 8.15).
    public var oversign = Self.defaultOversigned
    /// The canonicalization of header and body.
    public var canonicalization = CanonicalizationPair(header: .relaxed, body: .relaxed)
    /// The seconds until the signature expires (`x=`); nil if it never expires.
    public var lifetime: Int64?
    /// The AUID (`i=`) as text, such as `@news.example.org`; nil for none.
    public var identity: String?
    /// Whether folds are written as LF alone, as a milter passes them to its MTA; otherwise as CRLF.
    public var foldsWithLF = false

    /// The defaults.
    public init() {}

    /// The fields of RFC 6376 § 5.4.1, and fields of later standards whose content matters to readers.
    public static let defaultHeaders = [
        "From", "Sender", "Reply-To", "Subject", "Date", "Message-ID", "To", "Cc", "MIME-Version", "Content-Type",
        "Content-Transfer-Encoding", "Content-Language", "In-Reply-To", "References", "Resent-From", "Resent-Sender",
        "Resent-To", "Resent-Cc", "Resent-Date", "Resent-Message-ID", "List-Id", "List-Help", "List-Unsubscribe",
        "List-Unsubscribe-Post", "List-Subscribe", "List-Post", "List-Owner", "List-Archive", "Feedback-ID",
        "Autocrypt",
    ]

    /// The fields that a reader sees or replies to.
    public static let defaultOversigned = ["From", "Reply-To", "Subject", "Date", "To", "Cc"]
}
