internal import DequeModule
internal import MailSyntax
internal import NIOCore

/// Decides which questions may be sent now: events in, actions out.
///
/// Every question passes up to three gates: one for the last three labels of its name, one for the last two, and one
/// for all names. The first two stop a domain with silent servers from taking everybody's room. A silence counts at the
/// wider gate only if it is the first silence at its narrower gate. So one domain does not close a suffix that many
/// share, such as `co.uk`.
///
/// A question that has gone unanswered for a while makes room, but its answer is still accepted.
struct Room {
    /// The size of the room.
    struct Size: Sendable {
        /// The most questions in flight that may soon be answered; as many again may have gone unanswered for a while.
        var inside: Int
        /// The most questions that may wait beyond the first eight of each message.
        var waiting: Int
        /// How long a question waits at most.
        var patience: TimeAmount
    }

    /// The decision about a new question.
    enum Admission: Equatable {
        /// It may be sent.
        case begins
        /// It will be sent later, or never if it leaves before.
        case waits
        /// It may not even wait.
        case refused
    }

    /// The questions whose turn has come.
    struct Turn: Equatable {
        /// The questions that may be sent.
        var begin: [QueryHandle] = []
        /// The questions that must end without an answer.
        var end: [QueryHandle] = []
    }

    private struct Guest {
        let handle: QueryHandle
        /// The first gate on the path.
        let first: Int
        var place: Gate.Place
        /// The gate at which the question waits; nil when it has passed all gates.
        var gate: Int?
        /// Whether the question has made room for others.
        var isLate = false
    }

    private struct Arrival {
        let handle: QueryHandle
        let time: NIODeadline
    }

    private struct Silence {
        let gate: Int
        let time: NIODeadline
    }

    /// How many questions of a message belong to the same round.
    private static let questionsPerRound = 8
    /// How long a silence counts.
    private static let memory = TimeAmount.seconds(60)
    /// The most silences that are remembered.
    private static let maximumSilences = 4096
    /// The gate for all names.
    private static let last = 0

    private(set) var size: Size
    private var guests: [UInt64: Guest] = [:]
    private var gates: [Gate?]
    private var free: [Int] = []
    private var index: [DomainName: Int] = [:]
    private var arrivals: UInt64 = 0
    /// The waiting questions, the oldest first, mixed with questions that no longer wait.
    private var waiting = Deque<Arrival>()
    /// The questions that have made room, the oldest first, mixed with questions that have ended.
    private var late = Deque<QueryHandle>()
    private var lateCount = 0
    /// The remembered silences, the oldest first.
    private var silences = Deque<Silence>()
    /// How many questions wait.
    private(set) var waitingCount = 0
    /// How many questions were not asked, or not for long enough, because there was no room; it only grows.
    private(set) var unserved = 0

    init(_ size: Size) {
        self.size = size
        gates = [Gate(name: .root, next: nil, width: max(1, size.inside))]
    }
}

// MARK: Events

extension Room {
    /// Adds a question.
    ///
    /// - Parameters:
    ///   - asked: how many questions the same message had asked before.
    ///   - isOptional: whether the question is given up instead of waiting.
    mutating func enter(
        _ handle: QueryHandle,
        about name: DomainName,
        asked: Int,
        isOptional: Bool,
        at now: NIODeadline
    ) -> Admission {
        let first = gate(for: name)
        let round = asked / Self.questionsPerRound
        if !isOpen(from: first), isOptional || round > 0 && waitingCount >= size.waiting {
            if !isOptional { unserved += 1 }
            dispose(first)
            return .refused
        }
        arrivals += 1
        let place = Gate.Place(round: round, arrival: arrivals)
        guests[handle.number] = Guest(handle: handle, first: first, place: place, gate: first)
        if pass(handle.number, from: first) { return .begins }
        waitingCount += 1
        waiting.append(Arrival(handle: handle, time: now))
        return .waits
    }

    /// Ends a question; an answer makes the gates on its path wider.
    mutating func leave(_ handle: QueryHandle, isAnswered: Bool = false) -> Turn {
        guard let guest = guests.removeValue(forKey: handle.number) else { return Turn() }
        if let gate = guest.gate {
            unserved += 1
            removeWaiting(at: gate)
        }
        if guest.isLate { removeLate() } else { letOut(guest) }
        if isAnswered { noteAnswer(from: guest.first) }
        return turn(from: guest.first)
    }

    /// Lets others in, because a question has gone unanswered for long enough.
    mutating func linger(_ handle: QueryHandle, at now: NIODeadline) -> Turn {
        guard var guest = guests[handle.number], guest.gate == nil, !guest.isLate else { return Turn() }
        letOut(guest)
        guest.isLate = true
        guests[handle.number] = guest
        noteSilence(from: guest.first, at: now)
        late.append(handle)
        lateCount += 1
        var turn = turn(from: guest.first)
        if lateCount > size.inside, let oldest = oldestLate() {
            unserved += 1
            turn.end.append(oldest)
        }
        return turn
    }

    /// Notes that another message wants the same answer; its turn may come earlier.
    mutating func join(_ handle: QueryHandle, asked: Int) {
        guard let guest = guests[handle.number], let gate = guest.gate else { return }
        let round = asked / Self.questionsPerRound
        guard round < guest.place.round else { return }
        guests[handle.number]?.place.round = round
        let place = Gate.Place(round: round, arrival: guest.place.arrival)
        gates[gate]?.advance(Gate.Entry(place: place, number: handle.number))
    }

    /// Notes that time has passed: questions that have waited too long must end, and old silences are forgotten.
    mutating func tick(at now: NIODeadline) -> Turn {
        var turn = Turn()
        while let oldest = oldestWaiting(), oldest.time + size.patience <= now {
            waiting.removeFirst()
            turn.end.append(oldest.handle)
        }
        while let oldest = silences.first, oldest.time + Self.memory <= now { forgive(silences.removeFirst()) }
        return turn
    }

    /// Changes the size.
    mutating func resize(_ size: Size) -> Turn {
        self.size = size
        gates[Self.last]?.width = max(1, size.inside)
        return turn(from: Self.last)
    }
}

// MARK: State

extension Room {
    /// Whether a question has not been sent yet.
    func isWaiting(_ handle: QueryHandle) -> Bool { guests[handle.number]?.gate != nil }

    /// How long the oldest waiting question has waited.
    mutating func longestWait(at now: NIODeadline) -> TimeAmount {
        oldestWaiting().map { now - $0.time } ?? .zero
    }

    /// How many gates exist.
    var gateCount: Int { gates.count - free.count }

    /// The name, most often of two labels, that most of the waiting questions ask about; nil when no question waits.
    var mostWanted: (name: DomainName, count: Int)? {
        var counts: [Int: Int] = [:]
        for (position, gate) in gates.enumerated() where position != Self.last {
            guard let gate, gate.waitingCount > 0 else { continue }
            let widest = if let next = gate.next, next != Self.last { next } else { position }
            counts[widest, default: 0] += gate.waitingCount
        }
        guard let most = counts.max(by: { $0.value < $1.value }), let gate = gates[most.key] else { return nil }
        return (gate.name, most.value)
    }

    private mutating func oldestWaiting() -> Arrival? {
        while let oldest = waiting.first {
            if isWaiting(oldest.handle) { return oldest }
            waiting.removeFirst()
        }
        return nil
    }

    private mutating func oldestLate() -> QueryHandle? {
        while let oldest = late.popFirst() {
            if isLate(oldest) { return oldest }
        }
        return nil
    }

    private func isLate(_ handle: QueryHandle) -> Bool { guests[handle.number]?.isLate ?? false }

    /// Removes a waiting question that has already been forgotten.
    private mutating func removeWaiting(at position: Int) {
        waitingCount -= 1
        if waiting.count > 2 * waitingCount + 64 { waiting = Deque(waiting.filter { isWaiting($0.handle) }) }
        var gate = gates[position]
        // The gate is taken out of the array, so that it is not copied.
        gates[position] = nil
        gate?.removeOne { isCurrent($0, at: position) }
        gates[position] = gate
    }

    private mutating func removeLate() {
        lateCount -= 1
        if late.count > 2 * lateCount + 64 { late = Deque(late.filter { isLate($0) }) }
    }
}

// MARK: Answers and silence

extension Room {
    private mutating func noteAnswer(from first: Int) {
        var position = first
        while position != Self.last, let next = gates[position]?.next {
            gates[position]?.answered(maximumWidth: size.inside)
            position = next
        }
    }

    private mutating func noteSilence(from first: Int, at now: NIODeadline) {
        let isKnown = gates[first]?.silence != nil
        var position = first
        while position != Self.last, let next = gates[position]?.next {
            gates[position]?.unanswered(at: now)
            silences.append(Silence(gate: position, time: now))
            if isKnown { break }
            position = next
        }
        while silences.count > Self.maximumSilences { forgive(silences.removeFirst()) }
    }

    private mutating func forgive(_ silence: Silence) {
        guard gates[silence.gate]?.silence == silence.time else { return }
        gates[silence.gate]?.forgive()
        dispose(silence.gate)
    }
}

// MARK: Gates

extension Room {
    /// The first gate on the path of questions about a name.
    private mutating func gate(for name: DomainName) -> Int {
        let (wide, narrow) = Self.labels(of: name)
        let outer = gate(named: name.suffix(wide), next: Self.last)
        return name.labelCount > wide ? gate(named: name.suffix(narrow), next: outer) : outer
    }

    /// How many labels usually name one owner's domain, and how many may name another owner's domain below it.
    private static func labels(of name: DomainName) -> (wide: Int, narrow: Int) {
        // A label of the reverse tree is an octet or half an octet: by 16 and 24 bits of an IPv4 address (RFC 1035 § 3.5),
        // and by 32 and 48 of an IPv6 address (RFC 3596 § 2.5).
        if name.isSubdomain(of: reverseIPv4) { return (4, 5) }
        if name.isSubdomain(of: reverseIPv6) { return (10, 14) }
        return (2, 3)
    }

    private static let reverseIPv4 = IPAddress.v4(IPv4Address(0)).reverseName.suffix(2)
    private static let reverseIPv6 = IPAddress.v6(IPv6Address(high: 0, low: 0)).reverseName.suffix(2)

    private mutating func gate(named name: DomainName, next: Int) -> Int {
        if let known = index[name] { return known }
        let gate = Gate(name: name, next: next)
        gates[next]?.tributaries += 1
        let position: Int
        if let reused = free.popLast() {
            gates[reused] = gate
            position = reused
        } else {
            position = gates.count
            gates.append(gate)
        }
        index[name] = position
        return position
    }

    /// Removes the gates along a path that are no longer needed.
    private mutating func dispose(_ first: Int) {
        var position: Int? = first
        while let current = position, current != Self.last, let gate = gates[current], gate.isIdle {
            gates[current] = nil
            free.append(current)
            index[gate.name] = nil
            position = gate.next
            if let next = gate.next { gates[next]?.tributaries -= 1 }
        }
    }

    private func isOpen(from first: Int) -> Bool {
        var position: Int? = first
        while let current = position, let gate = gates[current] {
            guard gate.isOpen else { return false }
            position = gate.next
        }
        return true
    }

    private func isCurrent(_ entry: Gate.Entry, at gate: Int) -> Bool {
        guests[entry.number].map { $0.gate == gate && $0.place == entry.place } ?? false
    }

    /// Moves a question through the open gates; it waits at the first gate that is not open.
    ///
    /// - Returns: whether the question has passed all gates.
    private mutating func pass(_ number: UInt64, from first: Int) -> Bool {
        var position: Int? = first
        while let current = position {
            guard gates[current]?.isOpen ?? false else {
                wait(number, at: current)
                return false
            }
            gates[current]?.letIn()
            position = gates[current]?.next
        }
        guests[number]?.gate = nil
        return true
    }

    private mutating func wait(_ number: UInt64, at gate: Int) {
        guard let place = guests[number]?.place else { return }
        guests[number]?.gate = gate
        gates[gate]?.append(Gate.Entry(place: place, number: number))
    }

    /// Takes a question out of the gates that it has passed.
    private mutating func letOut(_ guest: Guest) {
        var position: Int? = guest.first
        while let current = position, current != guest.gate {
            gates[current]?.letOut()
            position = gates[current]?.next
        }
    }

    /// Admits the questions for which there is room now, from the narrowest gate of a path to the last.
    private mutating func turn(from first: Int) -> Turn {
        var turn = Turn()
        var position: Int? = first
        while let current = position {
            let next = gates[current]?.next
            while let entry = gates[current]?.popFirst() {
                guard isCurrent(entry, at: current), let guest = guests[entry.number] else { continue }
                gates[current]?.admitOne()
                if let next {
                    wait(entry.number, at: next)
                } else {
                    guests[entry.number]?.gate = nil
                    waitingCount -= 1
                    turn.begin.append(guest.handle)
                }
            }
            position = next
        }
        dispose(first)
        return turn
    }
}
