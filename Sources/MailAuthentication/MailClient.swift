public import DNSLookup
public import MailSyntax
internal import Policy
internal import ReverseDNS
internal import SPF

/// The SMTP client of a connection: its identity, and the DNS data about it.
///
/// It lives as long as the connection, and serves all of the connection's messages. It belongs to one event loop or one
/// task at a time.
public final class MailClient {
    /// The client's address, with an IPv4-mapped address as IPv4; nil for a local connection or an unknown address.
    public let address: IPAddress?
    /// The argument of the client's HELO or EHLO; empty before it.
    public private(set) var helo: [UInt8] = []

    /// Whether the client has an address that the MTA does not know, so that the address cannot be checked.
    let isUnknown: Bool

    let settings: AuthenticationSettings
    let record: LookupRecord
    let executor: (any TaskExecutor)?
    private(set) var iprev: Pending<ReverseNameOutcome>?
    private(set) var heloCheck: Pending<SPFOutcome>?
    /// Whether a deadline has ended the checks, so that the next message must repeat them.
    private var isExpired = false

    /// Starts the checks that need only the address.
    ///
    /// - Parameters:
    ///   - address: the client's address, if there is one.
    ///   - isUnknown: whether there is an address that the MTA does not know; its checks then have the result none.
    ///   - settings: the checks to make.
    ///   - resolver: answers the questions.
    ///   - executor: the executor on which checks resume after a wait; the shared pool when nil.
    public init(
        address: IPAddress?,
        isUnknown: Bool = false,
        settings: AuthenticationSettings,
        resolver: any DNSResolving,
        executor: (any TaskExecutor)? = nil
    ) {
        self.address = address?.unmapped
        self.isUnknown = isUnknown
        self.settings = settings
        record = LookupRecord(resolver)
        self.executor = executor
        checkName()
    }

    /// Notes the client's name and starts SPF for it (RFC 7208 § 2.3), unless the client repeats the name.
    public func greet(_ name: some Sequence<UInt8>, now: UnixTime) {
        let name = Array(name)
        if isExpired { checkName() }
        guard heloCheck == nil || name != helo || isExpired else { return }
        isExpired = false
        helo = name
        heloCheck?.cancel()
        heloCheck = nil
        guard settings.checks.spf, let address else { return }
        let inquiry = SPFInquiry(helo: name[...], client: address, now: now, options: settings.spf)
        heloCheck = Pending(inquiry, record.resolver(.helo), on: executor)
    }

    private func checkName() {
        guard settings.checks.iprev, let address else { return }
        iprev = Pending(ReverseNameInquiry(of: address), record.resolver(.iprev), on: executor)
    }

    /// Cancels the open questions.
    public func cancel() {
        isExpired = true
        iprev?.cancel()
        heloCheck?.cancel()
    }
}
