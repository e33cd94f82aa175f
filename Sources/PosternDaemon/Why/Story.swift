internal import MailAuthentication
internal import MailSyntax
internal import PosternConfiguration
internal import PosternSetup

extension RememberedMessage {
    /// What happened to the message and why, for people.
    var story: String {
        let queueID = (delivery.queueID ?? LogLine.noQueueID)[...].text
        return "Message \(queueID), judged at \(UTCTime(time))\n" + judgement.text(withTrace: true)
    }

    /// What would happen to the message by another configuration, judged from the answers that were given then.
    ///
    /// The body is not kept, so what DKIM found stays as it was.
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
