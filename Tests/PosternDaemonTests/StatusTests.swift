import NIOHTTP1
import Testing

@testable import PosternDaemon

@Suite("What the daemon says of itself")
struct StatusTests {
    @Test(
        "a time in its two largest units",
        arguments: [
            (0, "0 s"), (59, "59 s"), (60, "1 min"), (61, "1 min 1 s"), (3600, "1 h"), (3659, "1 h"),
            (3660, "1 h 1 min"),
            (90_000, "1 d 1 h"), (864_059, "10 d"),
        ]
    )
    func span(_ seconds: Int, _ text: String) {
        #expect(DaemonStatus.span(seconds) == text)
    }

    @Test("the rate is that of the messages since the start, while the first minute lasts")
    func rate() async throws {
        let counters = Counters()
        counters.update { $0.messages["accept"] = 5 }
        let rate = MessageRate(counters)
        #expect(rate.perSecond == 0)
        counters.update { $0.messages["reject"] = 3 }
        try await Task.sleep(for: .milliseconds(20))
        #expect(rate.perSecond > 0 && rate.perSecond <= 150)
    }

    @Test(
        "a question about messages that cannot be meant",
        arguments: [
            "/why/a/b", "/why?last=0", "/why?last=-1", "/why?client=example.org", "/why?client=",
            "/why?from=a@b..c",
        ]
    )
    func unclear(_ target: String) {
        #expect(WhyRequest(AdminRequest(.GET, target: target)) == nil)
    }
}
