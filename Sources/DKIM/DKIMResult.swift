/// The result of one signature, in the words of RFC 8601 § 2.7.1.
public enum DKIMResult: String, Hashable, Sendable, CaseIterable {
    /// The message was not signed.
    case none
    /// The signature is valid.
    case pass
    /// The signature was checked and is not valid.
    case fail
    /// The signature may be valid, but local policy does not accept it.
    case policy
    /// The signature could not be read.
    case neutral
    /// The key could not be looked up; a later attempt may succeed.
    case temperror
    /// The signature can never be checked, for example because its key does not exist.
    case permerror
}
