internal import MailCrypto
public import MailSyntax

/// Which report it is: who tells whom about which day and policy.
public struct ReportIdentity: Hashable, Sendable {
    /// The name of the reporting organization.
    public let organization: String
    /// Its address for questions, and the sender of the report.
    public let address: String
    /// The domain of `address`: the host that reports.
    public let receiver: DomainName
    /// The day in days since 1970, UTC.
    public let day: Int
    /// The policy.
    public let policy: PolicyConfiguration
    /// The Report-ID: 32 hexadecimal digits that follow from all above, so that a report has the same when it is sent again.
    ///
    /// RFC 9990 § 3.5.1 allows an `@`, and § 3.5.2 only letters and digits in the file name; they "MUST be identical when
    /// used" (§ 3.1.4).
    public let id: String

    /// A report; nil when `address` has no domain.
    ///
    /// - Parameters:
    ///   - organization: the name of the reporting organization.
    ///   - address: its address.
    ///   - day: the day in days since 1970, UTC.
    ///   - policy: the policy.
    public init?(organization: String, address: String, day: Int, policy: PolicyConfiguration) {
        let mailbox = Octets(address)
        guard let at = mailbox.separatorOfMailbox, at > mailbox.startIndex,
            let receiver = try? DomainName(mailHost: mailbox[(at + 1)...])
        else { return nil }
        self.organization = organization
        self.address = address
        self.receiver = receiver
        self.day = day
        self.policy = policy
        var writer = BlobWriter()
        writer.text(organization)
        writer.text(receiver.description)
        writer.number(UInt64(bitPattern: Int64(day)))
        let digest = SHA256Hasher.digest(writer.octets + policy.octets)
        id = String(decoding: digest.prefix(16).flatMap(\.hexadecimal), as: UTF8.self)
    }

    /// The first second of the day, since 1970.
    public var begin: Int { day &* 86_400 }

    /// The last second of the day, since 1970.
    public var end: Int { begin &+ 86_399 }

    /// The name of the compressed file (RFC 9990 § 3.5.2).
    public var fileName: String { "\(receiver)!\(policy.domain)!\(begin)!\(end)!\(id).xml.gz" }

    /// The Message-ID, without its brackets.
    public var messageID: String { "\(id)@\(receiver)" }

    /// The Subject on one line (RFC 9990 § 3.5.2, dmarc-subject).
    public var subject: String { subjectParts.joined(separator: " ") }

    /// The three parts of the Subject, between which it may be folded.
    var subjectParts: [String] {
        ["Report Domain: \(policy.domain)", "Submitter: \(receiver)", "Report-ID: \(id)"]
    }
}

extension UInt8 {
    /// The two hexadecimal digits of the octet.
    fileprivate var hexadecimal: [UInt8] {
        [self >> 4, self & 0xF].map { $0 < 10 ? 0x30 + $0 : 0x57 + $0 }
    }
}
