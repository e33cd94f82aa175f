public import AggregateReports
public import MailSyntax

/// Sends the reports whose time has come, one after the other.
///
/// One at a time, because the mail server of this host takes a report in milliseconds; when it hangs, it hangs for all.
/// Nothing is held in the database meanwhile.
public final class ReportSender {
    /// What is outside of this process.
    public struct Surroundings: Sendable {
        /// Whether a destination wants the reports of a policy domain.
        public var verify: @Sendable (_ domain: DomainName, ReportDestination) async -> DestinationOutcome
        /// Hands a message to the mail server.
        public var send: @Sendable (_ recipient: String, _ message: [UInt8]) async -> DeliveryOutcome
        /// The time.
        public var now: @Sendable () -> UnixTime

        /// The surroundings.
        ///
        /// - Parameters:
        ///   - verify: says whether a destination wants the reports of a policy domain.
        ///   - send: hands a message to the mail server.
        ///   - now: the time.
        public init(
            verify: @escaping @Sendable (_ domain: DomainName, ReportDestination) async -> DestinationOutcome,
            send: @escaping @Sendable (_ recipient: String, _ message: [UInt8]) async -> DeliveryOutcome,
            now: @escaping @Sendable () -> UnixTime
        ) {
            self.verify = verify
            self.send = send
            self.now = now
        }
    }

    /// What was done in a turn.
    public enum Turn: Sendable, Equatable {
        /// A report was tried.
        case tried(ReportAttempt)
        /// There is nothing to do before that time; nil where nothing is known to come.
        case idle(until: UnixTime?)
        /// The host of the destination gets no more before that time; others do.
        case postponed(host: String, until: UnixTime)
        /// Another process is sending.
        case held
    }

    /// How long nothing is sent after the mail server took nothing, in seconds.
    private static let pause: Int64 = 60
    /// How many destinations are verified at once, so that name servers which do not answer hold up few reports.
    static let verifiedAtOnce = 16
    /// How long an answer about a destination waits for its report to go, in seconds.
    private static let verificationAge: Int64 = 300

    private let store: Store
    private let settings: ReportSettings
    private let surroundings: Surroundings
    private var budget: SendingBudget
    /// Until when the mail server is left alone.
    private var rest = UnixTime(0)
    /// What is known of the destinations of the next reports, by the numbers of the deliveries.
    private var verified: [Int64: DestinationOutcome] = [:]
    /// When that was asked.
    private var verifiedAt = UnixTime(0)

    /// A sender.
    ///
    /// - Parameters:
    ///   - store: the store, over a connection that nobody else uses.
    ///   - settings: who sends, and how many.
    ///   - surroundings: what is outside.
    ///   - keepsToWindow: whether reports wait for their hours.
    public init(
        _ store: Store,
        _ settings: ReportSettings,
        _ surroundings: Surroundings,
        keepsToWindow: Bool = true
    ) throws(StoreError) {
        self.store = store
        self.settings = settings
        self.surroundings = surroundings
        let now = surroundings.now()
        budget = SendingBudget(settings, keepsToWindow: keepsToWindow, spent: try store.spent(on: now), now: now)
    }

    /// Sends the next report that is due; puts it off where its host gets no more.
    public func turn() async throws(StoreError) -> Turn {
        let now = surroundings.now()
        // A clock that is set back does not make the pause longer.
        guard now >= rest || rest > now + Self.pause else { return .idle(until: rest) }
        guard let delivery = try store.dueDeliveries(at: now, limit: 1).first else {
            return .idle(until: try store.nextDue())
        }
        switch budget.decision(for: delivery.host, now: now) {
        case .now:
            try await verifyAhead(of: delivery, now: now)
            return try await attempt(delivery.id)
        case .pause(let until): return .idle(until: until)
        case .postpone(let until):
            try store.postpone(delivery, to: until)
            return .postponed(host: delivery.host, until: until)
        }
    }

    /// Sends a report that may not be due; waits for as long as the rate wants it.
    ///
    /// - Parameter id: the number of the delivery.
    public func send(_ id: Int64) async throws(StoreError) -> Turn {
        guard let delivery = try store.delivery(id), delivery.state.isOpen else { return .idle(until: nil) }
        switch budget.decision(for: delivery.host, now: surroundings.now()) {
        case .now: return try await attempt(id)
        case .pause(let until): return .idle(until: until)
        case .postpone(let until): return .postponed(host: delivery.host, until: until)
        }
    }

    /// Verifies the destinations of the next reports at once, unless that was done lately for this one.
    private func verifyAhead(of delivery: Delivery, now: UnixTime) async throws(StoreError) {
        let isFresh = verifiedAt <= now && now < verifiedAt + Self.verificationAge
        guard !isFresh || verified[delivery.id] == nil else { return }
        let next = try store.dueDeliveries(at: now, limit: Self.verifiedAtOnce)
        verifiedAt = now
        verified = await withTaskGroup(of: (Int64, DestinationOutcome).self) { [verify = surroundings.verify] group in
            for delivery in next {
                guard let named = delivery.named else { continue }
                let (id, domain) = (delivery.id, delivery.report.policy.domain)
                group.addTask { (id, await verify(domain, named)) }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
    }

    private func attempt(_ id: Int64) async throws(StoreError) -> Turn {
        guard let lock = try DeliveryLock(beside: store.path) else { return .held }
        defer { withExtendedLifetime(lock) {} }
        // It is read again: another process may have sent it.
        guard let delivery = try store.delivery(id), delivery.state.isOpen else {
            return .idle(until: surroundings.now())
        }
        let outcome = try await outcome(of: delivery)
        let now = surroundings.now()
        if case .unavailable = outcome { rest = now + Self.pause }
        let step = DeliveryStep(
            outcome,
            attempts: delivery.attempts + 1,
            began: delivery.began ?? now,
            settings.window,
            now: now
        )
        try store.finish(delivery, outcome, step, now: now)
        return .tried(ReportAttempt(delivery, step))
    }

    private func outcome(of delivery: Delivery) async throws(StoreError) -> DeliveryOutcome {
        let now = surroundings.now()
        let stop = try store.suppression(of: delivery.suppressionKey, host: delivery.host, at: now)
        if let stop { return .withheld(.suppressed, stop.text) }
        let domain = delivery.report.policy.domain
        if settings.excludes(domain) { return .withheld(.suppressed, Delivery.exclusion) }
        guard let named = delivery.named, let identity = delivery.report.identity(settings) else {
            return .withheld(.unauthorized, "the destination cannot be used")
        }
        if named.isRoute { return .withheld(.unauthorized, Delivery.route) }
        let recipient: ReportDestination
        switch await verification(of: delivery, domain, named) {
        case .own: recipient = named
        case .verified(let other): recipient = other
        case .refused(let why): return .withheld(.unauthorized, why)
        case .undecided: return .unverified
        }
        if let obstacle = try obstacle(to: recipient, delivery, now: now) { return obstacle }
        guard let file = try store.file(of: delivery.report, identity) else {
            return .withheld(.givenUp, "its rows are gone")
        }
        if file.damaged > 0 { try store.noteDamage(of: delivery.report, rows: file.damaged) }
        let message = ReportMessage(identity, file: file.octets, to: recipient, date: delivery.began ?? now).octets
        let limit = [named.limit, recipient.limit].compactMap { $0 }.min() ?? .max
        guard message.count <= limit else {
            return .withheld(.tooLarge, "\(message.count) octets, and the record allows \(limit)")
        }
        try store.begin(delivery, to: recipient.address, settings.window, now: now)
        budget.spend(on: delivery.host, now: now)
        return await surroundings.send(recipient.address, message)
    }

    private func verification(
        of delivery: Delivery,
        _ domain: DomainName,
        _ destination: ReportDestination
    ) async -> DestinationOutcome {
        if let known = verified.removeValue(forKey: delivery.id) { return known }
        return await surroundings.verify(domain, destination)
    }

    /// What keeps a report from the address that the host of its destination names.
    private func obstacle(
        to recipient: ReportDestination,
        _ delivery: Delivery,
        now: UnixTime
    ) throws(StoreError) -> DeliveryOutcome? {
        let key = AddressKey.key(recipient.address)
        if let stop = try store.suppression(of: key, host: delivery.host, at: now) {
            return .withheld(.suppressed, "\(recipient.address) \(stop.text)")
        }
        guard try store.isServed(recipient.address, apartFrom: delivery) else { return nil }
        return .withheld(.suppressed, "it goes to \(recipient.address) for another destination")
    }
}
