internal import AggregateReports
internal import FoundationEssentials
internal import GRDB
internal import MailSyntax

/// A report on its way to a destination.
struct Delivery {
    let id: Int64
    let report: StoredReport
    /// The address that the policy names.
    let destination: String
    let host: String
    let state: DeliveryState
    /// How many attempts there were.
    let attempts: Int
    /// When the first attempt was; nil before.
    let began: UnixTime?
    /// The address of the last attempt, which the destination may have named.
    let recipient: String?
    /// Why its state is what it is.
    let detail: String?
    /// When it is tried next; nil where nothing remains to be done.
    let due: UnixTime?
    /// When the last attempt was.
    let last: UnixTime?

    /// A row of the table, with all its columns.
    ///
    /// - Throws: an error about the row where it cannot be what was written.
    init(_ row: Row, _ report: StoredReport) throws {
        self.report = report
        let id = try row.decode(Int64.self, forColumn: "id")
        func time(_ column: String) throws -> UnixTime? {
            guard let seconds = try row.decode(Int64?.self, forColumn: column) else { return nil }
            guard ReportDay.validSeconds.contains(seconds) else {
                throw StoreError.damaged("a time of delivery \(id)")
            }
            return UnixTime(seconds)
        }
        self.id = id
        destination = try row.decode(forColumn: "destination")
        host = try row.decode(forColumn: "host")
        attempts = try row.decode(forColumn: "attempts")
        guard 0...1_000_000 ~= attempts else { throw StoreError.damaged("the attempts of delivery \(id)") }
        began = try time("began")
        last = try time("last")
        due = try time("due")
        recipient = try row.decode(forColumn: "recipient")
        detail = try row.decode(forColumn: "detail")
        guard let state = try DeliveryState(rawValue: row.decode(forColumn: "state")) else {
            throw StoreError.damaged("the state of delivery \(id)")
        }
        self.state = state
    }

    /// The destination as the policy names it; nil where it can no longer be read.
    var named: ReportDestination? { report.policy.destinations.first { $0.address == destination } }

    /// Why a report on an excluded domain does not go.
    static let exclusion = "[reports] exclude has the domain"

    /// Why a report does not go to an address that asks for a way to another host.
    static let route = "the address asks a mail server to pass mail on (% or ! before the @)"

    /// Under which name reports to it are stopped.
    var suppressionKey: String { AddressKey.key(destination) }
}

extension Store {
    /// The next deliveries whose time has come.
    ///
    /// Damaged ones are set aside.
    func dueDeliveries(at now: UnixTime, limit: Int) throws(StoreError) -> [Delivery] {
        let sql = "SELECT id FROM report_delivery WHERE due <= ? ORDER BY due, id LIMIT ?"
        let next = try read { try Int64.fetchAll($0, sql: sql, arguments: [now.seconds, limit]) }
        var found = [Delivery]()
        for id in next {
            if let delivery = try delivery(id) { found.append(delivery) }
        }
        return found.isEmpty && !next.isEmpty ? try dueDeliveries(at: now, limit: limit) : found
    }

    /// When the next delivery is due; nil when there is none.
    func nextDue() throws(StoreError) -> UnixTime? {
        let sql = "SELECT min(due) FROM report_delivery WHERE due < ?"
        return try read {
            try Int64.fetchOne($0, sql: sql, arguments: [ReportDay.validSeconds.upperBound]).map { UnixTime($0) }
        }
    }

    /// A delivery as it is now; nil when it is gone, or damaged: then it is set aside.
    func delivery(_ id: Int64) throws(StoreError) -> Delivery? {
        let sql = "SELECT * FROM report_delivery WHERE id = ?"
        let found: Result<Delivery?, StoreError> = try read { database in
            do {
                let row = try Row.fetchOne(database, sql: sql, arguments: [id])
                return .success(try row.map { try database.delivery($0) })
            } catch let problem where StoreError.isAboutRow(problem) {
                return .failure(StoreError(problem))
            }
        }
        switch found {
        case .success(let delivery): return delivery
        case .failure(let problem):
            try write { try $0.setAside(delivery: id, problem) }
            return nil
        }
    }

    /// The deliveries that are not done, of reports that meet a filter.
    public func openDeliveries(_ filter: ReportFilter) throws(StoreError) -> [Int64] {
        try read { database in
            try Int64.fetchAll(
                database,
                sql: """
                    SELECT d.id FROM report_delivery AS d JOIN report AS r ON r.id = d.report
                    WHERE d.due IS NOT NULL AND (?1 IS NULL OR r.day = ?1) AND (?2 IS NULL OR r.domain = ?2)
                    ORDER BY d.due, d.id
                    """,
                arguments: [filter.day, filter.domain?.description]
            )
        }
    }

    /// How many reports went to each host on the day of a time.
    func spent(on now: UnixTime) throws(StoreError) -> [String: Int] {
        let start = ReportDay.start(ReportDay.of(now))
        let end = ReportDay.validSeconds.upperBound
        return try read { database in
            let sql = """
                SELECT CAST(host AS TEXT) AS name, count(*) FROM report_delivery WHERE last BETWEEN ? AND ? GROUP BY name
                """
            var hosts: [String: Int] = [:]
            for row in try Row.fetchAll(database, sql: sql, arguments: [start.seconds, end]) {
                hosts[try row.decode(atIndex: 0)] = try row.decode(atIndex: 1)
            }
            return hosts
        }
    }

    /// Whether a report goes, or went, to an address for another destination of its policy.
    ///
    /// A host may name one address for all of them.
    func isServed(_ recipient: String, apartFrom delivery: Delivery) throws(StoreError) -> Bool {
        try read {
            let sql = """
                SELECT 1 FROM report_delivery WHERE report = ? AND id <> ? AND recipient = ? COLLATE NOCASE
                AND state IN ('sending', 'sent', 'deferred')
                """
            return try Int.fetchOne($0, sql: sql, arguments: [delivery.report.id, delivery.id, recipient]) != nil
        }
    }

    /// Puts a delivery off.
    func postpone(_ delivery: Delivery, to due: UnixTime) throws(StoreError) {
        try write {
            try $0.execute(
                sql: "UPDATE report_delivery SET due = ? WHERE id = ? AND due IS NOT NULL",
                arguments: [due.seconds, delivery.id]
            )
        }
    }

    /// Says, before the connection, that a report is being sent.
    ///
    /// It counts as an attempt, with a pause behind it, or a program that ends each time would send it each time.
    ///
    /// - Parameters:
    ///   - delivery: the report and its destination.
    ///   - recipient: where it goes.
    ///   - window: when reports are sent.
    ///   - now: the time.
    func begin(_ delivery: Delivery, to recipient: String, _ window: SendingWindow, now: UnixTime) throws(StoreError) {
        let attempts = delivery.attempts + 1
        let due = DeliveryStep.next(attempts: attempts, window, now: now)
        try write {
            try $0.execute(
                sql: """
                    UPDATE report_delivery
                    SET state = ?, recipient = ?, began = ifnull(began, ?), last = ?, attempts = ?, due = ? WHERE id = ?
                    """,
                arguments: [
                    DeliveryState.sending.rawValue, recipient, now.seconds, now.seconds, attempts, due.seconds,
                    delivery.id,
                ]
            )
        }
    }

    /// Writes what became of an attempt, and what follows for the destination.
    func finish(_ delivery: Delivery, _ outcome: DeliveryOutcome, _ step: DeliveryStep, now: UnixTime)
        throws(StoreError)
    {
        try write { database in
            try database.execute(
                sql: """
                    UPDATE report_delivery
                    SET state = ?, due = ?, detail = ?, began = ifnull(began, ?), attempts = ? WHERE id = ?
                    """,
                arguments: [
                    step.state.rawValue, step.due?.seconds, step.detail.map { TextTable.printable($0, limit: 300) },
                    now.seconds, delivery.attempts + 1, delivery.id,
                ]
            )
            switch outcome {
            case .unavailable: try database.markFirst(.away, now)
            case .accepted, .refused, .deferred: try database.unmark(.away)
            case .unverified, .withheld: break
            }
            guard let key = try database.recipient(of: delivery.id).map({ AddressKey.key($0) }) else { return }
            switch outcome {
            case .accepted: try database.endSuppression(ofRefusing: key)
            case .refused(let reply): try database.suppress(refusing: key, reply, now: now)
            case .deferred, .unavailable, .unverified, .withheld: break
            }
        }
    }
}

extension Database {
    /// The address of the last attempt.
    fileprivate func recipient(of delivery: Int64) throws -> String? {
        try String.fetchOne(self, sql: "SELECT recipient FROM report_delivery WHERE id = ?", arguments: [delivery])
    }

    /// Sets a damaged delivery aside, and says so.
    fileprivate func setAside(delivery id: Int64, _ problem: StoreError) throws {
        try execute(
            sql: """
                UPDATE report_delivery SET state = ?, due = NULL, began = NULL, last = NULL, attempts = 0, recipient = NULL,
                destination = CAST(destination AS TEXT), host = CAST(host AS TEXT), detail = ? WHERE id = ?
                """,
            arguments: [DeliveryState.damaged.rawValue, "it cannot be read", id]
        )
        try note("a report does not go to its destination: \(problem)")
    }

    /// The delivery of a row of the table, with its report.
    func delivery(_ row: Row) throws -> Delivery {
        let find = try cachedStatement(sql: "SELECT * FROM report WHERE id = ?")
        guard let report = try Row.fetchOne(find, arguments: [row.decode(Int64.self, forColumn: "report")]) else {
            throw StoreError.damaged("a delivery without its report")
        }
        return try Delivery(row, StoredReport(report))
    }
}
