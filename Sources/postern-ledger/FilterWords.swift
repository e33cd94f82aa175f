internal import ArgumentParser
internal import Ledger
internal import MailSyntax
internal import Policy
internal import PosternConfiguration

/// Reads the values of filters, and says what is wrong with one that no message can have.
enum FilterWords {
    /// The actions that the verdict of a message can have.
    private static let actions = RuleAction.allCases.filter { $0 != .mark }.map(\.rawValue)

    /// An action; mail of our own may have been signed.
    static func action(_ text: String) throws -> String {
        try word(text, of: actions + ["sign"], "--action: '\(text)' is no action")
    }

    /// An action that rules can have.
    static func would(_ text: String) throws -> String {
        try word(text, of: actions, "--would: '\(text)' is no action")
    }

    /// A result of a check, written `dmarc=fail`.
    static func result(_ text: String) throws -> MessageFilter.Result {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        guard let name = parts.first, parts.count == 2 else {
            throw ValidationError("'\(text)' is no result; expected one such as dmarc=fail")
        }
        let checks = Check.allCases.map(\.rawValue)
        let found = try word(name.replacing("-", with: "_"), of: checks, "there is no check '\(name)'")
        guard let check = Check(rawValue: found) else { throw ValidationError("there is no check '\(name)'") }
        let words = check.words.map(\.rawValue)
        return MessageFilter.Result(check, try word(parts[1], of: words, "\(found) is never '\(parts[1])'"))
    }

    /// The domain of an author.
    static func author(_ text: String) throws -> MessageFilter.Domain {
        if let domain = try? MessageFilter.Domain(text), domain.name.isHostName { return domain }
        let meant =
            text.hasPrefix("*.")
            ? String(text.dropFirst()) : text.lastIndex(of: "@").map { String(text[text.index(after: $0)...]) }
        let hint = meant.flatMap { try? MessageFilter.Domain($0) }.flatMap { $0.name.isHostName ? meant : nil }
        throw ValidationError(
            "--author: '\(text)' is no domain name; "
                + (hint.map { "did you mean \($0)?" } ?? "expected one such as example.org or .example.org")
        )
    }

    /// The address of a client, or a network.
    static func client(_ text: String) throws -> IPNetwork {
        if let network = IPNetwork(text) { return network }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        if parts.count == 2, let address = IPAddress(parts[0]), let length = Int(parts[1]), length > address.bitWidth {
            throw ValidationError("--client: '\(text)': /\(length) is longer than \(address.bitWidth)")
        }
        let isName =
            text.contains { $0.isLetter } && !text.contains(":") && (try? DomainName(unicode: Octets(text))) != nil
        throw ValidationError(
            "--client: '\(text)' is no IP address; "
                + (isName
                    ? "did you mean --client-name, or --helo?" : "expected one such as 192.0.2.1 or 2001:db8::/32")
        )
    }

    /// A host's name, or with a dot before it the names below.
    static func host(_ text: String, _ option: String) throws -> String {
        guard !text.isEmpty, !text.hasPrefix("*") else {
            throw ValidationError(
                "\(option): expected a name such as mail.example.org, or .example.org for those below"
            )
        }
        return text
    }

    /// An address of the envelope, or a domain.
    static func address(_ text: String, _ option: String) throws -> MessageFilter.Address {
        let expected = "expected an address, a domain, or '<>'"
        guard !text.isEmpty else { throw ValidationError("\(option): \(expected)") }
        let address = MessageFilter.Address(text)
        switch address {
        case .address(""): return address
        case .address(let mailbox):
            let domain = mailbox.split(separator: "@", omittingEmptySubsequences: false).last.map(String.init) ?? ""
            if domain.hasPrefix("[") || isHostName(domain) { return address }
        case .domain(let domain):
            // Without a dot it is rather the first part of an address.
            if isHostName(domain), domain.contains(".") || text.hasPrefix("@") { return address }
        }
        throw ValidationError("\(option): '\(text)' is neither an address nor a domain; \(expected)\(hint(text))")
    }

    /// What may have been meant in place of an address.
    private static func hint(_ text: String) -> String {
        if text.hasPrefix("."), isHostName(String(text.dropFirst())) {
            return "; subdomains cannot be asked for: \(text.dropFirst()) is the domain alone"
        }
        return isHostName(text) ? "; a domain of one word is @\(text)" : ""
    }

    private static func isHostName(_ text: String) -> Bool {
        (try? DomainName(unicode: Octets(text)))?.isHostName == true
    }

    /// One of these words.
    private static func word(_ text: String, of words: [String], _ problem: String) throws -> String {
        let found = text.lowercased()
        if words.contains(found) { return found }
        let closest = Suggestion.closest(to: text, of: words).map { "; did you mean \($0)?" } ?? ""
        throw ValidationError(
            "\(problem)\(closest.isEmpty ? ";" : closest) expected one of \(words.joined(separator: ", "))"
        )
    }
}

extension MessageFilter.Domain {
    /// The name, without the dot before it.
    fileprivate var name: DomainName {
        switch self {
        case .name(let name), .below(let name): name
        }
    }
}
