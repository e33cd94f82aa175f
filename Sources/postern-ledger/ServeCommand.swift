internal import ArgumentParser
internal import CommandSupport
internal import Glibc
internal import Ledger
internal import PosternConfiguration
internal import ServiceManager
internal import UnixSignals

/// `postern ledger serve`.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Take events in as they come, in the foreground."
    )

    @OptionGroup var options: StoreOptions

    func run() async throws {
        // A reload may be asked for before there is anything to reload.
        signal(SIGHUP, SIG_IGN)
        let configuration = try options.settings()
        let service = LedgerService(configuration)
        let reports = ReportService(configuration)
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint, .sighup)
        let work = Task { await service.run() }
        let sending = Task { await reports.run() }
        SystemdNotification.ofThisProcess.send(.ready)
        for await signal in signals {
            guard signal == .sighup else { break }
            // What is wrong with it has been said; the old one stays.
            if let configuration = try? options.settings() {
                service.use(configuration)
                reports.use(configuration)
            }
        }
        SystemdNotification.ofThisProcess.send(.stopping)
        service.stop()
        sending.cancel()
        await work.value
        await sending.value
    }
}
