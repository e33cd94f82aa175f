internal import MailAuthentication
internal import MailSyntax
internal import PosternConfiguration
internal import PosternSetup

/// What happened to a message, or would happen to it now, and why.
struct Story: Sendable {
    /// The message.
    let message: RememberedMessage
    /// What was found and decided.
    let judgement: Judgement
    /// Whether that is by the present configuration instead of the one of then.
    let isReplay: Bool

    /// The story for people.
    var text: String {
        let how = isReplay ? "judged again by the present configuration" : "judged at \(UTCTime(message.time))"
        return "Message \(message.queueID), \(how)\n" + judgement.text(withTrace: true)
    }
}

/// A story as a JSON object, with the keys in snake case; the envelope's are those of `postern check --batch`.
struct WhyReport: Encodable, Sendable {
    let queueID: String
    let time: String
    let replay: Bool
    let clientIP: String?
    let helo: String
    let mailFrom: String
    let rcptTo: [String]
    let judgement: JudgementReport

    private enum CodingKeys: String, CodingKey {
        case time, replay, helo, mailFrom, rcptTo, judgement
        case queueID = "queueId"
        case clientIP = "clientIp"
    }

    init(_ story: Story) {
        let envelope = story.judgement.envelope
        queueID = story.message.queueID
        time = "\(UTCTime(story.message.time))"
        replay = story.isReplay
        clientIP = envelope.clientAddress?.description
        helo = envelope.helo[...].text
        mailFrom = envelope.sender[...].text
        rcptTo = envelope.recipients.map { $0[...].text }
        judgement = JudgementReport(story.judgement, withTrace: true)
    }
}

extension RememberedMessage {
    /// The queue ID as the log shows it.
    var queueID: String { (delivery.queueID ?? LogLine.noQueueID)[...].text }

    /// What happened to the message and why.
    var story: Story { Story(message: self, judgement: judgement, isReplay: false) }

    /// The outcome under another configuration, judged with the recorded DNS answers.
    ///
    /// The body is not kept, so what DKIM found stays as it was.
    func replay(by setup: Setup) async -> Story {
        let judge = MessageJudge(
            settings: setup.authentication,
            headers: setup.headers(authservID: authservID),
            engine: setup.engine,
            resolver: ReplayingResolver(judgement.lookups),
            timeout: setup.configuration.limits.timeout,
            relays: setup.relays
        )
        let again = await judge.judge(
            judgement.envelope,
            headers: headers,
            isHeaderCut: judgement.review?.obstacle == .tooLarge,
            signatures: judgement.assessment.dkim,
            chain: judgement.assessment.arc,
            spf: judgement.assessment.spf,
            now: time
        )
        return Story(message: self, judgement: again, isReplay: true)
    }
}
