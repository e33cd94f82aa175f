internal import MailAuthentication
internal import MailSyntax
internal import PosternConfiguration
internal import PosternSetup

extension RememberedMessage {
    /// The outcome of the message and its reasons, for people.
    var story: String {
        let queueID = (delivery.queueID ?? LogLine.noQueueID)[...].text
        return "Message \(queueID), judged at \(UTCTime(time))\n" + judgement.text(withTrace: true)
    }

    /// The outcome under another configuration, judged with the recorded DNS answers.
    ///
    /// The body is not kept, so the results of DKIM stay the same.
    func replay(by setup: Setup) async -> String {
        let envelope = judgement.envelope
        let judge = MessageJudge(
            settings: setup.authentication,
            headers: setup.headers(authservID: authservID),
            engine: setup.engine,
            resolver: ReplayingResolver(judgement.lookups),
            timeout: setup.configuration.limits.timeout
        )
        let again = await judge.judge(envelope, headers: headers, signatures: judgement.assessment.dkim, now: time)
        let queueID = (delivery.queueID ?? LogLine.noQueueID)[...].text
        return "Message \(queueID), judged again by the present configuration\n" + again.text(withTrace: true)
    }
}
