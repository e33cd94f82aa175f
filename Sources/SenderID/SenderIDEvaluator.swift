public import DNSLookup
public import MailSyntax
public import SPF

/// Checks whether a client may send mail for the domain that is responsible for it (RFC 4406).
///
/// Records are evaluated by the rules of RFC 7208, which replaced those that RFC 4406 builds on. Positional modifiers
/// (RFC 4406 § 3.3) were never defined, so like all unknown modifiers they are ignored.
public struct SenderIDEvaluator<Resolver: DNSResolving>: Sendable {
    private let evaluator: SPFEvaluator<Resolver>

    /// An evaluator that asks `resolver`.
    public init(resolver: Resolver, options: SPFOptions = .init()) {
        evaluator = SPFEvaluator(resolver: resolver, options: options)
    }

    /// Checks the purported responsible address of a message.
    ///
    /// - Parameters:
    ///   - headers: the message's header.
    ///   - helo: the argument of HELO or EHLO.
    ///   - clientAddress: the SMTP client's address.
    ///   - now: the time in seconds since 1970, for `%{t}`.
    ///   - submitter: the SUBMITTER parameter of MAIL, as it was sent; nil when there was none.
    public func checkPRA(
        _ headers: HeaderBlock,
        helo: Octets,
        clientAddress: IPAddress,
        now: Int64,
        submitter: Octets? = nil
    ) async -> SenderIDOutcome {
        switch Self.find(headers) {
        case .failure(let absence): return Self.outcome(absence)
        case .success(let address):
            let check = Self.check(Self.identity(address.mailbox), .pra, helo, clientAddress, now)
            return Self.outcome(await evaluator.evaluate(check), address: address, submitter: submitter)
        }
    }

    /// The same when every answer is at hand; nil when one has to be waited for.
    public func checkPRAAtHand(
        _ headers: HeaderBlock,
        helo: Octets,
        clientAddress: IPAddress,
        now: Int64,
        submitter: Octets? = nil
    ) -> SenderIDOutcome? {
        switch Self.find(headers) {
        case .failure(let absence): return Self.outcome(absence)
        case .success(let address):
            let check = Self.check(Self.identity(address.mailbox), .pra, helo, clientAddress, now)
            return evaluator.evaluateAtHand(check).map { Self.outcome($0, address: address, submitter: submitter) }
        }
    }

    /// Checks the address in a SUBMITTER parameter, before the message itself is there (RFC 4405 § 4.2).
    ///
    /// A parameter that cannot be read gives "permerror".
    public func checkSubmitter(
        _ parameter: Octets,
        helo: Octets,
        clientAddress: IPAddress,
        now: Int64
    ) async -> SenderIDOutcome {
        guard let submitter = Submitter(parameter: parameter) else {
            return SenderIDOutcome(
                result: .permerror,
                scope: .pra,
                address: nil,
                problemCause: .submitterMismatch,
                evaluation: nil
            )
        }
        let check = Self.check(Self.identity(submitter.mailbox), .pra, helo, clientAddress, now)
        return Self.outcome(await evaluator.evaluate(check))
    }

    /// Checks the MAIL FROM identity by `spf2.0/mfrom` records, and `v=spf1` where there are none.
    public func checkMailFrom(
        _ sender: Octets,
        helo: Octets,
        clientAddress: IPAddress,
        now: Int64
    ) async -> SenderIDOutcome {
        let identity = SPFIdentity(mailFrom: sender, helo: helo)
        return Self.outcome(await evaluator.evaluate(Self.check(identity, .mfrom, helo, clientAddress, now)))
    }

    private static func identity(_ mailbox: Mailbox) -> SPFIdentity {
        SPFIdentity(localPart: mailbox.localPart, domain: mailbox.domain)
    }

    private static func find(
        _ headers: HeaderBlock
    ) -> Result<PurportedResponsibleAddress, PurportedResponsibleAddress.Absence> {
        Result { () throws(PurportedResponsibleAddress.Absence) in try PurportedResponsibleAddress.find(in: headers) }
    }

    private static func check(
        _ identity: SPFIdentity,
        _ scope: SPFScope,
        _ helo: Octets,
        _ client: IPAddress,
        _ now: Int64
    ) -> SPFCheck {
        let selector = SenderIDRecordSelection(scope: scope)
        return SPFCheck(identity, scope: scope, helo: helo, client: client, now: now, selector: selector)
    }

    /// RFC 4406 § 4: a message whose header has no such address is treated as if the test gave "PermError".
    private static func outcome(_ absence: PurportedResponsibleAddress.Absence) -> SenderIDOutcome {
        SenderIDOutcome(
            result: .permerror,
            scope: .pra,
            address: nil,
            problemCause: .noAddress(absence),
            evaluation: nil
        )
    }

    private static func outcome(
        _ outcome: SPFOutcome,
        address: PurportedResponsibleAddress? = nil,
        submitter: Octets? = nil
    ) -> SenderIDOutcome {
        var result = outcome.result
        // RFC 4406 § 4.3: in the PRA version of the test, a domain that does not exist gives "Fail". We read this of the
        // purported responsible domain alone: an "include" of such a domain is an error of the record (RFC 7208 § 5.2).
        if outcome.scope == .pra, result == .none, case .noSuchName? = outcome.problemCause { result = .fail }
        // RFC 4405 § 4.2: the address derived from the header must be the one in the SUBMITTER parameter.
        var isMismatch = false
        if let address, let submitter {
            isMismatch = !(Submitter(parameter: submitter)?.isSameMailbox(as: address.mailbox) ?? false)
        }
        return SenderIDOutcome(
            result: result,
            scope: outcome.scope,
            address: address,
            problemCause: isMismatch ? .submitterMismatch : outcome.problemCause.map { .evaluation($0) },
            evaluation: outcome
        )
    }
}
