internal import Policy
internal import TOML

/// The parts of the sample configuration that are not settings.
enum SampleText {
    static let opening = """
        # Every setting of Postern, commented out, with its default; postern.toml(5) says the same. Write those that you change
        # into /etc/postern/postern.toml, without the "#", or begin with a copy of this file. Times are written like "400ms",
        # "5s", "2m", "1h"; sizes like "64MiB". After a change: "postern config check", then "systemctl reload postern". A
        # configuration with a mistake is not taken; the old one stays in force.


        """

    static let rules = """
        # Rules, in order: the first that matches decides; a message that none matches is accepted. In "observe" mode,
        # the default above, they only write would=... to the log. Read it for a week before you enforce.
        #
        # What a rule has:
        \(comment(settings))
        #
        # Conditions, in "when" and in "unless":
        \(comment(ConditionDescription.lines))
        # A value may be a list, of which one must match. "!" before a value negates it: ["!pass", "!none"] is anything
        # but these two. ".example.org" is every name below example.org. { file = "/path" } reads values from a file,
        # one a line, and again at each reload; a path without a leading "/" starts at the folder of this file, "#" begins a
        # comment, and there is no "!" in or before a file. Plain and negated values may stand together: one of the plain ones
        # must match then, and none of the negated. Errors (temperror, permerror) are results of their own, and never a fail.
        # List no words of a check whose result the sender chooses: "!pass" leaves him none. Where a rule that keeps a message
        # from its recipient hangs on an answer that the DNS does not give, [limits] undecided says what is done.
        #
        # Placeholders, which are filled in within a reply, as in "550 5.7.1 Sender ID (PRA) fail: {explanation}":
        \(comment(placeholders))
        # A value that is not known, as the author's at RCPT TO, is "unknown". One that could be taken for more than a word
        # stands in quotes, and is cut at 128 octets.
        #
        # Each recipient has its own first matching rule. Where these differ, "mixed" above says what becomes of the message.
        # Whole sets of rules to start from are in /usr/share/doc/postern/presets.

        # The domain says that this host may not send for it, and means it ("-all"). Forwarders that do not rewrite the
        # sender run into this as well: exempt those that your users have, by network or by verified name.
        [[rules]]
        name = "spf-strict"
        when = { spf = "fail" }
        #unless = [ { clients = ["192.0.2.0/24"] }, { client_names = [".forwarder.example"] } ]
        action = "reject"

        # The author's domain asks that such mail be refused or set aside. Mailing lists break DMARC for honest authors, which is why
        # RFC 9989 section 7.4 warns against refusing for it alone: the mail goes to the junk folder.
        [[rules]]
        name = "dmarc-fail"
        when = { dmarc = "fail", dmarc_policy = ["reject", "quarantine"] }
        action = "junk"

        # Nobody vouches for this message: a softfail alone is common, one without the author's signature or DMARC beside it is
        # not. A Sender field of the forger's own leads round it, and mailing lists write such fields too: for names that
        # must not be forged see presets/hotmail.toml.
        [[rules]]
        name = "softfail-and-forged"
        when = { sender_id = "softfail", dkim_aligned = "!pass", dmarc = "!pass" }
        action = "junk"

        # Who the author is cannot be said: mail programs show what the sender likes, and DMARC says nothing.
        [[rules]]
        name = "unreadable-author"
        when = { author = "unreadable" }
        action = "junk"

        """

    /// The settings of a rule.
    private static var settings: [String] {
        let rule = RuleDraft(position: TOMLPosition(line: 0, column: 0))
        let described = RuleDraft.settings.described(rule, path: ["rules"], isRepeated: true, text: "")
        return lines(described.lines.map { ($0.name, $0.explanation + ($0.isRequired ? " Required." : "")) })
    }

    private static var placeholders: [String] {
        lines(ReplyPlaceholder.allCases.map { ("{\($0.rawValue)}", $0.text) })
    }

    /// Names with their meanings, in lines; continuation lines are indented.
    static func lines(_ entries: [(name: String, text: String)]) -> [String] {
        let maximumLength = 114
        let indentation = String(repeating: " ", count: 18)
        return entries.flatMap { name, text in
            var done = [String]()
            var line = name + indentation.dropFirst(name.count)
            for word in text.split(separator: " ") {
                if line.count + word.count >= maximumLength {
                    done.append(line)
                    line = indentation
                }
                line += " " + word
            }
            return done + [line]
        }
    }

    private static func comment(_ lines: [String]) -> String {
        lines.map { "#   " + $0 }.joined(separator: "\n")
    }
}
