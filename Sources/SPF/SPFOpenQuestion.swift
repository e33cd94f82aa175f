internal import DNSLookup
internal import MailSyntax

/// Whether addresses are the client's, as far as a prefix goes (RFC 7208 § 5).
struct SPFAddressTest: Equatable {
    /// The type of the address records to compare with the client.
    ///
    /// RFC 7208 § 5: "when <ip> is an IPv4, A records are fetched; when <ip> is an IPv6 address, AAAA records are fetched".
    let type: DNSRecordType
    /// The client's network; nil, and no address is in it, for a prefix longer than an address, which the grammar forbids.
    private let network: IPNetwork?

    init(_ client: IPAddress, _ prefix4: UInt8, _ prefix6: UInt8) {
        let isIPv4 = if case .v4 = client { true } else { false }
        type = isIPv4 ? .a : .aaaa
        network = IPNetwork(client, prefixLength: Int(isIPv4 ? prefix4 : prefix6))
    }

    /// Whether an answer has an address of the client's network.
    func holds(_ answer: DNSAnswer) -> Bool {
        guard let network else { return false }
        return answer.records.contains { record in
            switch record {
            case .a(let address): network.contains(.v4(address))
            case .aaaa(let address): network.contains(.v6(address))
            default: false
            }
        }
    }
}

/// A question that an evaluation has no answer to.
struct SPFOpenQuestion {
    let question: DNSQuestion
    /// What the addresses of the answer are wanted for; nil when any answer may change the course of the evaluation.
    var test: SPFAddressTest?

    /// Whether the evaluation goes on with this reply as it does without it: there are addresses, and none of them matches.
    func isPassedOver(by reply: DNSReply) -> Bool {
        guard let test, case .success(let answer) = reply.result, answer.status == .records else { return false }
        return !test.holds(answer)
    }
}

/// The questions that an evaluation has no answers to, and which answer it is worth to be made again for.
///
/// An evaluation is made from the beginning, so to make it again for each answer would take time in proportion to the square
/// of their number, which the owner of the record chooses.
struct SPFOpenQuestions {
    private(set) var questions: [SPFOpenQuestion]
    /// How many questions at the beginning have answers that are passed over.
    private var position = 0

    init(_ questions: [SPFOpenQuestion]) { self.questions = questions }

    /// The question without whose answer the evaluation goes no further.
    var needed: DNSQuestion? { position < questions.count ? questions[position].question : nil }

    /// Takes an answer that has come.
    ///
    /// - Parameter replies: all replies, this one included.
    /// - Returns: whether the evaluation can go further with it: it leads to other questions, or all before it is known and
    ///   it decides something, or nothing is missing any more.
    mutating func take(_ question: DNSQuestion, _ replies: [DNSQuestion: DNSReply]) -> Bool {
        guard question.type == .a || question.type == .aaaa else { return true }
        while position < questions.count, let reply = replies[questions[position].question] {
            guard questions[position].isPassedOver(by: reply) else { return true }
            position += 1
        }
        return position == questions.count
    }
}
