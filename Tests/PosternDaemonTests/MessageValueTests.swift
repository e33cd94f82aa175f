import MailAuthentication
import MailSyntax
import MilterProtocol
import NIOCore
import Testing

@testable import MilterServer
@testable import PosternDaemon

@Suite("What every message has")
struct MessageValueTests {
    @Test(
        "a header is kept up to its bound, and from the first field beyond it only looked at",
        arguments: [
            // A field is X-DKIM-Result with its value: 13 octets and those of the value.
            (100, [10, 10], 2, nil), (46, [10, 10], 2, nil), (45, [10, 10], 1, [1, 2]), (0, [10], 0, [1]),
            // What would fit again behind it does not count.
            (50, [10, 40, 0], 1, [1, 2, 3]),
        ] as [(Int, [Int], Int, [Int]?)]
    )
    func bound(_ limit: Int, _ values: [Int], _ kept: Int, _ forged: [Int]?) {
        var bound = HeaderBound(limit)
        var header = HeaderBlock()
        let settings = HeaderSettings(authservID: Octets("mx.example.org"))
        let name = Array("X-DKIM-Result".utf8)
        for value in values.map({ [UInt8](repeating: 0x78, count: $0) }) {
            let count = header.octetCount
            let isAdmitted = unsafe name.withUnsafeBytes { name in
                unsafe value.withUnsafeBytes { value in
                    unsafe bound.admits(name: name, value: value, after: count, of: header, settings)
                }
            }
            if isAdmitted { header.append(name: name, value: value) }
        }
        #expect(header.count == kept)
        #expect(bound.isExceeded == (forged != nil))
        #expect(bound.forgedBeyond?.deleted.map(\.index) == forged)
    }

    @Test(
        "a message takes of the shared memory what is beyond its own little, and nothing once there is no room",
        arguments: [
            ("Subject", 100, 1, 0, true, 0), ("Subject", 6000, 1, 32_768, true, 16_384),
            // A signature's values are kept beside it.
            ("DKIM-Signature", 6000, 1, 32_768, true, 16_384), ("DKIM-Signature", 6000, 2, 32_768, false, 0),
            ("Subject", 6000, 1, 16_383, false, 0), ("Subject", 6000, 2, 16_384, true, 16_384),
        ]
    )
    func memory(_ name: String, _ size: Int, _ count: Int, _ limit: Int, _ hasRoom: Bool, _ taken: Int) {
        let shared = SessionMemory(limit: limit, logger: Sample.logger)
        let (name, value) = (Array(name.utf8), [UInt8](repeating: 0x78, count: size))
        do {
            var memory = MessageMemory(of: shared, sender: [])
            var isHeld = true
            for _ in 0..<count {
                unsafe name.withUnsafeBytes { name in
                    unsafe value.withUnsafeBytes { isHeld = unsafe memory.hold(name: name, value: $0) }
                }
            }
            let (isLacking, octets) = (memory.isLacking, shared.octets)
            let hasMore = memory.hold(recipient: [])
            #expect(isHeld == hasRoom)
            #expect(isLacking != hasRoom)
            #expect(hasMore == hasRoom)
            #expect(octets == taken)
        }
        #expect(shared.octets == 0)
    }

    @Test("the first queue ID counts, waits add up, and the end is noted once")
    func progress() {
        let begin = NIODeadline.uptimeNanoseconds(0)
        var progress = MessageProgress()
        for id in [nil, "A", "B"] { progress.note(queueID: id.map { Octets($0) }) }
        progress.note(delay: .milliseconds(300))
        progress.note(delay: .milliseconds(20))
        progress.beginEnd(at: begin + .seconds(1))
        #expect(!progress.isOver)
        #expect(progress.end(at: begin + .seconds(3)) == .seconds(2))
        #expect(progress.end(at: begin + .seconds(9)) == nil)
        let delivery = progress.delivery(RecipientGate())
        #expect(progress.isOver)
        #expect(delivery.queueID == Array("A".utf8))
        #expect(delivery.milliseconds == 2320)
    }

    @Test(
        "each refusal has its action, its problem and its reply, in either mode",
        arguments: [
            (.noMemory, "tempfail", "no memory left (limits.max_held)", 452, "4.3.1", true),
            (.tooManyRecipients, "tempfail", "too many recipients", 452, "4.5.3", true),
            (.header(.tooLarge), "reject", "header section beyond limits.max_header", 552, "5.3.4", false),
            (.header(.tooManyForged), "reject", "too many forged header fields", 552, "5.3.4", false),
        ] as [(MessageRefusal, String, String, UInt16, String, Bool)]
    )
    func refusals(
        _ refusal: MessageRefusal,
        _ action: String,
        _ problem: String,
        _ code: UInt16,
        _ status: String,
        _ isUnconditional: Bool
    ) throws {
        guard case .reply(let reply) = refusal.response else {
            Issue.record("no reply")
            return
        }
        #expect(refusal.action == action)
        #expect(refusal.problem == problem)
        #expect(reply.code == code)
        #expect(reply.enhancedStatus == status)
        #expect(refusal.isUnconditional == isUnconditional)
    }
}
