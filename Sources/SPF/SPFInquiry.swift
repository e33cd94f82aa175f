public import DNSLookup
public import MailSyntax

/// Whether a client may send mail for a domain (RFC 7208): the arguments of check_host() (§ 4.1).
public struct SPFInquiry: DNSInquiry {
    let identity: SPFIdentity
    let scope: SPFScope
    let helo: Octets
    let client: IPAddress
    let now: UnixTime
    let options: SPFOptions
    let selector: any SPFRecordSelecting

    /// Asks about any identity, with the records that a selector chooses.
    package init(
        _ identity: SPFIdentity,
        scope: SPFScope,
        helo: Octets,
        client: IPAddress,
        now: UnixTime,
        options: SPFOptions = .init(),
        selector: any SPFRecordSelecting
    ) {
        self.identity = identity
        self.scope = scope
        self.helo = helo
        // RFC 7208 § 5: an IPv4-mapped address is an IPv4 address.
        self.client = client.unmapped
        self.now = now
        self.options = options
        self.selector = selector
    }

    /// Asks about the MAIL FROM identity (RFC 7208 § 2.4).
    ///
    /// - Parameters:
    ///   - sender: the argument of MAIL FROM; empty or `<>` is the null reverse-path.
    ///   - helo: the argument of HELO or EHLO.
    ///   - client: the SMTP client's address.
    ///   - now: the time, for `%{t}`.
    ///   - options: the limits of the evaluation.
    public init(mailFrom sender: Octets, helo: Octets, client: IPAddress, now: UnixTime, options: SPFOptions = .init())
    {
        let identity = SPFIdentity(mailFrom: sender, helo: helo).ofHost()
        self.init(
            identity,
            scope: .mfrom,
            helo: helo,
            client: client,
            now: now,
            options: options,
            selector: SPFVersion1()
        )
    }

    /// Asks about the HELO identity (RFC 7208 § 2.3).
    public init(helo: Octets, client: IPAddress, now: UnixTime, options: SPFOptions = .init()) {
        let identity = SPFIdentity(helo: helo).ofHost()
        self.init(
            identity,
            scope: .helo,
            helo: helo,
            client: client,
            now: now,
            options: options,
            selector: SPFVersion1()
        )
    }

    /// The rest is reserved for the questions that in-order evaluation may need.
    public var questionsAhead: Int { options.queriesAhead }

    /// Evaluates the records (RFC 7208 § 4).
    public func pass(over answers: inout DNSAnswers) -> SPFOutcome? {
        var evaluation = SPFEvaluation(self, answers)
        let outcome = evaluation.run()
        answers = evaluation.answers
        return outcome
    }
}
