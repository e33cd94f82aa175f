public import Policy

/// What the filter finds in a message's header regardless of its checks: fields to delete, and whether the header asks for
/// too much.
public struct HeaderReview: Sendable {
    /// The fields to delete.
    let forged: ForgedFields
    /// What keeps the filter from obeying the rules; nil when nothing does.
    public let obstacle: HeaderObstacle?
    /// Whether an obstacle flags the message instead of refusing it: a relay of our own passed it on, and would have to send a
    /// bounce to whom the message names as its sender.
    public let isFlagged: Bool

    /// A header, of which every field was examined.
    ///
    /// - Parameters:
    ///   - forged: what its fields claim.
    ///   - isTooLarge: whether the header is larger than the filter reads.
    ///   - relay: the relay of our own that passed on the message; nil for none.
    ///   - refuses: whether mail of relays is refused all the same.
    public init(_ forged: ForgedFields, isTooLarge: Bool = false, passedOnBy relay: Relay? = nil, refuses: Bool = false)
    {
        self.forged = forged
        let hasTooMany = forged.deleted.count > HeaderObstacle.maximumForgedFields
        obstacle = isTooLarge ? .tooLarge : hasTooMany ? .tooManyForged : nil
        isFlagged = relay != nil && !refuses
    }

    /// What an obstacle makes of a message in enforce mode; nil without one.
    public var action: RuleAction? {
        guard obstacle != nil else { return nil }
        return isFlagged ? .junk : .reject
    }

    /// The verdict of the rules, or what an obstacle makes of it.
    public func verdict(_ verdict: PolicyVerdict, in mode: PolicyMode) -> PolicyVerdict {
        mode == .enforce && action == .junk ? verdict.flagged : verdict
    }
}
