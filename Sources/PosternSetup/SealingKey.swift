public import DKIM
internal import MailSyntax
internal import Policy
internal import PosternConfiguration

/// The key that seals mail, and whose mail it seals.
public struct SealingKey: Sendable {
    /// The key.
    public let key: DKIMSigningKey
    /// The domains of the recipients whose mail is sealed; empty for all.
    private let recipientDomains: Set<DomainName>

    /// Reads the key that the configuration names; nil where nothing is sealed.
    init?(_ sealing: Configuration.Sealing) throws(ConfigurationError) {
        guard let read = Self.read(sealing, as: .current) else { return nil }
        guard read.problems.isEmpty else { throw ConfigurationError(problems: read.problems) }
        guard let key = read.key else { return nil }
        self.key = key
        recipientDomains = Set(sealing.recipientDomains.names)
    }

    /// Whether mail to these recipients is sealed.
    public func covers(_ recipients: [[UInt8]]) -> Bool {
        recipientDomains.isEmpty
            || recipients.contains { MailAddress($0[...]).domain.map(recipientDomains.contains) ?? false }
    }

    /// The problems of the key, for an account; a key that few can check is a warning.
    static func problems(_ sealing: Configuration.Sealing, as account: Account) -> [ConfigurationProblem] {
        guard let read = read(sealing, as: account) else { return [] }
        guard let key = read.key, key.algorithm != .rsaSHA256 else { return read.problems }
        let warning = ConfigurationProblem(
            file: sealing.location.file,
            line: sealing.location.line,
            column: 0,
            key: "sealing.key",
            message: "few receivers check seals by such a key (\(key.algorithm.rawValue))",
            accepted: "an RSA key, by: postern keygen --type rsa",
            isWarning: true
        )
        return read.problems + [warning]
    }

    private static func read(
        _ sealing: Configuration.Sealing,
        as account: Account
    ) -> (key: DKIMSigningKey?, problems: [ConfigurationProblem])? {
        guard let signing = sealing.signing else { return nil }
        let (keys, problems) = SigningTable.keys(of: signing, as: account) { _ in "sealing.key" }
        return (keys[sealing.domain]?.first, problems)
    }
}
