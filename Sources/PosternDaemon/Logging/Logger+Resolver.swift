internal import DNSResolver
internal import Logging
internal import MailSyntax
internal import PosternSetup

extension Logger {
    /// Logs a change of the DNS.
    func log(_ news: ConfiguredResolver.News) {
        switch news {
        case .health(.unknown): break
        case .health(.answering): notice("DNS is answering again")
        case .health(.notAnswering): error("DNS is not answering: checks that need it give temperror")
        case .room(.began(waiting: let waiting, mostWanted: let name)):
            let most = name.map { ", most of them about names in \($0)" } ?? ""
            warning(
                "lookups wait for room: \(waiting)\(most); a check that gets no answer in time gives temperror"
            )
        case .room(.ended(after: let time, unserved: let unserved)):
            notice("lookups have room again after \(time.components.seconds) s; \(unserved) were given up")
        }
    }
}
