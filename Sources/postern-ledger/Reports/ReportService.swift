internal import CommandSupport
internal import Ledger
internal import MailSyntax
internal import PosternConfiguration
internal import PosternSetup
internal import Synchronization

/// Sends reports beside the intake, over a connection of its own to the store.
final class ReportService: Sendable {
    /// How long it sleeps at most, in seconds: a day may be closed meanwhile.
    private static let longestSleep: Int64 = 30
    /// How long it waits after something has failed, in seconds.
    private static let pause: Int64 = 60

    private struct State {
        var configuration: Configuration
        /// How many configurations there have been.
        var number = 0
    }

    private let state: Mutex<State>

    init(_ configuration: Configuration) {
        state = Mutex(State(configuration: configuration))
    }

    /// Goes on with another configuration.
    func use(_ configuration: Configuration) {
        state.withLock {
            $0.configuration = configuration
            $0.number += 1
        }
    }

    /// Works until its task is cancelled.
    func run() async {
        var office: ReportOffice?
        var number = -1
        var problem: String?
        while !Task.isCancelled {
            let current = state.withLock { $0 }
            var sleep = Self.longestSleep
            do {
                if number != current.number || !(office?.store.isInPlace ?? true) { office = nil }
                number = current.number
                let opened = try office ?? ReportOffice(current.configuration)
                office = opened
                if let opened { sleep = try await opened.work(atMost: Self.longestSleep) }
                problem = nil
            } catch {
                if problem != "\(error)" { Report.write("reports: \(error); tried again every minute") }
                problem = "\(error)"
                office = nil
                sleep = Self.pause
            }
            try? await Task.sleep(for: .seconds(sleep))
        }
    }
}

/// What sends reports under one configuration.
final class ReportOffice {
    let store: Store
    private let settings: ReportSettings
    private let sender: ReportSender

    /// Opens the store; nil where no reports are sent.
    init?(_ configuration: Configuration, keepsToWindow: Bool = true) throws {
        guard let settings = configuration.reportSettings else { return nil }
        self.settings = settings
        store = try Store.open(configuration.ledger.store, maximumOctets: configuration.ledger.maximumOctets)
        let surroundings = try ReportSender.Surroundings(configuration, from: settings.address)
        sender = try ReportSender(store, settings, surroundings, keepsToWindow: keepsToWindow)
    }

    /// Plans what is closed, and sends what is due; returns after how many seconds there may be more to do.
    func work(atMost longest: Int64) async throws -> Int64 {
        try plan()
        while !Task.isCancelled {
            switch try await sender.turn() {
            case .tried(let attempt): Report.write(attempt.text)
            case .postponed: continue
            case .held: return 1
            case .idle(let until):
                let now = Clock.now
                if let until, until <= now { continue }
                guard let until, until < now + longest else { return longest }
                return max(1, until.seconds - now.seconds)
            }
        }
        return longest
    }

    /// Says of the reports of closed days what becomes of them.
    func plan() throws(StoreError) {
        try store.planReports(settings, now: Clock.now) { Task.isCancelled }
    }

    /// Sends a report that may not be due, as soon as the rate and other processes allow it.
    ///
    /// - Parameter id: the number of the delivery.
    func send(_ id: Int64) async throws -> ReportSender.Turn {
        var patience = SendingPatience()
        while true {
            let turn = try await sender.send(id)
            switch turn {
            case .tried, .postponed, .idle(nil): return turn
            case .idle(let until?):
                guard patience.lasts(until: until, now: Clock.now) else {
                    throw ReportOfficeError.bounded(until: until)
                }
            case .held:
                guard patience.lasts(until: nil, now: Clock.now) else { throw ReportOfficeError.held }
            }
            try await Task.sleep(for: .seconds(1))
        }
    }
}

/// Why a report was not tried.
enum ReportOfficeError: Error, CustomStringConvertible {
    /// Another process is sending.
    case held
    /// As many were sent as may be on a day.
    case bounded(until: UnixTime)

    var description: String {
        switch self {
        case .held: "another process is sending, such as postern-ledger serve: try again later, or leave it to that"
        case .bounded(let until):
            "no more go before \(UTCTime(until)): [reports] per_day is reached"
        }
    }
}
