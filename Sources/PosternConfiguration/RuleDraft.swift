internal import MailSyntax
internal import Policy
internal import TOML

/// A rule as written, before its parts are combined.
struct RuleDraft: Sendable {
    var name = ""
    var when: [Condition] = []
    var unless: [[Condition]] = []
    var action = RuleAction.accept
    var reply: Reply?
    var observe = false
    let position: TOMLPosition

    /// A reply with its position, because its grammar depends on the action.
    struct Reply: Sendable {
        let text: String
        let position: TOMLPosition
    }

    init(position: TOMLPosition) {
        self.position = position
    }

    static let settings: [Setting<Self>] = [
        Setting(
            "name",
            \.name,
            .ruleName,
            required: true,
            example: "\"spf-strict\"",
            "The rule's name, as the log shows it: up to 64 letters, digits, \"-\", \"_\" and \".\". No two rules have the same."
        ),
        Setting(
            "when",
            \.when,
            .conditions,
            required: true,
            example: "{ spf = \"fail\" }",
            "A table of conditions, which must all hold. {} holds for every message."
        ),
        Setting(
            "unless",
            \.unless,
            .exemptions,
            example: "{ clients = \"192.0.2.0/24\" }",
            """
            What exempts from the rule: a table of conditions that must all hold, or a list of such tables, of which \
            one is enough.
            """
        ),
        Setting(
            "action",
            \.action,
            .word,
            required: true,
            example: "\"reject\"",
            """
            "accept": take the message, ask no further rule. "mark": name the rule in the log, go on. "junk": take it \
            and flag it. "quarantine": the MTA holds it. "reject": refuse it (5xx). "tempfail": refuse it for now \
            (4xx). "discard": take it and throw it away.
            """
        ),
        Setting(
            "reply",
            \.reply,
            .reply,
            example: "\"550 5.7.1 Refused: {explanation}\"",
            """
            What a refused client is told, with "reject" and "tempfail" only: at most 400 printable characters of US-ASCII. \
            The codes may be left out; they are then those of RFC 7372. A code is 5xx with "reject", 4xx with "tempfail", \
            and never 421. Placeholders are filled in.
            """
        ),
        Setting(
            "observe",
            \.observe,
            .flag,
            """
            Whether the rule is on trial: the log says trial=NAME:ACTION, and the rules below it are asked as if it \
            were not there.
            """
        ),
    ]

    /// The rule; problems with its reply are reported.
    func rule(_ path: String, _ reader: inout ConfigurationReader) -> Rule {
        var template: ReplyTemplate?
        if let reply {
            let key = path + ".reply"
            if action.isRefusal {
                do {
                    template = try ReplyTemplate(reply.text, action: action)
                } catch {
                    reader.report(reply.position, key, error.message, accepted: error.accepted(action))
                }
            } else {
                let message = "the action \"\(action.rawValue)\" sends no reply of its own"
                reader.report(reply.position, key, message, accepted: "reply with \"reject\" or \"tempfail\"")
            }
        }
        return Rule(
            name: name,
            when: when,
            unless: unless,
            action: action,
            reply: template,
            observe: observe,
            location: reader.location(position)
        )
    }
}

extension ReplyTemplate.SyntaxError {
    fileprivate var message: String {
        switch self {
        case .wrongCode(let code, _): "the code \(code) does not fit the action"
        case .endsSession: "the code 421 would end the whole SMTP session"
        case .classesDiffer(let code): "the enhanced status code \(code) does not fit the action"
        case .unknownPlaceholder(let name):
            "there is no placeholder {\(name)}"
                + (Self.closestPlaceholder(to: name).map { "; did you mean {\($0)}?" } ?? "")
        case .unbalancedBrace: "a brace has no partner"
        case .notPrintable: "a reply is one line of printable US-ASCII"
        case .noText: "the reply has no text"
        case .tooLong: "the reply is longer than 400 characters"
        }
    }

    private static func closestPlaceholder(to name: String) -> String? {
        Suggestion.closest(to: name, of: ReplyPlaceholder.allCases.map(\.rawValue))
    }

    fileprivate func accepted(_ action: RuleAction) -> String {
        let digit = action == .tempfail ? "4" : "5"
        switch self {
        case .wrongCode, .endsSession: return "a code \(digit)xx, as \"\(digit)50 \(digit).7.1 text\""
        case .classesDiffer: return "a code such as \(digit).7.1"
        case .unknownPlaceholder(let name):
            return Self.closestPlaceholder(to: name)
                ?? ReplyPlaceholder.allCases.map { "{\($0.rawValue)}" }.joined(separator: ", ")
        case .unbalancedBrace: return "placeholders in braces, as {client}; braces serve for nothing else"
        case .notPrintable, .noText, .tooLong: return "as \"\(digit)50 \(digit).7.1 Refused: {explanation}\""
        }
    }
}

extension ValueType where Value == String {
    /// A name that needs no quotes in the log.
    static let ruleName = ValueType.string(
        "name",
        accepted: "a name of letters, digits, \"-\", \"_\" and \".\", as \"spf-strict\"",
        write: { $0.isEmpty ? nil : $0 },
        parse: { text in
            let isName = text.utf8.allSatisfy {
                $0.isAlpha || $0.isDigit || [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")].contains($0)
            }
            return isName && (1...64).contains(text.utf8.count) ? text : nil
        }
    )
}

extension ValueType where Value == RuleDraft.Reply? {
    /// A reply; its grammar is checked when the action is known.
    static let reply = ValueType(
        name: "reply",
        accepted: "a reply, as \"550 5.7.1 Refused: {explanation}\"",
        read: { value, key, reader in
            guard case .string(let text) = value.content else {
                reader.report(
                    value.position,
                    key,
                    "\(value.kind) cannot be used",
                    accepted: "a reply, as \"550 5.7.1 text\""
                )
                return nil
            }
            return .some(RuleDraft.Reply(text: text, position: value.position))
        },
        write: { $0.map { TOMLText.quoted($0.text) } }
    )
}

extension ValueType where Value == [Condition] {
    /// A table of conditions.
    static let conditions = ValueType(
        name: "table of conditions",
        accepted: "a table, as { spf = \"fail\" }",
        read: { value, key, reader in ConditionReader.conditions(value, key, &reader) },
        write: { ConditionReader.written($0) }
    )
}

extension ValueType where Value == [[Condition]] {
    /// A table of conditions, or a list of them.
    static let exemptions = ValueType(
        name: "table of conditions, or a list of them",
        accepted: "a table, as { clients = \"192.0.2.0/24\" }, or a list of tables",
        read: { value, key, reader in
            guard case .array(let tables) = value.content else {
                return ConditionReader.conditions(value, key, &reader).map { [$0] }
            }
            return tables.enumerated().compactMap { index, table in
                ConditionReader.conditions(table, "\(key)[\(index + 1)]", &reader)
            }
        },
        write: { tables in
            let written = tables.map(ConditionReader.written)
            return written.count > 1 ? "[" + written.joined(separator: ", ") + "]" : written.first
        }
    )
}
