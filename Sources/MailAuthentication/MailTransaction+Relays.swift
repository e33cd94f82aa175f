public import DNSLookup
public import MailSyntax
internal import Policy
internal import Received
internal import SPF

extension MailTransaction {
    /// Begins a message that a relay of our own passes on: its checks of the client start when the header names the client.
    ///
    /// - Parameters:
    ///   - address: the relay's address.
    ///   - relays: the relays of our own.
    ///   - settings: the checks to make.
    ///   - sender: the reverse-path without angle brackets; empty for the null sender.
    ///   - isSenderKnown: whether there is a reverse-path.
    ///   - submitter: the SUBMITTER parameter as sent, if there was one (RFC 4405).
    ///   - isStored: whether the topmost Received field may be by the host that had the message from the relay.
    ///   - resolver: answers the questions.
    ///   - executor: the executor on which checks resume after a wait; the shared pool when nil.
    ///   - now: the time.
    public convenience init(
        relayedBy address: IPAddress,
        of relays: RelaySettings,
        settings: AuthenticationSettings,
        sender: some Sequence<UInt8>,
        isSenderKnown: Bool = true,
        submitter: [UInt8]? = nil,
        isStored: Bool = false,
        resolver: any DNSResolving,
        executor: (any TaskExecutor)? = nil,
        now: UnixTime
    ) {
        let sender = Array(sender)
        self.init(
            MailClient(address: nil, settings: settings, resolver: resolver, executor: executor),
            RelayedMail(relays, address: address, sender: sender, isStored: isStored, resolver: resolver),
            sender: sender,
            isSenderKnown: isSenderKnown,
            submitter: submitter,
            resolver,
            now: now
        )
    }

    /// The envelope; of a relayed message with its true client.
    public func envelope(_ envelope: Envelope) -> Envelope {
        guard let relayed else { return envelope }
        var envelope = envelope
        envelope.clientAddress = client.address
        envelope.helo = client.helo
        envelope.relay = relayed.relay
        return envelope
    }

    /// Takes the lowest field so far of a relayed message; checks of the client start as soon as it is known.
    func takeTrace(_ relayed: RelayedMail) {
        guard relayed.isOpen, let field = lastField else { return }
        switch relayed.take(field) {
        case .client(let found)?:
            meet(MailClient(address: found.address, of: relayed, settings, client.executor), found.helo)
            spf = checkSender()
        case .results(let results)?:
            meet(MailClient(address: results.client, of: relayed, settings, client.executor), results.helo)
            spf = settings.checks.spf ? .known(results.spf) : nil
        // There is an address, and the client has hidden it.
        case .unreadable(_, byClient: true)?:
            meet(MailClient(isUnknown: true, of: relayed, settings, client.executor), [])
        case .unreadable(_, byClient: false)?, nil: break
        }
    }

    private func meet(_ found: MailClient, _ helo: [UInt8]) {
        client = found
        if !helo.isEmpty { client.greet(helo, now: now) }
        permits = checkPermits()
    }
}

extension MailClient {
    /// The client from which a relay had a message.
    fileprivate convenience init(
        address: IPAddress? = nil,
        isUnknown: Bool = false,
        of relayed: RelayedMail,
        _ settings: AuthenticationSettings,
        _ executor: (any TaskExecutor)?
    ) {
        self.init(
            address: address,
            isUnknown: isUnknown,
            settings: settings,
            resolver: relayed.resolver,
            executor: executor
        )
    }
}
