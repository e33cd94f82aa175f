internal import DMARC
public import MailEvents
public import MailSyntax

/// What a message says to a domain's owner.
public struct ObservedMessage: Hashable, Sendable {
    /// The day on which it ended, in days since 1970, UTC.
    public let day: Int
    /// The policy that it was judged by.
    public let policy: PolicyConfiguration
    /// The Organizational Domain of the author (RFC 9989 § 4.10.2); nil where the event does not tell it.
    public let organizational: DomainName?
    /// Its row.
    public let record: ReportRecord
    /// Whether it can be the cause of a report; if not, it is counted in a report that another message causes.
    ///
    /// Bounces, automatic answers and reports cause none, or two hosts would report each other's reports forever.
    public let mayCause: Bool
    /// Whether it passed DMARC: only then is the owner known to send mail here, and worth a report.
    public let passed: Bool

    /// What an event says; nil when it says nothing to an owner.
    ///
    /// - Parameters:
    ///   - event: the event.
    ///   - reportAddress: our own address for reports; mail to it alone causes no report.
    public init?(_ event: MailEvent, reportAddress: String) {
        guard let policy = PolicyConfiguration(event), let record = ReportRecord(event, policy) else { return nil }
        day = event.day
        self.policy = policy
        self.record = record
        organizational = event.dmarc?.organizational.flatMap { try? DomainName(escaped: Octets($0)) }
        mayCause = event.mayCauseReport(from: reportAddress)
        passed = event.dmarc?.result == DMARCResult.pass.rawValue
    }
}
