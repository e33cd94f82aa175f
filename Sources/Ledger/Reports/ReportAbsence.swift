internal import AggregateReports
internal import GRDB
internal import MailEvents
internal import MailSyntax
internal import PosternConfiguration
internal import PosternSetup

/// Why there is no report, or why nothing of it is kept.
public struct ReportAbsence: Sendable, Equatable {
    /// Why, in words.
    public let reason: String
    /// The last day of which there is one, in days since 1970; nil where there is none.
    public let otherDay: Int?
    /// The domain under which the messages of the one that was asked for are counted; nil where they are not.
    public let otherDomain: String?

    init(_ reason: String, otherDay: Int? = nil, otherDomain: String? = nil) {
        self.reason = reason
        self.otherDay = otherDay
        self.otherDomain = otherDomain
    }
}

extension Store {
    /// How many of the newest messages of a domain are looked at.
    private static let examined = 50

    /// Why no report meets a filter, or why no report that does has rows.
    ///
    /// - Parameters:
    ///   - filter: which reports.
    ///   - address: our own address for reports.
    public func absence(_ filter: ReportFilter, reportAddress address: String) throws -> ReportAbsence {
        let of = filter.day.map { " of \(ReportDay.text($0))" } ?? ""
        let on = filter.domain.map { " on \($0)" } ?? ""
        guard try reportNumbers(filter).isEmpty else {
            return ReportAbsence("the rows of the report\(on)\(of) are gone: it is done with, or older than a week")
        }
        let late = try filter.day.map { try lateMessages(of: $0) } ?? 0
        let lateness = late > 0 ? "; \(Counted.grouped(late, "message")) of that day came too late" : ""
        if let day = try lastDay(of: filter.domain) {
            return ReportAbsence("no message\(on)\(of) is counted\(lateness)", otherDay: day)
        }
        guard let domain = filter.domain else {
            return ReportAbsence("no message that asks for a report is counted\(lateness)")
        }
        let found = try absence(of: domain, address)
        return ReportAbsence(found.reason + lateness, otherDomain: found.otherDomain)
    }

    /// Since when messages are counted; nil while none are.
    func countedSince() throws(StoreError) -> UnixTime? {
        try read { try $0.value(of: .counting).map { UnixTime(Int64($0)) } }
    }

    /// How many messages of a day came too late to be counted.
    private func lateMessages(of day: Int) throws(StoreError) -> Int { try read { try $0.lateMessages(of: day) } }

    /// The last day of which a report is kept.
    private func lastDay(of domain: DomainName?) throws(StoreError) -> Int? {
        try read {
            let sql = "SELECT max(day) FROM report WHERE kept = 1 AND (?1 IS NULL OR domain = ?1)"
            return try Int.fetchOne($0, sql: sql, arguments: [domain?.description])
        }
    }

    /// Why no message of a domain is counted for a report on it, by the newest ones that are kept.
    private func absence(of domain: DomainName, _ address: String) throws -> ReportAbsence {
        var newest: StoredEvent?
        var counted: (StoredEvent, ObservedMessage)?
        for author in [MessageFilter.Domain.name(domain), .below(domain)] where newest == nil {
            var filter = MessageFilter()
            filter.author = author
            try events(filter, limit: Self.examined) { stored in
                newest = newest ?? stored
                counted = ObservedMessage(stored.event, reportAddress: address).map { (stored, $0) }
                return counted == nil
            }
        }
        guard let newest else { return ReportAbsence("no message with an author at \(domain) is kept") }
        guard let (stored, message) = counted else {
            return ReportAbsence("the last message from \(domain), of \(UTCTime(newest.time)), \(newest.event.silence)")
        }
        guard message.policy.domain == domain else {
            let other = message.policy.domain.description
            return ReportAbsence("mail from \(domain) counts under \(other), whose record applies", otherDomain: other)
        }
        let time = UTCTime(stored.time)
        let since = try countedSince()
        guard let since, stored.time < since else {
            return ReportAbsence("the last message from \(domain), of \(time), came too late for its day")
        }
        return ReportAbsence(
            "the last message from \(domain) was judged \(time), "
                + "and messages count since \(UTCTime(since))"
        )
    }
}

extension MailEvent {
    /// Why the message is counted for nobody, as the end of a sentence about it.
    fileprivate var silence: String {
        if direction != .inbound || client.trusted || client.authenticated { return "is mail of our own" }
        if verdict.stage == "rcpt" { return "was refused before DATA" }
        if verdict.action == "tempfail" { return "was told to come again" }
        guard let dmarc, dmarc.tags != nil, let domain = dmarc.domain else {
            switch dmarc?.result {
            case "temperror": return "has a DMARC record that could not be looked up"
            case "permerror": return "has a DMARC record that cannot be used"
            default: return "has no DMARC record"
            }
        }
        let record = "has a DMARC record (of \(TextTable.printable(domain, limit: 255)))"
        guard let uri = dmarc.rua.first else { return "\(record) without rua: nobody asks for reports" }
        guard dmarc.rua.allSatisfy({ ReportDestination($0) == nil }) else { return "cannot be told of" }
        return "\(record) with no usable rua: \(TextTable.printable(uri, limit: 128))"
    }
}

extension Database {
    /// How many messages of a day came too late to be counted.
    func lateMessages(of day: Int) throws -> Int {
        let find = try cachedStatement(sql: "SELECT late FROM report_day WHERE day = ?")
        return try Int.fetchOne(find, arguments: [day]) ?? 0
    }
}
