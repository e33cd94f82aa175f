public import MailSyntax

/// A result word of a check (RFC 8601 § 2.7).
public enum ResultWord: String, CaseIterable, Sendable {
    /// The sender is who it says.
    case pass
    /// The sender is not who it says.
    case fail
    /// Probably not.
    case softfail
    /// The domain says nothing either way.
    case neutral
    /// Nothing to check.
    case none
    /// The DNS did not answer. Never a fail.
    case temperror
    /// What the domain publishes cannot be used. Never a fail.
    case permerror
    /// Correct, but not acceptable here (DKIM; RFC 8601 § 2.7.1).
    case policy
}

/// What the author's domain asks for by DMARC (RFC 9989 § 4.7, `p`).
public enum DMARCPolicyWord: String, CaseIterable, Sendable {
    /// Nothing.
    case none
    /// That failing mail be treated as suspicious.
    case quarantine
    /// That failing mail be refused.
    case reject
    /// There is no record.
    case absent
}

/// An address of the envelope or the header, as conditions look at it.
///
/// Few messages meet a condition that asks for a part of an address, so the parts are read when they are asked for.
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

    private var at: Int? { octets.separatorOfMailbox }

    /// Whether it is the null sender.
    var isEmpty: Bool { octets.isEmpty }

    /// The whole address, without angle brackets; empty for the null sender.
    public var text: String { octets.text }

    /// What stands before the `@`.
    public var localPart: String { octets[..<(at ?? octets.endIndex)].text }

    /// What stands after it; nil when that is no domain name.
    public var domain: DomainName? { at.flatMap { try? DomainName(unicode: octets[($0 + 1)...]) } }
}

/// Everything that rules can ask about a message.
///
/// nil means that the answer is not known: not yet, or, at the end of the message, not at all because the check is
/// switched off. No condition on an unknown fact holds, and neither does its negation. A check that was made and got no
/// answer is `temperror`.
public struct PolicyFacts: Sendable {
    /// The result of each check; of DKIM that of the best signature.
    public var results = PerCheck<ResultWord?> { _ in nil }
    /// That of Sender ID when the PRA is of the author's domain, or of one above or below it; none when it is anybody else's.
    public var senderIDAligned: ResultWord?
    /// The best result among the signatures whose domain is aligned with the author's.
    public var dkimAligned: ResultWord?
    /// The policy that applies to the author's domain, after test mode (RFC 9989 § 4.7, `t`).
    public var dmarcPolicy: DMARCPolicyWord?
    /// The same policy as it is published.
    public var dmarcPublished: DMARCPolicyWord?
    /// The client's address; nil for local mail and when the MTA does not say.
    public var client: IPAddress?
    /// The names that iprev verified: an empty list when there is none or the DNS gave no answer, nil when not known.
    public var clientNames: [DomainName]?
    /// The names of which it is not known whether the client has them, because the DNS gave no answer.
    public var unansweredClientNames: [DomainName] = []
    /// The name of HELO or EHLO.
    public var helo: String?
    /// MAIL FROM; the null sender has an empty text.
    public var mailFrom: MailAddress?
    /// The purported responsible address; nil until it is known.
    ///
    /// It has an empty text when the message has none.
    public var pra: MailAddress?
    /// The domains of the authors in From; where it cannot be read, all that a reader might take for the author's.
    public var fromDomains: [DomainName]?
    /// How the author could be read.
    public var author: AuthorReading?
    /// How many authors From has, over all its fields.
    public var fromCount: Int?
    /// Whether the client has authenticated or is trusted.
    public var authenticated: Bool?
    /// The domains of the DKIM signatures that passed.
    public var dkimDomains: [DomainName]?
    /// The domains of the signatures of which it is not known, because the DNS gave no answer.
    public var unansweredDKIMDomains: [DomainName] = []
    /// What the domain of MAIL FROM says about an SPF fail (RFC 7208 § 6.2); any text.
    public var explanation: String?
    /// What the domain of the PRA says about a Sender ID fail (RFC 4406 § 5.3); any text.
    public var senderIDExplanation: String?
    /// Whether a reply explains the Sender ID result rather than that of SPF.
    var explainsPRA = false

    /// No facts.
    public init() {}

    /// Whether the author's domain has signed the message: whatever else is not known, this is no forgery.
    var isSignedByAuthor: Bool {
        if dkimAligned == .pass { return true }
        // RFC 9989 § 3.2.10: identical domains are aligned, whether or not DMARC is checked.
        guard fromCount == 1, author != .unreadable, let signed = dkimDomains else { return false }
        return fromDomains?.isEmpty == false && fromDomains?.allSatisfy(signed.contains) == true
    }

    /// What can be known before DATA: the envelope, SPF, and the client's names.
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
        return facts
    }
}
