/// A question that has been asked and not yet answered.
public struct OpenLookup: Sendable {
    private let giveUp: @Sendable () -> Void

    /// An open question that `giveUp` cancels.
    public init(giveUp: @escaping @Sendable () -> Void) {
        self.giveUp = giveUp
    }

    /// Asks for a reply soon, whatever the reply is.
    public func cancel() { giveUp() }
}
