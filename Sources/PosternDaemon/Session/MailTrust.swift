/// Why a client's mail is not judged; the values of the log's `trusted=`.
enum MailTrust: String, Sendable {
    /// Its address is in the trusted networks, or it is this host.
    case network
    /// It has authenticated.
    case login
    /// Its address is exempt: its mail is neither judged nor signed.
    case skip
}
