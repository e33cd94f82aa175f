internal import FoundationEssentials
internal import GRDB
internal import MailEvents
internal import MailSyntax
internal import Policy

/// What the store's columns and side tables say of an event, so that it can be found.
struct MessageRow {
    private let event: MailEvent

    init(_ event: MailEvent) {
        self.event = event
    }

    /// The client's address in 16 octets, with an IPv4 address as `::ffff:0:0/96` has it (RFC 4291 § 2.5.5.2).
    static func clientKey(_ address: IPAddress) -> Data {
        let (high, low): (UInt64, UInt64) =
            switch address {
            case .v4(let address): (0, 0xFFFF_0000_0000 | UInt64(address.value))
            case .v6(let address): (address.high, address.low)
            }
        return Data(
            [high, low].flatMap { half in
                stride(from: 56, through: 0, by: -8).map { UInt8(truncatingIfNeeded: half >> UInt64($0)) }
            }
        )
    }

    /// The address of such a key.
    static func address(_ key: [UInt8]) -> IPAddress? {
        guard key.count == 16 else { return nil }
        let (high, low) = (key[..<8].number, key[8...].number)
        return IPAddress.v6(IPv6Address(high: high, low: low)).unmapped
    }

    /// The values of the columns from `queue` to `iprev`, in the order of the table.
    var columns: [(any DatabaseValueConvertible)?] {
        let verdict = event.verdict
        return [
            event.id.map { bounded($0, 128) }, author, event.client.ip.flatMap { IPAddress($0) }.map(Self.clientKey),
            event.client.name.map { bounded($0, 255) }, bounded(event.client.helo, 255),
            AddressKey.key(event.mailFrom), bounded(verdict.action, 32),
            (verdict.rule ?? verdict.would?.rule).map { bounded($0, 128) },
            verdict.would.map { bounded($0.action, 32) },
        ] + Self.checks.map { result(of: $0).map { bounded($0, 32) } }
    }

    /// The checks that have a column; the others are found by their tags alone.
    private static let checks = Check.allCases.filter { $0 != .arc }

    /// The domain of the first author.
    private var author: String? { event.author?.domains.first.map { bounded($0, 255).lowercased() } }

    /// The result of a check; nil when it was not made.
    private func result(of check: Check) -> String? {
        switch check {
        case .spf: event.spf?.result
        case .spfHelo: event.spfHelo?.result
        case .senderID: event.senderID?.result
        case .dkim: dkimResult
        case .dmarc: event.dmarc?.result
        case .arc: event.arc?.result
        case .iprev: event.iprev?.result
        }
    }

    /// `pass` when a signature passes, otherwise the result of the first one.
    private var dkimResult: String? {
        guard let signatures = event.dkim else { return nil }
        if let best = event.facts?.dkim { return best }
        return signatures.contains { $0.result == "pass" } ? "pass" : signatures.first?.result ?? "none"
    }

    /// The keys of all recipients that the event names, each once.
    var recipients: Set<ExactText> {
        let addresses = event.rcptTo + event.refusedRcptTo + event.deferredRcptTo
        return Set(addresses.lazy.map { ExactText(AddressKey.key($0)) })
    }

    /// What is told of few messages, as `NAME=VALUE`: actions, rules, results and problems.
    var tags: Set<ExactText> {
        let verdict = event.verdict
        var tags = Check.allCases.compactMap { check in result(of: check).flatMap { Tag.result(check, $0) } }
        if verdict.action != "accept" { tags.append(Tag.action(verdict.action)) }
        if let would = verdict.would { tags.append(Tag.would(would.action)) }
        tags += rules.map(Tag.rule) + problems.map(Tag.problem)
        return Set(tags.lazy.map { ExactText($0) })
    }

    /// The rules that had a part in the verdict, each of which `--rule` finds.
    private var rules: [String] {
        let verdict = event.verdict
        var rules = verdict.marks + verdict.exempted
        rules += [verdict.rule, verdict.would?.rule].compactMap { $0 }
        rules += verdict.trial.compactMap(\.rule)
        rules += verdict.undecided.map(\.rule)
        rules += verdict.refused.compactMap(\.rule)
        rules += verdict.partial?.outcomes.compactMap(\.rule) ?? []
        return rules
    }

    /// What stood in the way of checks and signatures.
    private var problems: [String] {
        let checks: [(name: String, text: String?)] = [
            ("spf", event.spf?.problem), ("spf_helo", event.spfHelo?.problem), ("sender_id", event.senderID?.problem),
            ("dmarc", event.dmarc?.problem), ("arc", event.arc?.problem), ("iprev", event.iprev?.problem),
            ("judgement", event.problem), ("signing", event.unsigned),
        ]
        let signatures = (event.dkim ?? []).prefix(Tag.maximumSignatures).compactMap(\.problem)
        return checks.compactMap { check in check.text.map { "\(check.name): \($0)" } }
            + signatures.map { "dkim: \($0)" }
    }
}

/// The words of the table `tag`.
enum Tag {
    /// How many signatures of a message may have their problems kept.
    static let maximumSignatures = 10

    static func action(_ action: String) -> String { "action=" + bounded(action, 32) }
    static func would(_ action: String) -> String { "would=" + bounded(action, 32) }
    static func rule(_ name: String) -> String { "rule=" + bounded(name, 128) }
    static func problem(_ text: String) -> String { "problem=" + bounded(text, 100) }

    /// The tag of a result; nil for the results that most messages have.
    static func result(_ check: Check, _ result: String) -> String? {
        ["pass", "none"].contains(result) ? nil : "\(check.rawValue)=\(bounded(result, 32))"
    }
}

extension Octets {
    /// The octets as a number, the first in the highest bits.
    fileprivate var number: UInt64 { reduce(0) { $0 << 8 | UInt64($1) } }
}

/// The first octets of a text, so that no key is long.
private func bounded(_ text: String, _ limit: Int) -> String {
    ExactText.storable(text.utf8.count <= limit ? text : Array(text.utf8)[..<limit].text)
}
