internal import MailEvents
internal import MailSyntax
internal import Policy

/// The numbers that stand for words in stored facts: the places in these lists, which only ever grow at their ends.
enum StoredWords {
    static let results: [ResultWord] = [
        .pass, .fail, .softfail, .neutral, .none, .temperror, .permerror, .policy,
    ]
    static let policies: [DMARCPolicyWord] = [.none, .quarantine, .reject, .absent]
    static let readings: [AuthorReading] = [.readable, .repaired, .unreadable]
    static let obstacles: [SeparationObstacle] = [.noAnswerToRecipients, .putOffBefore, .noRoom, .tooManyToSeparate]
    static let actions: [RecordedVerdict.Action] = [.accept, .junk, .quarantine, .discard, .reject, .tempfail, .sign]
    static let stages: [PolicyStage] = [.endOfMessage, .rcpt]
    static let modes: [PolicyMode] = [.observe, .enforce]
    static let truths: [Truth] = [.yes, .no, .unanswered]
    static let addresses: [MailEvent.Addresses] = [.full, .domains]
    /// The checks whose results are always there.
    static let checks: [Check] = [.spf, .spfHelo, .senderID, .dkim, .dmarc, .iprev]
}

/// The parts of stored facts that a message may lack, a bit each.
struct StoredParts: OptionSet {
    let rawValue: Int

    static let client4 = StoredParts(rawValue: 1 << 0)
    static let client6 = StoredParts(rawValue: 1 << 1)
    static let helo = StoredParts(rawValue: 1 << 2)
    static let mailFrom = StoredParts(rawValue: 1 << 3)
    static let pra = StoredParts(rawValue: 1 << 4)
    static let praIsMailFrom = StoredParts(rawValue: 1 << 5)
    static let fromCount = StoredParts(rawValue: 1 << 6)
    static let authenticated = StoredParts(rawValue: 1 << 7)
    static let isAuthenticated = StoredParts(rawValue: 1 << 8)
    static let fromDomains = StoredParts(rawValue: 1 << 9)
    static let dkimDomains = StoredParts(rawValue: 1 << 10)
    static let clientNames = StoredParts(rawValue: 1 << 11)
    static let unansweredDKIMDomains = StoredParts(rawValue: 1 << 12)
    static let unansweredClientNames = StoredParts(rawValue: 1 << 13)
    static let explanation = StoredParts(rawValue: 1 << 14)
    static let senderIDExplanation = StoredParts(rawValue: 1 << 15)
    static let isUnanswered = StoredParts(rawValue: 1 << 16)
    static let hasProblem = StoredParts(rawValue: 1 << 17)
    static let early = StoredParts(rawValue: 1 << 18)
    static let refused = StoredParts(rawValue: 1 << 19)
    static let rule = StoredParts(rawValue: 1 << 20)
    static let would = StoredParts(rawValue: 1 << 21)
    static let hasContent = StoredParts(rawValue: 1 << 23)
    static let unnamed = StoredParts(rawValue: 1 << 22)
    static let arc = StoredParts(rawValue: 1 << 24)
    static let arcSealers = StoredParts(rawValue: 1 << 25)
    static let unansweredARCSealers = StoredParts(rawValue: 1 << 26)
    static let path = StoredParts(rawValue: 1 << 27)
    static let listDomains = StoredParts(rawValue: 1 << 28)
    static let relayed = StoredParts(rawValue: 1 << 29)
    static let relayUnreadable = StoredParts(rawValue: 1 << 30)
}
