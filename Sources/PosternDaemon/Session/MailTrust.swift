/// Why mail of a client is not judged; the words of the log's `trusted=`.
enum MailTrust: String, Sendable {
    /// Its address is in the trusted networks, or it is this host.
    case network
    /// It has authenticated itself.
    case login
    /// Its address is one whose mail is passed by.
    case skip
}
