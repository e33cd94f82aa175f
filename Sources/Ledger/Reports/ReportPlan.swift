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
        let sql = "SELECT * FROM report WHERE state = 'open' AND day <= ? ORDER BY day LIMIT ?"
        while !isStopped() {
            let count = try read { database in
                try Row.fetchAll(database, sql: sql, arguments: [database.lastClosedDay(), Self.planStep]).count
            }
            guard count > 0 else { return }
            try write { database in
                let closed = try database.lastClosedDay()
                for row in try Row.fetchAll(database, sql: sql, arguments: [closed, Self.planStep]) {
                    try database.plan(StoredReport(row), settings, now: now)
                }
            }
        }
    }
}

extension Database {
    /// Says what becomes of a report of a closed day.
    fileprivate func plan(_ report: StoredReport, _ settings: ReportSettings, now: UnixTime) throws {
        let state = try outlook(of: report, settings, now: now)
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

    /// Whether a message of a policy domain has passed DMARC.
    private func passed(_ domain: String, since: UnixTime) throws -> Bool {
        let statement = try cachedStatement(sql: "SELECT passed FROM report_gate WHERE domain = ?")
        guard let passed = try Int64.fetchOne(statement, arguments: [domain]) else { return false }
        return passed >= since.seconds
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
