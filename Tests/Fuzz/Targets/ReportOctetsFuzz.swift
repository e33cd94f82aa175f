internal import AggregateReports

/// Reads an input as a row and a policy of reports, and as a destination; what was read is written again as it was.
func fuzzReportOctets(_ start: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let octets = unsafe input(start, count)
    if let record = ReportRecord(octets: octets) {
        expect(record.octets == octets)
        expect(ReportRecord(octets: record.folded.octets) == record.folded)
        expect(!ReportDocument.row(record, count: 1).contains(0))
        Outcomes.count("row")
    }
    if let policy = PolicyConfiguration(octets: octets) {
        expect(policy.octets == octets)
        Outcomes.count("policy")
    }
    if let destination = ReportDestination(String(decoding: octets, as: UTF8.self)) {
        expect(!destination.address.utf8.contains { $0 <= 0x20 || $0 == 0x7F || "<>,".utf8.contains($0) })
        Outcomes.count("destination")
    }
    return 0
}
