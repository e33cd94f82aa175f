/// How many octets may still be hashed to find out what changed in one message.
///
/// A guess costs as much as the check of the signature itself, and the sender chooses the number of guesses: without a
/// limit, one message of 800 kB could keep a processor busy for seconds.
package struct DiagnosisBudget {
    /// The cost of an operation with a key: it takes as long as hashing this many octets.
    static let keyOperation = 16_384

    private var octets: Int

    /// A budget of so many octets.
    package init(octets: Int) { self.octets = octets }

    /// Whether nothing is left.
    var isSpent: Bool { octets <= 0 }

    /// Pays for a guess; returns false, and pays nothing, when the guess costs more than is left.
    mutating func pay(_ count: Int) -> Bool {
        guard count <= octets else { return false }
        octets -= count
        return true
    }
}
