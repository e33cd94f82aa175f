internal import HeapModule
internal import MailSyntax
internal import NIOCore

/// Lets a limited number of questions through at a time; further questions wait before the gate.
struct Gate {
    /// The order of admission: a message's first questions come before the later questions of any other message.
    struct Place: Comparable {
        /// The number of complete groups of eight questions that the message has asked.
        var round: Int
        /// The order of arrival.
        let arrival: UInt64

        static func < (one: Place, other: Place) -> Bool {
            (one.round, one.arrival) < (other.round, other.arrival)
        }
    }

    /// A question in the queue.
    struct Entry: Comparable {
        let place: Place
        let number: UInt64

        static func < (one: Entry, other: Entry) -> Bool { one.place < other.place }
    }

    /// How many unanswered questions may be in flight at a time about names for which no answer has come yet.
    static let firstWidth = 4

    /// The names that the gate covers: this name and all names below it.
    let name: DomainName
    /// The next gate on the path; nil for the last gate.
    let next: Int?
    /// How many questions may be inside at a time.
    var width: Int
    /// How many questions are inside.
    private(set) var inside = 0
    /// How many questions wait.
    private(set) var waitingCount = 0
    /// How many gates lead to this gate.
    var tributaries = 0
    /// When a question here last went unanswered.
    private(set) var silence: NIODeadline?
    /// The waiting questions, and stale entries of questions that have gone or have a better place.
    private var entries = Heap<Entry>()

    init(name: DomainName, next: Int?, width: Int = firstWidth) {
        self.name = name
        self.next = next
        self.width = width
    }

    /// Whether a new question gets in at once.
    var isOpen: Bool { inside < width && waitingCount == 0 }

    /// Whether the gate can be forgotten without loss.
    var isIdle: Bool { inside == 0 && waitingCount == 0 && tributaries == 0 && silence == nil }

    mutating func letIn() { inside += 1 }

    mutating func letOut() { inside -= 1 }

    /// Adds a waiting question.
    mutating func append(_ entry: Entry) {
        entries.insert(entry)
        waitingCount += 1
    }

    /// Gives a waiting question a better place.
    mutating func advance(_ entry: Entry) { entries.insert(entry) }

    /// Notes that a waiting question has gone.
    ///
    /// Its entry stays until its turn comes, or until half of all entries are stale.
    mutating func removeOne(isCurrent: (Entry) -> Bool) {
        waitingCount -= 1
        guard entries.count > 2 * waitingCount + 16 else { return }
        entries = Heap(entries.unordered.filter(isCurrent))
    }

    /// Takes the first entry while there is room; the entry may be stale.
    mutating func popFirst() -> Entry? { waitingCount > 0 && inside < width ? entries.popMin() : nil }

    /// Admits one of the waiting questions.
    mutating func admitOne() {
        waitingCount -= 1
        inside += 1
    }

    // Like the window of a TCP sender (RFC 5681 § 3.1): the width grows with each answer, and halves when no answer
    // comes.

    mutating func answered(maximumWidth: Int) { width = min(width + 1, max(maximumWidth, Self.firstWidth)) }

    mutating func unanswered(at now: NIODeadline) {
        width = max(1, width / 2)
        silence = now
    }

    /// Resets the gate after it has been quiet for long enough.
    mutating func forgive() {
        silence = nil
        width = max(width, Self.firstWidth)
    }
}
