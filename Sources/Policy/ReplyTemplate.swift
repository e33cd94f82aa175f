internal import MailSyntax

/// The names that a template may have in braces.
public enum ReplyPlaceholder: Sendable {
    /// The result of a check that has a setting of its own.
    case result(Check)
    /// Another fact about the message.
    case fact(Fact)

    /// The facts besides results.
    public enum Fact: String, CaseIterable, Sendable {
        /// The explanation of the failure by the sender's domain.
        case explanation
        /// The client's address.
        case client
        /// The name of HELO.
        case helo
        /// The address in MAIL FROM.
        case sender
        /// The domain of MAIL FROM, or of HELO for the null sender.
        case domain
        /// The purported responsible address.
        case pra
        /// The author's domain.
        case from
        /// The recipient.
        case recipient
        /// The rule's name.
        case rule
    }
}

extension ReplyPlaceholder: CaseIterable {
    /// All placeholders.
    public static var allCases: [ReplyPlaceholder] {
        Fact.allCases.map(Self.fact) + Check.allCases.filter { $0 == $0.setting }.map(Self.result)
    }
}

extension ReplyPlaceholder: RawRepresentable {
    /// The name in the braces.
    public var rawValue: String {
        switch self {
        case .result(let check): check.rawValue
        case .fact(let fact): fact.rawValue
        }
    }

    /// The placeholder of a name; nil for an unknown name.
    public init?(rawValue: String) {
        guard let placeholder = Self.allCases.first(where: { $0.rawValue == rawValue }) else { return nil }
        self = placeholder
    }
}

/// The reply of a rule, with placeholders.
public struct ReplyTemplate: Sendable {
    /// Why a text is not a reply.
    public enum SyntaxError: Error, Hashable, Sendable {
        /// The code is not of the action's class.
        case wrongCode(String, wanted: String)
        /// 421 ends the whole SMTP session.
        case endsSession
        /// The enhanced status code is of another class than the code.
        case classesDiffer(String)
        /// There is no such placeholder.
        case unknownPlaceholder(String)
        /// A brace has no partner.
        case unbalancedBrace
        /// A character is not printable US-ASCII, or is a line end.
        case notPrintable
        /// The text has only codes.
        case noText
        /// The text is too long for a reply line.
        case tooLong
    }

    private enum Part: Sendable {
        case literal(String)
        case placeholder(ReplyPlaceholder)
    }

    private let code: Int?
    private let enhanced: String?
    private let parts: [Part]

    /// Reads `550 5.7.1 text`; the codes may be absent.
    public init(_ text: String, action: RuleAction) throws(SyntaxError) {
        guard text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else { throw .notPrintable }
        guard text.utf8.count <= PolicyReply.maximumText else { throw .tooLong }
        let wanted = action == .tempfail ? "4" : "5"
        var words = text.split(separator: " ", omittingEmptySubsequences: true)[...]
        var code: Int?
        if let word = words.first, word.utf8.count == 3, let number = Int(word), word.utf8.allSatisfy(\.isDigit) {
            guard word.hasPrefix(wanted) else { throw .wrongCode(String(word), wanted: wanted + "xx") }
            // RFC 5321 § 3.8: 421 announces that the server closes the channel.
            guard number != 421 else { throw .endsSession }
            code = number
            words = words.dropFirst()
        }
        var enhanced: String?
        if let word = words.first, Self.isEnhancedCode(word) {
            guard word.hasPrefix(wanted) else { throw .classesDiffer(String(word)) }
            enhanced = String(word)
            words = words.dropFirst()
        }
        guard !words.isEmpty else { throw .noText }
        self.code = code
        self.enhanced = enhanced
        parts = try Self.parts(words.joined(separator: " "))
    }

    /// RFC 3463 § 2: class "." subject "." detail.
    private static func isEnhancedCode(_ word: Substring) -> Bool {
        let numbers = word.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 3
            && numbers.allSatisfy { (1...3).contains($0.utf8.count) && $0.utf8.allSatisfy(\.isDigit) }
    }

    private static func parts(_ text: String) throws(SyntaxError) -> [Part] {
        var parts = [Part]()
        var rest = text[...]
        while let brace = rest.firstIndex(where: { $0 == "{" || $0 == "}" }) {
            guard rest[brace] == "{", let end = rest[brace...].firstIndex(of: "}") else { throw .unbalancedBrace }
            if brace > rest.startIndex { parts.append(.literal(String(rest[..<brace]))) }
            let name = String(rest[rest.index(after: brace)..<end])
            guard let placeholder = ReplyPlaceholder(rawValue: name) else { throw .unknownPlaceholder(name) }
            parts.append(.placeholder(placeholder))
            rest = rest[rest.index(after: end)...]
        }
        if !rest.isEmpty { parts.append(.literal(String(rest))) }
        return parts
    }

    /// The reply for a message, with the codes of `standard` if the template has none.
    func filled(_ facts: PolicyFacts, rule: String, recipient: MailAddress?, standard: PolicyReply) -> PolicyReply {
        var text = ""
        for part in parts {
            switch part {
            case .literal(let literal): text += literal
            case .placeholder(let placeholder): text += facts.filling(placeholder, rule: rule, recipient: recipient)
            }
        }
        // A code without an enhanced code keeps the enhanced code of the standard reply. Both are of one class, because
        // the action determines the class.
        return PolicyReply(code: code ?? standard.code, enhanced: enhanced ?? standard.enhanced, bounding: text)
    }
}

extension PolicyFacts {
    /// The domain that is responsible for the envelope.
    var envelopeDomain: String? {
        if let mailFrom, !mailFrom.isEmpty { return mailFrom.domain?.description }
        return helo
    }

    fileprivate func filling(_ placeholder: ReplyPlaceholder, rule: String, recipient: MailAddress?) -> String {
        let text: String?
        switch placeholder {
        case .result(let check): text = results[check]?.rawValue
        case .fact(.explanation): return explanationText
        case .fact(.client): text = client?.description
        case .fact(.helo): text = helo
        case .fact(.sender): text = mailFrom.map { "<" + $0.text + ">" }
        case .fact(.domain): text = envelopeDomain
        case .fact(.pra): text = pra?.text
        case .fact(.from): text = fromDomains?.first?.description
        case .fact(.recipient): text = recipient.map { "<" + $0.text + ">" }
        case .fact(.rule): text = rule
        }
        guard let text, !text.isEmpty else { return "unknown" }
        return ReplyText.quoted(text, limit: 128)
    }

    /// RFC 7208 § 6.2: the explanation comes from a third party, and the reader must be able to see that.
    var explanationText: String {
        guard let explanation = explainsPRA ? senderIDExplanation : explanation, !explanation.isEmpty else {
            return explainsPRA
                ? permission(results.senderID, praDomain) : permission(results.spf, envelopeDomain)
        }
        return ReplyText.inQuotes(explanation, limit: 200)
    }

    /// The domain that answers for the PRA.
    var praDomain: String? { pra?.domain?.description ?? envelopeDomain }

    /// What a result of SPF or Sender ID says of the client, for somebody who has heard of neither.
    func permission(_ word: ResultWord?, _ domain: String?) -> String {
        let domain = ReplyText.quoted(domain ?? "unknown", limit: 128)
        let client = client?.description ?? "the client"
        return switch word {
        case .temperror, .permerror: "the record of \(domain) could not be evaluated"
        case .fail, .softfail: "\(client) is not permitted to send mail for \(domain)"
        // RFC 7208 §§ 2.6.1, 2.6.2: "none" and "neutral" say nothing about the client.
        default: "\(domain) does not say that \(client) is permitted to send its mail"
        }
    }
}
