internal import ARC
internal import DKIM
internal import DMARC
public import DNSLookup
public import MailSyntax
internal import Policy
internal import SPF
internal import SenderID

/// The authentication of one message: events of its SMTP transaction in, an assessment out.
///
/// Each check starts as soon as its subject is known, and all are joined once, after the body (RFC 7208 § 2.4, RFC 6376
/// § 3.6.2, RFC 4407 § 2, RFC 9989 § 5). The body is hashed as it passes and not kept.
///
/// A transaction belongs to one event loop or one task at a time, like its client.
public final class MailTransaction {
    /// The result of `advance`.
    public enum Progress {
        /// Answers are missing: wait for them and call `advance` again.
        case waiting(OpenChecks)
        /// All outcomes are known.
        case complete(MailAssessment)
    }

    /// The client that sends the message; of a relayed message the true one, once the header has named it.
    public internal(set) var client: MailClient
    /// The argument of MAIL FROM, without angle brackets; empty for the null sender.
    public let sender: [UInt8]
    /// The message's header fields so far.
    public private(set) var headers = HeaderBlock.ofMessage()
    let record: LookupRecord

    let now: UnixTime
    private let submitter: [UInt8]?
    private let isSenderKnown: Bool
    /// Who sent the message to the relay of our own that passes it on; nil for a message that comes directly.
    let relayed: RelayedMail?
    var spf: Pending<SPFOutcome>?
    var senderID: Pending<SenderIDOutcome>?
    var verifier: DKIMMessageVerifier?
    var keys: [(question: DNSQuestion, reply: Pending<DNSReply>)] = []
    var signatures: [DKIMOutcome]?
    private(set) var chain: ChainCheck?
    var discovery: Pending<DMARCDiscovery>?
    var dmarc: Pending<DMARCOutcome>?
    /// Tree walks that alignment may need; no caller waits for them.
    private var lookAheads: [Pending<DMARCTreeWalk>] = []
    private(set) var author: AuthorIdentity?
    var permits: PermitChecks?
    private(set) var list: MailingList?
    var listCheck: Pending<Truth>?
    /// The contents of the first From field.
    private var authorList: AddressList?
    private(set) var isExpired = false
    /// Whether the header has more fields than were taken.
    public private(set) var isHeaderCut = false
    private var isHeaderOver = false

    var settings: AuthenticationSettings { client.settings }

    /// Begins with MAIL FROM, and starts the SPF check for it.
    ///
    /// - Parameters:
    ///   - client: the client that sends the message.
    ///   - sender: the reverse-path without angle brackets; empty for the null sender.
    ///   - isSenderKnown: whether there is a reverse-path; SPF has nothing to check without one.
    ///   - submitter: the SUBMITTER parameter as sent, if there was one (RFC 4405).
    ///   - resolver: answers the questions.
    ///   - now: the time.
    public convenience init(
        client: MailClient,
        sender: some Sequence<UInt8>,
        isSenderKnown: Bool = true,
        submitter: [UInt8]? = nil,
        resolver: any DNSResolving,
        now: UnixTime
    ) {
        self.init(client, nil, sender: sender, isSenderKnown: isSenderKnown, submitter: submitter, resolver, now: now)
    }

    init(
        _ client: MailClient,
        _ relayed: RelayedMail?,
        sender: some Sequence<UInt8>,
        isSenderKnown: Bool,
        submitter: [UInt8]?,
        _ resolver: any DNSResolving,
        now: UnixTime
    ) {
        self.client = client
        self.relayed = relayed
        self.isSenderKnown = isSenderKnown
        self.sender = Array(sender)
        self.submitter = submitter
        self.now = now
        record = LookupRecord(resolver)
        let settings = client.settings
        if settings.checks.dkim || settings.checks.dmarc {
            verifier = DKIMMessageVerifier(options: settings.dkim, now: now)
        }
        if settings.checks.arc { chain = ChainCheck(settings.dkim, now: now) }
        permits = checkPermits()
        spf = checkSender()
    }

    /// Starts SPF of the domains that rules ask about, if there are any; not as long as a relay's client is not known.
    func checkPermits() -> PermitChecks? {
        guard !settings.permits.isEmpty, relayed == nil || client.address != nil || client.isUnknown else { return nil }
        return PermitChecks(settings.permits, client, record.resolver(.permits), now: now)
    }

    /// Starts SPF of MAIL FROM, if there is a client to check.
    func checkSender() -> Pending<SPFOutcome>? {
        guard settings.checks.spf, isSenderKnown, let address = client.address else { return nil }
        let inquiry = SPFInquiry(
            mailFrom: sender[...],
            helo: client.helo[...],
            client: address,
            now: now,
            options: settings.spf
        )
        return Pending(inquiry, record.resolver(.mailFrom), on: client.executor)
    }
}

extension MailTransaction {
    /// The lookups that this message uses, those of its connection first.
    public var lookups: [LookupRecord.Entry] { client.record.entries + record.entries }
}

// MARK: Events

extension MailTransaction {
    /// Takes earlier results of the signatures and of the chain; they are not verified again.
    func resume(_ signatures: [DKIMOutcome], _ chain: ARCOutcome?) {
        verifier = nil
        self.signatures = signatures
        self.chain = settings.checks.arc ? chain.map(ChainCheck.init(known:)) : nil
    }

    /// Takes what a relay of our own reported of MAIL FROM when the message was judged before.
    func resume(reported spf: SPFOutcome?) {
        self.spf = spf.map { .known($0) }
    }

    /// Takes a header field in its packet; questions for a signature's key and the author's policy start at once.
    public func header(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
        unsafe headers.append(name: name, value: value)
        let name = unsafe name.trimmed
        if unsafe name.equalsIgnoringCase("DKIM-Signature") {
            takeSignature()
        } else if unsafe name.equalsIgnoringCase("From") {
            takeAuthor()
        } else if unsafe name.equalsIgnoringCase("List-Id") {
            takeList()
        }
        if let relayed { takeTrace(relayed) }
    }

    private func takeList() {
        guard let field = lastField else { return }
        var list = list ?? MailingList()
        list.add(field.value)
        self.list = list
    }

    /// Leaves out the rest of a header that is too large: what depends on the whole header is not found then.
    public func cutHeader() { isHeaderCut = true }

    /// Takes a header field.
    public func header(name: Octets, value: Octets) {
        unsafe name.withUnsafeBytes { name in
            unsafe value.withUnsafeBytes { value in unsafe header(name: name, value: value) }
        }
    }

    private func takeSignature() {
        guard let field = lastField, let question = verifier?.headerField(field, at: headers.count - 1) else { return }
        keys.append((question, Pending(question, record.resolver(.keys))))
    }

    private func takeAuthor() {
        guard settings.checks.dmarc, author == nil, let field = lastField else { return }
        let reading = AddressList.reading(field.value)
        authorList = try? reading.get()
        discoverPolicy(AuthorIdentity(from: field.value, reading: reading))
    }

    /// A copy of the lowest field so far: if a view of the header were kept, the next field would cause a copy of the
    /// header.
    var lastField: HeaderField? { headers.last?.copy }

    /// Ends the header section: the purported responsible address is now known.
    public func endOfHeaders() {
        isHeaderOver = true
        relayed?.end()
        verifier?.endOfHeaders(headers)
        verifier?.checkHeaders { question in reply(to: question) }
        // The author of the first From field is already known, and is the author if there is no other From field.
        let isAuthorKnown = author != nil && headers.indices.count { headers.hasName("From", at: $0) } == 1
        if settings.checks.dmarc, !isAuthorKnown { discoverPolicy(AuthorIdentity(of: headers)) }
        chain?.endOfHeaders(headers, record.resolver(.arc), on: client.executor)
        lookAhead()
        guard settings.checks.senderID, let address = client.address else { return }
        let inquiry = SenderIDInquiry(
            of: headers,
            author: isAuthorKnown ? readAuthor : nil,
            helo: client.helo[...],
            client: address,
            now: now,
            submitter: submitter?[...],
            options: settings.spf
        )
        senderID = Pending(inquiry, record.resolver(.senderID), on: client.executor)
    }

    /// The author read from the first From field.
    private var readAuthor: PurportedResponsibleAddress.Author? {
        authorList.map { PurportedResponsibleAddress.Author(list: $0, domain: author?.authorDomain) }
    }

    /// Takes a part of the body, split anywhere.
    public func body(_ chunk: UnsafeRawBufferPointer) {
        unsafe verifier?.body(chunk)
        unsafe chain?.body(chunk)
    }

    /// Whether the rest of the body can no longer change the result.
    public var isBodyComplete: Bool { (verifier?.isBodyComplete ?? true) && (chain?.isBodyComplete ?? true) }

    /// Ends the body, and also a header without an end: otherwise checks that rules need would not be made.
    public func endOfBody() {
        if !isHeaderOver { endOfHeaders() }
        verifier?.endOfBody()
    }

    /// Counts every open question as unanswered.
    public func expire() {
        isExpired = true
        client.cancel()
        cancel()
    }

    /// Cancels the questions for this message alone.
    public func cancel() {
        spf?.cancel()
        senderID?.cancel()
        for key in keys { key.reply.cancel() }
        chain?.cancel()
        discovery?.cancel()
        dmarc?.cancel()
        permits?.cancel()
        listCheck?.cancel()
        endLookAheads()
        // The client of a relayed message sends no other message here.
        if relayed != nil { client.cancel() }
    }

    /// Cancels the look-aheads that turned out to be unnecessary.
    func endLookAheads() {
        for walk in lookAheads { walk.cancel() }
        lookAheads = []
    }

    /// Starts to look up the author's policy; again if the header turns out to name another author than the first From
    /// field.
    private func discoverPolicy(_ author: AuthorIdentity) {
        guard author != self.author else { return }
        self.author = author
        discovery?.cancel()
        let inquiry = DMARCPolicyInquiry(of: author, alignment: settings.alignment)
        discovery = Pending(inquiry, record.resolver(.policy), on: client.executor)
    }

    /// Whether an outcome that depends only on the header must still be waited for.
    private var isWaiting: Bool {
        discovery?.openCheck != nil || spf?.openCheck != nil || keys.contains { $0.reply.openCheck != nil }
    }

    /// Asks about the domains that may be aligned with the author's domain, before their SPF and DKIM results are
    /// known.
    ///
    /// RFC 9989 § 4.10.2: a domain other than the author's is aligned when it has the same Organizational Domain, which
    /// takes a tree walk. While other answers must be waited for, the walk can run at the same time.
    private func lookAhead() {
        guard isWaiting, discovery != nil, let authors = author?.policyDomains else { return }
        var identifiers = verifier?.signingDomains ?? []
        if spf != nil, let sender = SPFIdentity(mailFrom: sender[...], helo: client.helo[...]).domain {
            identifiers.append(sender)
        }
        // An Organizational Domain has at least two labels, except for records that public suffixes publish for
        // themselves.
        for identifier in Set(identifiers) where authors.contains(where: { $0.suffix(2) == identifier.suffix(2) }) {
            guard !authors.contains(identifier) else { continue }
            lookAheads.append(
                Pending(DMARCWalkInquiry(from: identifier), record.resolver(.alignment), on: client.executor)
            )
        }
    }
}
