internal import AggregateReports
internal import FoundationEssentials
internal import GRDB
public import MailSyntax

/// Who sends reports, and when.
public struct ReportSettings: Sendable {
    /// The name of the reporting organization.
    public var organization: String
    /// Its address: the sender of reports, and whom to ask.
    public var address: String
    /// When reports are sent.
    public var window = SendingWindow.always
    /// How many are sent in a minute.
    public var rate = 30
    /// How many are sent on a day.
    public var perDay = 10_000
    /// How many of them to one host.
    public var perHost = 2000
    /// How many about the domains of one owner are made of a day: somebody with thousands of subdomains, each with a record,
    /// would otherwise use up what all others have.
    var perOwner: Int { max(10, perDay / 20) }
    /// Whether a policy domain gets none.
    public var excludes: @Sendable (DomainName) -> Bool = { _ in false }

    /// The settings of an organization.
    ///
    /// - Parameters:
    ///   - organization: its name.
    ///   - address: its address.
    public init(organization: String, address: String) {
        self.organization = organization
        self.address = address
    }
}

extension Store {
    /// How many reports are looked at in one transaction.
    private static let planStep = 200
    /// How long a message that passed DMARC is remembered, in seconds.
    static let gateMemory: Int64 = 30 * ReportDay.length

    /// Says of the reports of closed days what becomes of them, and when they go.
    ///
    /// - Parameters:
    ///   - settings: who sends them, and when.
    ///   - now: the time.
    ///   - isStopped: asked between two steps.
    public func planReports(
        _ settings: ReportSettings,
        now: UnixTime,
        isStopped: () -> Bool = { false }
    ) throws(StoreError) {
        var rest = try read { try $0.unplannedReports() }[...]
        while !rest.isEmpty, !isStopped() {
            let step = rest.prefix(Self.planStep)
            rest = rest.dropFirst(Self.planStep)
            try write { database in
                let closed = try database.lastClosedDay()
                for id in step { try database.plan(id, closed: closed, settings, now: now) }
            }
        }
    }
}

extension Database {
    /// The reports of closed days of which nothing is said, those with the most messages first: of an owner with many, they
    /// go.
    fileprivate func unplannedReports() throws -> [Int64] {
        let sql = """
            SELECT id FROM report WHERE state = 'open' AND (day <= ? OR day > ?) ORDER BY day, messages DESC, id
            """
        return try Int64.fetchAll(self, sql: sql, arguments: [lastClosedDay(), ReportDay.valid.upperBound])
    }

    /// Says what becomes of a report of a closed day, and sets it aside where it is damaged.
    fileprivate func plan(_ id: Int64, closed: Int, _ settings: ReportSettings, now: UnixTime) throws {
        let found: StoredReport?
        do {
            found = try report(id)
        } catch let problem where StoreError.isAboutRow(problem) {
            return try setAside(report: id, StoreError(problem), closed: closed)
        }
        // Another process may have been faster.
        guard let found, found.state == .open, found.day <= closed else { return }
        try plan(found, settings, now: now)
    }

    /// Sets a damaged report aside, and says so; `closed` is its day where that cannot be read.
    private func setAside(report id: Int64, _ problem: StoreError, closed: Int) throws {
        let day = ReportDay.valid.contains(closed) ? closed : 0
        try execute(
            sql: """
                UPDATE report SET state = ?1, kept = 1, hash = iif(day BETWEEN 0 AND ?2, hash, randomblob(16)),
                day = iif(day BETWEEN 0 AND ?2, day, ?3) WHERE id = ?4
                """,
            arguments: [ReportState.damaged.rawValue, ReportDay.valid.upperBound, day, id]
        )
        try note("a report does not go: \(problem)")
    }

    /// Says what becomes of a report of a closed day.
    private func plan(_ report: StoredReport, _ settings: ReportSettings, now: UnixTime) throws {
        var state = try outlook(of: report, settings, now: now)
        if state == .made, try hasOwnerEnough(report, settings) { state = .limited }
        let identity = ReportIdentity(
            organization: settings.organization,
            address: settings.address,
            day: report.day,
            policy: report.policy
        )
        // The name and the address stay with it: sent again, it must be the same.
        try execute(
            sql: "UPDATE report SET state = ?, organization = ?, address = ? WHERE id = ?",
            arguments: [state.rawValue, settings.organization, settings.address, report.id]
        )
        guard state == .made, let identity else { return }
        for (index, destination) in report.policy.destinations.enumerated() {
            let due = settings.window.point(after: now, Self.fraction(identity.id, index))
            let state = destination.isRoute ? DeliveryState.unauthorized : .waiting
            try cachedStatement(
                sql: "INSERT INTO report_delivery VALUES (NULL, ?, ?, ?, ?, ?, NULL, NULL, 0, NULL, ?)"
            ).execute(
                arguments: [
                    report.id, destination.address, destination.host.description, state.rawValue,
                    state.isOpen ? due.seconds : nil, destination.isRoute ? Delivery.route : nil,
                ]
            )
        }
    }

    /// What becomes of a report when its day is closed.
    func outlook(of report: StoredReport, _ settings: ReportSettings, now: UnixTime) throws -> ReportState {
        if settings.excludes(report.policy.domain) { return .excluded }
        if report.causing == 0 { return .uncaused }
        return try passed(report.domain, since: now + -Store.gateMemory) ? .made : .gated
    }

    /// Whether the owner of a report's domain gets so many others of the day that this one is too many.
    private func hasOwnerEnough(_ report: StoredReport, _ settings: ReportSettings) throws -> Bool {
        let statement = try cachedStatement(
            sql: """
                SELECT count(*) FROM report_delivery WHERE report IN
                (SELECT id FROM report WHERE day = ? AND owner = ? AND state = 'made') AND state <> 'not authorized'
                """
        )
        let others = try Int.fetchOne(statement, arguments: [report.day, report.owner]) ?? 0
        return others + report.policy.destinations.count { !$0.isRoute } > settings.perOwner
    }

    /// Whether a message of a policy domain has passed DMARC.
    private func passed(_ domain: String, since: UnixTime) throws -> Bool {
        let find = "SELECT 1 FROM report_gate WHERE domain = ? AND passed BETWEEN ? AND ?"
        let statement = try cachedStatement(sql: find)
        let end = ReportDay.validSeconds.upperBound
        return try Int.fetchOne(statement, arguments: [domain, since.seconds, end]) != nil
    }

    /// A number from 0 up to, and without, 1 that follows from a report and the place of its destination, so that
    /// reports spread evenly over the window.
    private static func fraction(_ identifier: String, _ index: Int) -> Double {
        let number = UInt64(identifier.prefix(8), radix: 16) ?? 0
        // The fractional part of the golden ratio spreads a sequence evenly.
        return (Double(number) / 0x1_0000_0000 + Double(index) * 0.618_033_988_749_895).truncatingRemainder(
            dividingBy: 1
        )
    }
}
