/// A question that is asked, until it is answered by a call.
public struct OpenLookup: Sendable {
    private let giveUp: @Sendable () -> Void

    /// A question that is given up by a call.
    public init(giveUp: @escaping @Sendable () -> Void) {
        self.giveUp = giveUp
    }

    /// Asks for no more than a reply soon, whatever it is.
    public func cancel() { giveUp() }
}
