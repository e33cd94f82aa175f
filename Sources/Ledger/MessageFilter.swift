public import MailSyntax
public import Policy

/// Which messages are asked for: those that meet every condition that is given.
public struct MessageFilter: Sendable {
    /// A name, or all names below one.
    public enum Domain: Sendable, Equatable {
        /// The domain itself.
        case name(DomainName)
        /// Its subdomains.
        case below(DomainName)

        /// Reads a domain; a leading dot means the subdomains, as in the rules.
        public init(_ text: String) throws(DomainName.SyntaxError) {
            let octets = Octets(text)
            self =
                octets.first == UInt8(ascii: ".")
                ? .below(try DomainName(unicode: octets.dropFirst())) : .name(try DomainName(unicode: octets))
        }
    }

    /// An address, or all addresses at a domain.
    public enum Address: Sendable, Equatable {
        /// One address; empty for the null sender.
        case address(String)
        /// Every address at a domain.
        case domain(String)

        /// Reads an address, with or without angle brackets, or a domain, with or without `@` before it.
        public init(_ text: String) {
            let mailbox = SMTPPath(Octets(text)).mailbox.text
            if mailbox.isEmpty {
                self = .address("")
            } else if let at = mailbox.lastIndex(of: "@"), at > mailbox.startIndex {
                self = .address(mailbox)
            } else {
                self = .domain(mailbox.hasPrefix("@") ? String(mailbox.dropFirst()) : mailbox)
            }
        }
    }

    /// The result of a check.
    public struct Result: Sendable, Equatable {
        /// The check.
        public let check: Check
        /// The word of its result.
        public let word: String

        /// A result.
        public init(_ check: Check, _ word: String) {
            self.check = check
            self.word = word
        }
    }

    /// Messages of this time or later.
    public var since: UnixTime?
    /// Messages before this time.
    public var until: UnixTime?
    /// The domain of the first author.
    public var author: Domain?
    /// The client's address.
    public var client: IPNetwork?
    /// The client's verified name, in any case; with a dot before it, the names below.
    public var clientName: String?
    /// The client's HELO name, written in the same way.
    public var helo: String?
    /// The envelope's sender.
    public var sender: Address?
    /// A recipient, accepted or not.
    public var recipient: Address?
    /// A rule that had a part in the verdict.
    public var rule: String?
    /// Results of checks, all of them.
    public var results: [Result] = []
    /// What was done.
    public var action: String?
    /// What would have been done, had the rules been enforced.
    public var would: String?
    /// The MTA's queue ID.
    public var queueID: String?

    /// All messages.
    public init() {}
}
