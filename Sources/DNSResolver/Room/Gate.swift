internal import HeapModule
internal import MailSyntax
internal import NIOCore

/// Lets as many questions through at a time as it is wide; the others wait in front of it.
struct Gate {
    /// The order in which those who wait are let in: a message's first questions come before the later ones of any other.
    struct Place: Comparable {
        /// How many eights of questions the message has had.
        var round: Int
        /// Tells who came first.
        let arrival: UInt64

        static func < (one: Place, other: Place) -> Bool {
            (one.round, one.arrival) < (other.round, other.arrival)
        }
    }

    /// Somebody in the queue.
    struct Entry: Comparable {
        let place: Place
        let number: UInt64

        static func < (one: Entry, other: Entry) -> Bool { one.place < other.place }
    }

    /// How many unanswered questions about names that nobody has answered for yet are out at a time.
    static let firstWidth = 4

    /// The names that it is for: this one, and all below it.
    let name: DomainName
    /// The next gate on the way; nil for the last one.
    let next: Int?
    /// How many it lets in.
    var width: Int
    /// How many are in.
    private(set) var inside = 0
    /// How many wait.
    private(set) var waitingCount = 0
    /// How many gates lead to this one.
    var tributaries = 0
    /// When a question here has last gone unanswered.
    private(set) var silence: NIODeadline?
    /// Those who wait, and entries of those who have gone or have got another place.
    private var entries = Heap<Entry>()

    init(name: DomainName, next: Int?, width: Int = firstWidth) {
        self.name = name
        self.next = next
        self.width = width
    }

    /// Whether somebody who comes now gets in at once.
    var isOpen: Bool { inside < width && waitingCount == 0 }

    /// Whether nothing is lost by forgetting the gate.
    var isIdle: Bool { inside == 0 && waitingCount == 0 && tributaries == 0 && silence == nil }

    mutating func letIn() { inside += 1 }

    mutating func letOut() { inside -= 1 }

    /// Takes somebody who waits.
    mutating func append(_ entry: Entry) {
        entries.insert(entry)
        waitingCount += 1
    }

    /// Takes a better place for somebody who waits.
    mutating func advance(_ entry: Entry) { entries.insert(entry) }

    /// Notes that one of those who wait has gone.
    ///
    /// The entry stays until its turn comes, or until half of all are such.
    mutating func removeOne(isCurrent: (Entry) -> Bool) {
        waitingCount -= 1
        guard entries.count > 2 * waitingCount + 16 else { return }
        entries = Heap(entries.unordered.filter(isCurrent))
    }

    /// Takes the first entry while there is room; it may be one of somebody who waits here no more.
    mutating func popFirst() -> Entry? { waitingCount > 0 && inside < width ? entries.popMin() : nil }

    /// Lets one of those who wait in.
    mutating func admitOne() {
        waitingCount -= 1
        inside += 1
    }

    // As the window of a TCP sender (RFC 5681 § 3.1): it grows with each answer, and halves when none comes.

    mutating func answered(maximumWidth: Int) { width = min(width + 1, max(maximumWidth, Self.firstWidth)) }

    mutating func unanswered(at now: NIODeadline) {
        width = max(1, width / 2)
        silence = now
    }

    /// Begins anew: it has been quiet for long enough.
    mutating func forgive() {
        silence = nil
        width = max(width, Self.firstWidth)
    }
}
