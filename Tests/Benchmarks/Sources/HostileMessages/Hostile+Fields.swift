import DNSLookup
import MailSyntax

/// Messages whose header takes long to read.
extension Hostile {
    private static let longest = 250_000

    static var headers: [HostileMaker] {
        authors + [
            with("results-open", [author, field("Authentication-Results", many("(", longest))]),
            with("results-commented", [author] + results("mx.example.net (a)")),
            with(
                "results-quoted",
                [author, field("Authentication-Results", " a; x=\"" + many("\\\"();", longest / 5))]
            ),
            with("results-many", [author, field("Authentication-Results", " mx.example.org" + many("; a=b", 50_000))]),
            with("results-unreadable", [author, field("Authentication-Results", " " + many("\u{2603};", 15_500))]),
            with("results-ours", [author] + results("mx.example.org")),
            with("results-others", [author] + results("mx.example.net")),
            with("forged", [author] + (0..<longest / 20).map { _ in field("X-DKIM-Result", " Pass") }),
            with("fields", (0..<10_000).map { field("X-\($0)", " a") } + [author]),
            with("fields-folded", [author, field("Subject", many("\r\n a", longest / 4))]),
            with("froms", (0..<5000).map { field("From", " a@b\($0).example") }),
            with("senders", (0..<5000).map { field("Sender", " a@b\($0).example") } + [author]),
            with(
                "resent",
                (0..<2500).flatMap { [field("Resent-From", " a@b\($0).example"), field("Received", " x")] } + [author]
            ),
        ]
    }

    /// Authors as long as they are read.
    private static var authors: [HostileMaker] {
        var all = [with("from-too-long", [field("From", " " + many("a.", longest / 2) + "a@attack.example")])]
        for (name, value) in authorValues {
            let author = field("From", " " + value)
            all.append(with("from-" + name, [author]))
        }
        let half = field("From", " " + many("a:;,", AddressList.maximumValueLength / 10) + "a@attack.example")
        all.append(with("froms-groups", Array(repeating: half, count: AuthorIdentity.maximumFields)))
        return all
    }

    private static var authorValues: [(String, String)] {
        let length = AddressList.maximumValueLength - 64
        return [
            ("dots", many("a.", length / 2)), ("dots-at", many("a.", length / 2) + "a@attack.example"),
            ("ats", many("a@", length / 2)),
            ("quoted-pairs", "\"" + many("\\\"", length / 2) + "\" <a@attack.example>"),
            ("commas", many(",", length) + "a@attack.example"), ("comments", many("(", length)),
            ("comments-closed", many("(a)", length / 3) + "a@attack.example"),
            ("groups", many("a:;,", length / 4) + "a@attack.example"),
            ("routes", "<" + many("@a,", length / 3) + ":a@attack.example>"),
            ("angles", many("<", length)), ("quotes", many("\"", length)), ("spaces", many(" ", length)),
            ("folds", many("\r\n ", length / 3) + "a@attack.example"), ("backslashes", many("\\", length)),
            ("brackets", "a@" + many("[", length)), ("colons", many(":", length)), ("semicolons", many(";", length)),
            ("encoded", many("=?utf-8?q?=40?= ", length / 16) + "[a] <a@attack.example>"),
            ("octets", many("\u{FC}", length / 2) + " <a@attack.example>"),
            ("words", many("Doe ", length / 4) + "<a@attack.example>"),
            ("members", many("Doe, ", length / 5) + "<a@attack.example>"),
            ("mailboxes", many("a@b.example, ", length / 13) + "a@attack.example"),
            ("domains", (0..<length / 16).map { "a@b\(1000 + $0).example" }.joined(separator: ", ")),
            ("u-labels", (0..<100).map { "a@" + many("\u{FC}\($0 % 10)", 40) + ".example" }.joined(separator: ", ")),
            ("u-labels-one", "a@" + many("\u{FC}\u{FDFA}", 3000) + ".example"),
            ("u-labels-mapped", (0..<16).map { "a@" + many("\u{FDFA}", 5 + $0) + ".example" }.joined(separator: ", ")),
            ("labels", "a@" + many("a.", length / 2) + "example"),
        ]
    }

    private static func results(_ host: String) -> [(name: String, value: [UInt8])] {
        (0..<5000).map { _ in field("Authentication-Results", " \(host); dkim=pass header.d=bank.example") }
    }

    private static func with(
        _ name: String,
        _ fields: @autoclosure @escaping () -> [(name: String, value: [UInt8])]
    ) -> HostileMaker {
        HostileMaker(name) {
            var hostile = Hostile()
            hostile.fields = fields()
            return hostile
        }
    }
}
