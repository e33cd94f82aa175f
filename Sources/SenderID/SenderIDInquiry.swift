public import DNSLookup
public import MailSyntax
public import SPF

/// Whether a client may send mail for the domain that is responsible for a message (RFC 4406).
///
/// Records are evaluated by the rules of RFC 7208, which replaced the rules that RFC 4406 builds on. Positional
/// modifiers (RFC 4406 § 3.3) were never defined, so they are ignored like all unknown modifiers.
public struct SenderIDInquiry: DNSInquiry {
    private enum Subject {
        case address(PurportedResponsibleAddress, SPFInquiry)
        case mailFrom(SPFInquiry)
        case none(PurportedResponsibleAddress.Absence)
    }

    private let subject: Subject
    private let submitter: Octets?

    /// Asks about the purported responsible address of a message.
    ///
    /// - Parameters:
    ///   - headers: the message's header.
    ///   - author: its only From field, if it has already been read.
    ///   - helo: the argument of HELO or EHLO.
    ///   - client: the SMTP client's address.
    ///   - now: the time, for `%{t}`.
    ///   - submitter: the SUBMITTER parameter of MAIL, as it was sent; nil when there was none.
    ///   - options: the limits of the evaluation.
    public init(
        of headers: HeaderBlock,
        author: PurportedResponsibleAddress.Author? = nil,
        helo: Octets,
        client: IPAddress,
        now: UnixTime,
        submitter: Octets? = nil,
        options: SPFOptions = .init()
    ) {
        self.submitter = submitter
        do throws(PurportedResponsibleAddress.Absence) {
            let address = try PurportedResponsibleAddress.find(in: headers, author: author)
            let identity = SPFIdentity(address.mailbox, domain: address.domain)
            subject = .address(address, SPFInquiry(identity, .pra, helo, client, now, options))
        } catch {
            subject = .none(error)
        }
    }

    /// Asks about the MAIL FROM identity, by `spf2.0/mfrom` records, or `v=spf1` records if there are none.
    public init(
        mailFrom sender: Octets,
        helo: Octets,
        client: IPAddress,
        now: UnixTime,
        options: SPFOptions = .init()
    ) {
        submitter = nil
        let identity = SPFIdentity(mailFrom: sender, helo: helo)
        subject = .mailFrom(SPFInquiry(identity, .mfrom, helo, client, now, options))
    }

    /// The same number as for SPF.
    public var questionsAhead: Int {
        switch subject {
        case .address(_, let inquiry), .mailFrom(let inquiry): inquiry.questionsAhead
        case .none: 0
        }
    }

    /// Evaluates the records of the responsible domain (RFC 4406 § 4).
    public func pass(over answers: inout DNSAnswers) -> SenderIDOutcome? {
        switch subject {
        case .none(let absence): SenderIDOutcome(absence)
        case .mailFrom(let inquiry): inquiry.pass(over: &answers).map { SenderIDOutcome($0) }
        case .address(let address, let inquiry):
            inquiry.pass(over: &answers).map { SenderIDOutcome($0, address: address, submitter: submitter) }
        }
    }
}

extension SPFInquiry {
    fileprivate init(
        _ identity: SPFIdentity,
        _ scope: SPFScope,
        _ helo: Octets,
        _ client: IPAddress,
        _ now: UnixTime,
        _ options: SPFOptions
    ) {
        let selector = SenderIDRecordSelection(scope: scope)
        self.init(identity, scope: scope, helo: helo, client: client, now: now, options: options, selector: selector)
    }
}

extension SenderIDOutcome {
    /// RFC 4406 § 4: a message whose header has no such address is treated as if the test gave "PermError".
    fileprivate convenience init(_ absence: PurportedResponsibleAddress.Absence) {
        self.init(
            result: .permerror,
            scope: .pra,
            address: nil,
            problemCause: .noAddress(absence),
            evaluation: nil
        )
    }

    fileprivate convenience init(
        _ outcome: SPFOutcome,
        address: PurportedResponsibleAddress? = nil,
        submitter: Octets? = nil
    ) {
        var result = outcome.result
        // RFC 4406 § 4.3: in the PRA version of the test, a domain that does not exist gives "Fail". We apply this to
        // the purported responsible domain: an "include" of such a domain is an error of the record (RFC 7208 § 5.2).
        if outcome.scope == .pra, result == .none, case .noSuchName? = outcome.problemCause { result = .fail }
        // RFC 4405 § 4.2: the address derived from the header must be the address in the SUBMITTER parameter.
        var isMismatch = false
        if let address, let submitter {
            isMismatch = !(Submitter(parameter: submitter)?.isSameMailbox(as: address.mailbox) ?? false)
        }
        self.init(
            result: result,
            scope: outcome.scope,
            address: address,
            problemCause: isMismatch ? .submitterMismatch : outcome.problemCause.map { .evaluation($0) },
            evaluation: outcome
        )
    }
}
