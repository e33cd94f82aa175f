/// The result of a chain: the words of RFC 8617 § 4.4 (the chain validation status), and one of our own.
public enum ARCResult: String, Hashable, Sendable, CaseIterable {
    /// The message has no ARC Set.
    case none
    /// Every seal and the newest message signature are valid.
    case pass
    /// The chain is incomplete or malformed, or a signature in it is not valid.
    case fail
    /// The DNS gave no answer about a key.
    ///
    /// RFC 8617 § 5.2.1 calls this a fail as well. But it says nothing about the message, and must not be taken for a
    /// broken seal; RFC 8601 § 2.7.1 has this word for it.
    case temperror
}
