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
        self.init(
            MailClient(address: nil, settings: settings, resolver: resolver, executor: executor),
            RelayedMail(relays, address: address, isStored: isStored, resolver: resolver),
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
            meet(found.address, found.helo, relayed)
            spf = checkSender()
        case .results(let results)?:
            meet(results.client, results.helo, relayed)
            spf = settings.checks.spf ? .known(results.spf) : nil
        case .unreadable?, nil: break
        }
    }

    private func meet(_ address: IPAddress?, _ helo: [UInt8], _ relayed: RelayedMail) {
        client = MailClient(
            address: address,
            settings: settings,
            resolver: relayed.resolver,
            executor: client.executor
        )
        if !helo.isEmpty { client.greet(helo, now: now) }
        permits = checkPermits()
    }
}
