internal import MailAuthentication
internal import MailSyntax
internal import MilterProtocol
internal import MilterServer
internal import NIOCore
internal import Policy
internal import PosternConfiguration
internal import PosternSetup

/// One SMTP session: the MTA's events in, replies and header changes out.
///
/// The session and all its parts live on the milter session's event loop.
final class FilterSession: MilterSessionHandler {
    /// The most connections with which a session still answers each body chunk.
    ///
    /// An answer can skip the rest of the body, and leaves little work for the end of the message. It also costs a
    /// round trip to the MTA; when many messages arrive at once, these round trips take a tenth of all CPU time.
    private static let fewConnections = 4

    /// How many octets of HELO are read; a name has at most 255 (RFC 5321 § 4.5.3.1.2).
    private static let longestHelo = 1024

    /// The request to the MTA: an answer is needed at the end, and at each recipient if a rule can refuse a recipient.
    let request: MilterRequest

    private let filter: Filter
    private let session: MilterSession
    private let place: String
    private var clientAddress: IPAddress?
    private var isLocal = false
    private var helo: [UInt8] = []
    private var client: (mail: MailClient, setup: Setup)?
    private var message: (any MessageInProgress)?

    /// A session of the filter.
    init(_ filter: Filter, session: MilterSession) {
        self.filter = filter
        self.session = session
        place = session.listener.address.description
        var answered = MilterEvents(.endOfMessage)
        let engine = filter.setup.engine
        if engine.mayRefuseRecipients || engine.mayPutOff { answered.formUnion(MilterEvents(.recipient)) }
        if session.openConnections <= Self.fewConnections { answered.formUnion(MilterEvents(.body)) }
        request = MilterRequest(
            actions: [.addHeaders, .changeHeaders, .quarantine],
            events: MilterEvents(.connect, .helo, .mail, .recipient, .header, .endOfHeaders, .body, .endOfMessage),
            answered: answered
        )
    }

    func connect(_ connection: MilterConnection) -> MilterResponse {
        isLocal = connection.family == .unix
        clientAddress = IPAddress(connection.address.text)?.unmapped
        return .continue
    }

    func helo(_ name: Octets) -> MilterResponse {
        helo = Array(name.prefix(Self.longestHelo))
        let setup = filter.setup
        // For a client whose mail is always our own, no checks are started.
        let role = filter.role(of: place, by: setup)
        let isJudged = role == .inbound || (role == .auto && !isTrustedNetwork(setup))
        // A relay is not the client whose mail it passes on.
        if isJudged, !isSkippedNetwork(setup), !setup.isRelay(clientAddress) {
            judgingClient(setup).greet(helo[...], now: Clock.now)
        }
        return .continue
    }

    func mail(_ arguments: [Octets]) -> MilterResponse {
        finishUnended()
        let setup = filter.setup
        let role = filter.role(of: place, by: setup)
        let trust = trust(setup)
        let relay = relay(setup, role, trust)
        let isTrusted = relay == nil && (role == .outbound || trust != nil)
        let isJudged = trust != .skip && (role == .inbound || !isTrusted)
        let context = MessageContext(
            filter: filter,
            setup: setup,
            session: session,
            listener: place,
            sender: Envelope(
                clientAddress: relay == nil ? clientAddress : nil,
                helo: relay == nil ? helo : [],
                sender: Array(SMTPPath(arguments.first ?? []).mailbox),
                isTrusted: isTrusted || hasAuthenticated,
                relay: relay
            ),
            isTrusted: isTrusted && (role == .outbound || trust != .login),
            hasAuthenticated: hasAuthenticated
        )
        message =
            isJudged
            ? judged(context, submitter: SMTPPath.submitter(in: arguments.dropFirst()))
            : signed(context, trust)
        return .continue
    }

    func recipient(_ arguments: [Octets], answer: MilterAnswer) -> MilterResponse? {
        guard let message else { return .continue }
        return message.recipient(Array(SMTPPath(arguments.first ?? []).mailbox), answer: answer.complete)
    }

    func header(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) -> MilterResponse {
        guard let message else { return .continue }
        // RFC 6376 § 3.4.1 signs the octets after the colon unchanged; without HDR_LEADSPC the MTA removed a space.
        unsafe message.header(name: name, value: value, addsSpace: !session.options.leadingSpace)
        return .continue
    }

    func endOfHeaders() -> MilterResponse {
        message?.endOfHeaders()
        return .continue
    }

    func body(_ chunk: UnsafeRawBufferPointer) -> MilterResponse {
        guard let message else { return .skip }
        unsafe message.body(chunk)
        return message.isBodyComplete ? .skip : .continue
    }

    func endOfMessage(answer: MilterAnswer) -> MilterVerdict? {
        guard let message else { return MilterVerdict(.continue) }
        message.complete { [self] verdict in
            self.message = nil
            answer.complete(verdict)
        }
        return nil
    }

    func abort() {
        finishUnended()
    }

    func giveUpWithoutRoom() {
        message?.giveUpWithoutRoom()
        message = nil
    }

    func close() {
        finishUnended()
        client?.mail.cancel()
        client = nil
    }
}

extension FilterSession {
    /// Drops a message that did not reach its end; a message whose recipients were all refused still gets its log line.
    private func finishUnended() {
        message?.giveUp()
        message = nil
    }

    /// Begins a message from outside.
    private func judged(_ context: MessageContext, submitter: [UInt8]?) -> JudgedMessage {
        if let relay = context.sender.relay, let relays = context.setup.relays {
            return JudgedMessage(context, relayed(context, by: relay, of: relays, submitter: submitter))
        }
        let client = judgingClient(context.setup)
        client.greet(helo, now: Clock.now)
        let transaction = MailTransaction(
            client: client,
            sender: context.sender.sender,
            submitter: submitter,
            resolver: context.setup.resolver.dns,
            now: Clock.now
        )
        return JudgedMessage(context, transaction)
    }

    private func relayed(
        _ context: MessageContext,
        by relay: Relay,
        of relays: RelaySettings,
        submitter: [UInt8]?
    ) -> MailTransaction {
        MailTransaction(
            relayedBy: relay.address,
            of: relays,
            settings: context.setup.authentication,
            sender: context.sender.sender,
            submitter: submitter,
            resolver: context.setup.resolver.dns,
            executor: session.executor,
            now: Clock.now
        )
    }

    /// Begins a message of our own.
    private func signed(_ context: MessageContext, _ trust: MailTrust?) -> SignedMessage {
        let source = SignedMessage.Source(
            trust: trust,
            login: session.macros["auth_authen"].map { Array($0) },
            isOwnHost: trust == .skip || isTrustedNetwork(context.setup)
        )
        return SignedMessage(context, from: source)
    }

    private var hasAuthenticated: Bool {
        let login = session.macros["auth_authen"] ?? []
        let mechanism = session.macros["auth_type"] ?? []
        return !login.isEmpty || !mechanism.isEmpty
    }

    /// Why the client's mail is not mail from outside; nil for mail from outside.
    ///
    /// A login is better evidence than an address.
    private func trust(_ setup: Setup) -> MailTrust? {
        if setup.configuration.trust.authenticated, hasAuthenticated { return .login }
        if isSkippedNetwork(setup) { return .skip }
        return isTrustedNetwork(setup) ? .network : nil
    }

    /// The relay that passes on a message from outside; nil for another client, and for a login that is our own.
    private func relay(_ setup: Setup, _ role: Configuration.Listen.Role, _ trust: MailTrust?) -> Relay? {
        guard setup.relays != nil, let clientAddress, setup.isRelay(clientAddress) else { return nil }
        let isOwn = trust == .skip || (trust == .login && role != .inbound)
        return isOwn ? nil : Relay(address: clientAddress)
    }

    private func isSkippedNetwork(_ setup: Setup) -> Bool {
        clientAddress.map { setup.skipped.contains($0) } ?? false
    }

    private func isTrustedNetwork(_ setup: Setup) -> Bool {
        // RFC 8601 § 1.6: mail from this host itself comes from within the trust boundary.
        isLocal || clientAddress.map { setup.trusted.contains($0) } ?? false
    }

    /// The client for this configuration; a new configuration starts the client's checks again.
    private func judgingClient(_ setup: Setup) -> MailClient {
        if let client, client.setup === setup { return client.mail }
        client?.mail.cancel()
        let mail = MailClient(
            address: clientAddress,
            isUnknown: clientAddress == nil && !isLocal,
            settings: setup.authentication,
            resolver: setup.resolver.dns,
            executor: session.executor
        )
        client = (mail, setup)
        return mail
    }
}
