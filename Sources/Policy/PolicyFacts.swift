public import MailSyntax

/// A result word of a check (RFC 8601 § 2.7).
public enum ResultWord: String, CaseIterable, Sendable {
    /// The sender is authentic.
    case pass
    /// The sender is not authentic.
    case fail
    /// The sender is probably not authentic.
    case softfail
    /// The domain makes no statement.
    case neutral
    /// There is nothing to check.
    case none
    /// The DNS did not answer; this is never a fail.
    case temperror
    /// The domain's records cannot be used; this is never a fail.
    case permerror
    /// The signature is valid, but not acceptable here (DKIM; RFC 8601 § 2.7.1).
    case policy
}

/// The DMARC policy that the author's domain requests (RFC 9989 § 4.7, `p`).
public enum DMARCPolicyWord: String, CaseIterable, Sendable {
    /// No treatment of failing mail.
    case none
    /// Failing mail should be treated as suspicious.
    case quarantine
    /// Failing mail should be refused.
    case reject
    /// There is no record.
    case absent
}

/// An address of the envelope or the header, as conditions use it.
///
/// Few messages meet a condition on a part of an address, so the parts are read only on use.
public struct MailAddress: Hashable, Sendable {
    private let octets: Octets

    /// Reads an address, with or without angle brackets.
    public init(_ octets: Octets) {
        self.octets = SMTPPath(octets).mailbox
    }

    /// Reads an address, with or without angle brackets.
    public init(_ text: String) {
        self.init(Octets(text))
    }

    /// Takes an address that is without angle brackets already, such as the `text` of another.
    public init(mailbox: Octets) {
        octets = mailbox
    }

    private var at: Int? { octets.separatorOfMailbox }

    /// Whether this is the null sender.
    var isEmpty: Bool { octets.isEmpty }

    /// The whole address, without angle brackets; empty for the null sender.
    public var text: String { octets.text }

    /// The text before the `@`.
    public var localPart: String { octets[..<(at ?? octets.endIndex)].text }

    /// The domain after the `@`; nil when it is not a domain name.
    public var domain: DomainName? { at.flatMap { try? DomainName(unicode: octets[($0 + 1)...]) } }
}

/// All facts about a message that rules can use.
///
/// nil means that a fact is unknown: not known yet or, at the end of the message, never, with its check switched off.
/// An unknown fact satisfies neither a condition nor its negation. A check without an answer is `temperror`.
public struct PolicyFacts: Sendable {
    /// The result of each check; for DKIM, the result of the best signature.
    public var results = PerCheck<ResultWord?> { _ in nil }
    /// The Sender ID result if the PRA is of the author's domain, or of one above or below it; otherwise `none`.
    public var senderIDAligned: ResultWord?
    /// The best result among the signatures whose domain is aligned with the author's.
    public var dkimAligned: ResultWord?
    /// The policy that applies to the author's domain, after test mode (RFC 9989 § 4.7, `t`).
    public var dmarcPolicy: DMARCPolicyWord?
    /// The same policy as published.
    public var dmarcPublished: DMARCPolicyWord?
    /// The client's address; nil for local mail and when the MTA does not say.
    public var client: IPAddress?
    /// The names that iprev verified: empty when there is none or the DNS gave no answer, nil when not known.
    public var clientNames: [DomainName]?
    /// The names for which the DNS gave no answer, so that it is unknown whether the client has them.
    public var unansweredClientNames: [DomainName] = []
    /// The name of HELO or EHLO.
    public var helo: String?
    /// MAIL FROM; the null sender has an empty text.
    public var mailFrom: MailAddress?
    /// The purported responsible address; nil until it is known.
    ///
    /// Its text is empty when the message has none.
    public var pra: MailAddress?
    /// The domains of the authors in From; if From cannot be read, all that a reader might take for the author's.
    public var fromDomains: [DomainName]?
    /// How the author could be read.
    public var author: AuthorReading?
    /// The number of authors in all From fields.
    public var fromCount: Int?
    /// Whether the client has authenticated or is trusted.
    public var authenticated: Bool?
    /// The domains of the DKIM signatures that passed.
    public var dkimDomains: [DomainName]?
    /// The domains of the signatures for which the DNS gave no answer, so that their results are unknown.
    public var unansweredDKIMDomains: [DomainName] = []
    /// The domain of the newest seal, if the whole chain passes and its sealer vouches for the message; otherwise empty.
    public var arcSealers: [DomainName]?
    /// The domain of the newest seal of a chain for which the DNS gave no answer.
    public var unansweredARCSealers: [DomainName] = []
    /// The domains of the List-Id fields that can be read (RFC 2919); nil before the header is known.
    public var listDomains: [DomainName]?
    /// Whether a signature over the only List-Id field, or the client's verified name, is of the list's organization.
    public var listVerified = Truth.unknown
    /// Whether SPF fails, and a signature of the author's holds, or would hold but for a change that is known.
    public var forwarded = Truth.unknown
    /// Whether SPF passes by `all`, or by a network as large as a good part of all addresses.
    public var spfOpen = Truth.unknown
    /// The domains, of those that rules ask about, whose SPF records permit the client; nil when not known.
    public var permittedBy: [DomainName]?
    /// The domains for whose SPF records the DNS gave no answer.
    public var unansweredPermits: [DomainName] = []
    /// The explanation of the domain of MAIL FROM for an SPF fail (RFC 7208 § 6.2); it may be any text.
    public var explanation: String?
    /// The explanation of the PRA's domain for a Sender ID fail (RFC 4406 § 5.3); it may be any text.
    public var senderIDExplanation: String?
    /// Whether a reply explains the Sender ID result instead of the SPF result.
    var explainsPRA = false

    /// No facts.
    public init() {}

    /// Whether the author's domain has signed the message: then it is no forgery, whatever else is unknown.
    var isSignedByAuthor: Bool {
        if dkimAligned == .pass { return true }
        // RFC 9989 § 3.2.10: identical domains are aligned, whether or not DMARC is checked.
        guard fromCount == 1, author != .unreadable, let signed = dkimDomains else { return false }
        return fromDomains?.isEmpty == false && fromDomains?.allSatisfy(signed.contains) == true
    }

    /// The facts that can be known before DATA: the envelope, SPF, and the client's names.
    public var ofEnvelope: PolicyFacts {
        var facts = self
        for check in Check.allCases where !check.isOfEnvelope { facts.results[check] = nil }
        facts.senderIDAligned = nil
        facts.dkimAligned = nil
        facts.dmarcPolicy = nil
        facts.dmarcPublished = nil
        facts.pra = nil
        facts.fromDomains = nil
        facts.fromCount = nil
        facts.author = nil
        facts.dkimDomains = nil
        facts.arcSealers = nil
        facts.listDomains = nil
        facts.listVerified = .unknown
        facts.forwarded = .unknown
        return facts
    }
}

extension PerCheck<ResultWord?> {
    /// Counts a client that hides as one that no domain permits: a result of SPF or Sender ID, which is `none` without an
    /// address, becomes `fail`.
    public mutating func refuseClient() {
        if spf != nil { spf = .fail }
        if spfHelo != nil { spfHelo = .fail }
        if senderID != nil { senderID = .fail }
    }
}
