/// How many octets may still be hashed to find out what changed in one message.
///
/// A guess costs as much as the check of the signature itself, and the sender chooses how many there are: without a bound
/// one message of 800 kB could keep a processor busy for seconds.
struct DiagnosisBudget {
    /// What an operation with a key counts for: it takes as long as hashing so many octets.
    static let keyOperation = 16_384

    private var octets: Int

    init(octets: Int) { self.octets = octets }

    /// Whether anything is left.
    var isSpent: Bool { octets <= 0 }

    /// Pays for a guess; false, and nothing paid, when it costs more than is left.
    mutating func pay(_ count: Int) -> Bool {
        guard count <= octets else { return false }
        octets -= count
        return true
    }
}
