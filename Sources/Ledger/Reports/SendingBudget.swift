public import MailSyntax

/// How many reports may still be sent, and when.
public struct SendingBudget: Sendable {
    /// Whether a report may be sent.
    public enum Decision: Sendable, Equatable {
        /// It may.
        case now
        /// None may before that time.
        case pause(until: UnixTime)
        /// This host gets no other before that time.
        case postpone(until: UnixTime)
    }

    private let settings: ReportSettings
    private let keepsToWindow: Bool
    private var day = -1
    private var sent = 0
    private var hosts: [String: Int] = [:]
    private var minute: Int64 = -1
    private var sentInMinute = 0

    /// A budget of which nothing is spent.
    ///
    /// - Parameters:
    ///   - settings: the bounds.
    ///   - keepsToWindow: whether reports wait for their hours.
    public init(_ settings: ReportSettings, keepsToWindow: Bool = true) {
        self.settings = settings
        self.keepsToWindow = keepsToWindow
    }

    /// A budget of which today's reports are spent.
    init(_ settings: ReportSettings, keepsToWindow: Bool = true, spent hosts: [String: Int], now: UnixTime) {
        self.init(settings, keepsToWindow: keepsToWindow)
        day = ReportDay.of(now)
        self.hosts = hosts
        sent = hosts.values.reduce(0, +)
    }

    /// Whether a report may be sent to a host.
    public func decision(for host: String, now: UnixTime) -> Decision {
        if keepsToWindow, !settings.window.isOpen(at: now) { return .pause(until: settings.window.next(from: now)) }
        if minute == now.seconds / 60, sentInMinute >= settings.rate {
            return .pause(until: UnixTime((now.seconds / 60 + 1) * 60))
        }
        guard day == ReportDay.of(now) else { return .now }
        let tomorrow = settings.window.next(from: ReportDay.start(day + 1))
        if sent >= settings.perDay { return .pause(until: tomorrow) }
        if hosts[host] ?? 0 >= settings.perHost { return .postpone(until: tomorrow) }
        return .now
    }

    /// Counts a report that is sent to a host.
    public mutating func spend(on host: String, now: UnixTime) {
        if day != ReportDay.of(now) { (day, sent, hosts) = (ReportDay.of(now), 0, [:]) }
        if minute != now.seconds / 60 { (minute, sentInMinute) = (now.seconds / 60, 0) }
        sent += 1
        sentInMinute += 1
        hosts[host, default: 0] += 1
    }
}
