internal import GRDB

extension Database {
    /// What is wrong with the numbers of reports.
    func reportProblems() throws -> [String] {
        let sums = [
            (
                "reports whose rows count other messages",
                """
                SELECT count(*) FROM report AS r WHERE kept = 1 AND (messages, entries) IS NOT
                (SELECT total(count), count(*) FROM report_row WHERE report = r.id)
                """
            ),
            (
                "days whose reports count other messages",
                """
                SELECT count(*) FROM report_day AS d
                WHERE counted <> (SELECT total(messages) FROM report WHERE day = d.day)
                """
            ),
            ("reports that cannot be read", "SELECT count(*) FROM report WHERE state = 'damaged'"),
            ("destinations that cannot be read", "SELECT count(*) FROM report_delivery WHERE state = 'damaged'"),
            ("rows without a report", "SELECT count(*) FROM report_row WHERE report NOT IN (SELECT id FROM report)"),
            (
                "deliveries without a report",
                "SELECT count(*) FROM report_delivery WHERE report NOT IN (SELECT id FROM report)"
            ),
        ]
        return try sums.compactMap { what, sql in
            let count = try Int.fetchOne(self, sql: sql) ?? 0
            return count > 0 ? "\(what): \(count)" : nil
        }
    }
}
