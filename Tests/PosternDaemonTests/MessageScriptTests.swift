import Testing

@testable import PosternDaemon

@Suite("Messages from MAIL to their verdicts")
struct MessageScriptTests {
    private static let ownHost = SignedMessage.Source(trust: .network, login: nil, isOwnHost: true)
    private static let login = SignedMessage.Source(trust: .login, login: Array("ann".utf8), isOwnHost: false)
    private static let signing =
        "[[signing]]\ndomain = \"example.com\"\nkeys = [ { selector = \"s\", file = \"FOLDER/key.pem\" } ]\n"
    private static let sealing = "[sealing]\ndomain = \"example.com\"\nselector = \"s\"\nkey = \"FOLDER/key.pem\"\n"
    private static let smallHeader = "[limits]\nmax_header = \"64KiB\"\n"
    private static let refusal = Sample.rule("reject", when: "spf = \"fail\", recipient_domains = \"a.example\"")
    private static let set = "+ARC-Authentication-Results +ARC-Message-Signature +ARC-Seal"
    private static let relays =
        "[trust.relays]\nnetworks = [\"198.51.100.2\"]\nby = [\"mx2.example.org\"]\n"
    private static let stamps = "+X-DKIM-Result +X-SID-Result +X-SID-PRA +Authentication-Results"

    static let judged = [
        MessageScript(
            name: "a verdict that waits for the DNS, and a queue ID that comes late",
            lines: """
                rcpt b@example.net -> continue
                header From: a@example.com
                eoh
                queue 4XyZ1
                body Hello -> skip
                end
                wait 70
                answers -> continue \(stamps)
                4XyZ1: action=accept rcpts=1 spf=fail dkim=none ms=70
                """
        ),
        MessageScript(
            name: "the DNS does not answer in time",
            lines: """
                rcpt b@example.net -> continue
                header From: a@example.com
                eoh
                end
                wait 19999
                wait 1 -> continue \(stamps)
                NOQUEUE: action=accept rcpts=1 spf=temperror dkim=none ms=20000
                """
        ),
        MessageScript(
            name: "a recipient that waits for SPF is refused by it; the time it waited is counted",
            configuration: refusal,
            lines: """
                rcpt x@a.example -> later
                wait 300
                answers -> 550 5.7.23
                rcpt y@b.example -> continue
                header From: a@example.com
                eoh
                end -> continue \(stamps)
                NOQUEUE: action=accept rcpts=1 refused=1 spf=fail dkim=none ms=300
                """
        ),
        MessageScript(
            name: "a recipient waits for two seconds, and the verdict has its own time after that",
            configuration: refusal,
            lines: """
                rcpt x@a.example -> later
                wait 2000 -> continue
                header From: a@example.com
                eoh
                end
                wait 20000 -> 451 4.4.3 \(stamps)
                NOQUEUE: action=tempfail rule=r-reject rcpts=1 spf=temperror dkim=none ms=22000
                """
        ),
        MessageScript(
            name: "a message that loses all its recipients has its line",
            configuration: refusal,
            lines: """
                answers
                rcpt x@a.example -> 550 5.7.23
                aborted
                aborted
                NOQUEUE: action=reject rule=r-reject rcpts=1 spf=fail ms=0
                """
        ),
        MessageScript(
            name: "a message that is given up while it waits gets no verdict",
            configuration: refusal,
            lines: """
                rcpt x@a.example -> later
                aborted
                answers
                wait 60000
                """
        ),
        MessageScript(
            name: "no recipient of relayed mail waits or is refused, and a refusal flags the message",
            configuration: relays + refusal,
            isRelayed: true,
            lines: """
                rcpt x@a.example -> continue
                rcpt y@a.example -> continue
                header Received: from x (unknown [192.0.2.9]) by mx2.example.org (Postfix) with SMTP
                answers
                header From: a@example.com
                eoh
                end -> continue +X-Spam-Flag \(stamps)
                NOQUEUE: action=junk relayed=reject rule=r-reject relay=198.51.100.2 rcpts=2 spf=fail dkim=none ms=0
                """
        ),
        MessageScript(
            name: "relayed mail that a rule refuses is not sealed",
            configuration: relays + refusal + sealing,
            isRelayed: true,
            lines: """
                rcpt x@a.example -> continue
                header Received: from x (unknown [192.0.2.9]) by mx2.example.org (Postfix) with SMTP
                answers
                header From: a@example.com
                eoh
                body Hello -> continue
                end -> continue +X-Spam-Flag \(stamps)
                NOQUEUE: action=junk relayed=reject rule=r-reject relay=198.51.100.2 rcpts=1 spf=fail dkim=none ms=0
                """
        ),
        MessageScript(
            name: "relayed mail without a readable client is accepted",
            configuration: relays + refusal,
            isRelayed: true,
            lines: """
                rcpt x@a.example -> continue
                header Received: from x (unknown [192.0.2.9]) by mx.example.net (Postfix) with SMTP
                header From: a@example.com
                eoh
                end
                answers -> continue +X-DKIM-Result +Authentication-Results
                NOQUEUE: action=accept relay=198.51.100.2 rcpts=1 dkim=none ms=0 \
                problem="Received field is by mx.example.net, which is not in trust.relays.by"
                """
        ),
        MessageScript(
            name: "relayed mail that finds no memory says nothing of its client",
            configuration: relays,
            memory: 0,
            isRelayed: true,
            lines: """
                rcpt x@a.example -> continue
                large 9000
                eoh
                end -> 452 4.3.1
                NOQUEUE: action=tempfail relay=198.51.100.2 rcpts=1 ms=0 problem="no memory left (limits.max_held)"
                """
        ),
        MessageScript(
            name: "relayed mail with a header beyond its bound is flagged, and what depends on the rest not judged",
            configuration: smallHeader + relays + Sample.rule("accept", when: "dkim = \"none\""),
            isRelayed: true,
            lines: """
                rcpt x@a.example -> continue
                header Received: from x (unknown [192.0.2.9]) by mx2.example.org (Postfix) with SMTP
                header X-DKIM-Result: Pass
                header From: a@example.com
                large 70000
                header X-DKIM-Result: Pass
                answers
                eoh
                end -> continue -X-DKIM-Result#2 -X-DKIM-Result#1 +X-Spam-Flag +Authentication-Results
                NOQUEUE: action=junk relayed=reject relay=198.51.100.2 rcpts=1 spf=fail ms=0 removed=2
                """
        ),
        MessageScript(
            name: "what is worse than junk stays",
            configuration: smallHeader + relays + Sample.rule("quarantine"),
            isRelayed: true,
            lines: """
                rcpt x@a.example -> continue
                header Received: from x (unknown [192.0.2.9]) by mx2.example.org (Postfix) with SMTP
                large 70000
                answers
                eoh
                end -> continue +Authentication-Results quarantine
                NOQUEUE: action=quarantine rule=r-quarantine relay=198.51.100.2 rcpts=1 spf=fail ms=0
                """
        ),
        MessageScript(
            name: "relayed mail with a header beyond its bound, in observe mode",
            configuration: smallHeader + relays,
            mode: "observe",
            isRelayed: true,
            lines: """
                rcpt x@a.example -> continue
                large 70000
                eoh
                end -> continue +Authentication-Results
                NOQUEUE: action=accept would=junk relay=198.51.100.2 rcpts=1 ms=0 problem="header section beyond limits.max_header"
                """
        ),
        MessageScript(
            name: "relayed mail with a header beyond its bound is refused where relays are",
            configuration: smallHeader + relays + "refuse = true\n",
            isRelayed: true,
            lines: """
                rcpt x@a.example -> continue
                large 70000
                eoh
                end -> 552 5.3.4
                NOQUEUE: action=reject relay=198.51.100.2 rcpts=1 ms=0 problem="header section beyond limits.max_header"
                """
        ),
        MessageScript(
            name: "a hold that the MTA cannot do",
            configuration: Sample.rule("quarantine"),
            canQuarantine: false,
            lines: """
                rcpt b@example.net -> continue
                header From: a@example.com
                eoh
                end
                answers -> tempfail
                NOQUEUE: action=quarantine rule=r-quarantine rcpts=1 spf=fail dkim=none ms=0
                """
        ),
        MessageScript(
            name: "a header beyond its bound is refused",
            configuration: smallHeader,
            lines: """
                rcpt b@example.net -> continue
                large 70000
                eoh
                end -> 552 5.3.4
                NOQUEUE: action=reject rcpts=1 ms=0 problem="header section beyond limits.max_header"
                """
        ),
        MessageScript(
            name: "observe mode lets it pass without what is forged before the bound, at it and behind it",
            configuration: smallHeader,
            mode: "observe",
            lines: """
                rcpt b@example.net -> continue
                header X-DKIM-Result: Pass
                large 70000
                header X-DKIM-Result: Pass
                eoh
                end -> continue -X-DKIM-Result#2 -X-DKIM-Result#1
                NOQUEUE: action=accept would=reject rcpts=1 ms=0 problem="header section beyond limits.max_header" removed=2
                """
        ),
        MessageScript(
            name: "a field that finds no memory",
            memory: 0,
            lines: """
                rcpt b@example.net -> continue
                large 9000
                header From: a@example.com
                eoh
                body Hello -> skip
                rcpt c@example.net -> 452 4.3.1
                end -> 452 4.3.1
                NOQUEUE: action=tempfail rcpts=1 ms=0 problem="no memory left (limits.max_held)"
                """
        ),
        MessageScript(
            name: "a packet that finds no memory",
            mode: "observe",
            lines: """
                queue 4XyZ1
                no memory
                no memory
                4XyZ1: action=tempfail rcpts=0 ms=0 problem="no memory left (limits.max_held)"
                """
        ),
    ]

    static let sealed = [
        MessageScript(
            name: "a message is sealed on top of all stamps, and its body is needed",
            configuration: sealing,
            lines: """
                answers
                rcpt b@example.net -> continue
                header From: a@example.com
                eoh
                body Hello -> continue
                end -> continue \(stamps) \(set)
                NOQUEUE: action=accept rcpts=1 spf=fail dkim=none sealed=example.com/s i=1 cv=none ms=0
                """
        ),
        MessageScript(
            name: "junk is sealed as well",
            configuration: Sample.rule("junk") + sealing,
            lines: """
                answers
                rcpt b@example.net -> continue
                header From: a@example.com
                header ARC-Seal: i=1; cv=none
                eoh
                end -> continue +X-Spam-Flag \(stamps) \(set)
                NOQUEUE: action=junk rule=r-junk rcpts=1 spf=fail dkim=none sealed=example.com/s i=2 cv=fail ms=0
                """
        ),
        MessageScript(
            name: "what is refused is not",
            configuration: Sample.rule("reject") + sealing,
            answersRecipients: false,
            lines: """
                answers
                rcpt b@example.net -> continue
                header From: a@example.com
                eoh
                body Hello -> continue
                end -> 550 5.7.23 \(stamps)
                NOQUEUE: action=reject rule=r-reject rcpts=1 spf=fail dkim=none ms=0
                """
        ),
        MessageScript(
            name: "mail to other domains is not sealed, and its body is not needed",
            configuration: sealing + "recipient_domains = [\"a.example\", \"b.example\"]\n",
            lines: """
                answers
                rcpt b@example.net -> continue
                header From: a@example.com
                eoh
                body Hello -> skip
                end -> continue \(stamps)
                NOQUEUE: action=accept rcpts=1 spf=fail dkim=none ms=0
                """
        ),
        MessageScript(
            name: "one recipient in such a domain is enough",
            configuration: sealing + "recipient_domains = [\"a.example\", \"b.example\"]\n",
            lines: """
                answers
                rcpt b@example.net -> continue
                rcpt b@B.example -> continue
                header From: a@example.com
                eoh
                end -> continue \(stamps) \(set)
                NOQUEUE: action=accept rcpts=2 spf=fail dkim=none sealed=example.com/s i=1 cv=none ms=0
                """
        ),
        MessageScript(
            name: "the log says why a message is not sealed",
            configuration: sealing,
            lines: """
                answers
                rcpt b@example.net -> continue
                header From: a@example.com
                header From: b@example.com
                eoh
                end -> continue +X-DKIM-Result +X-SID-Result +Authentication-Results
                NOQUEUE: action=accept rcpts=1 spf=fail dkim=none unsealed="the message has 2 From fields" ms=0
                """
        ),
        MessageScript(
            name: "a header beyond the bound is not sealed",
            configuration: sealing + smallHeader,
            mode: "observe",
            lines: """
                answers
                rcpt b@example.net -> continue
                header From: a@example.com
                large 66000
                eoh
                end -> continue
                NOQUEUE: action=accept would=reject rcpts=1 ms=0 problem="header section beyond limits.max_header"
                """
        ),
    ]

    static let signed = [
        MessageScript(
            name: "a message of our own is signed",
            source: ownHost,
            configuration: signing,
            lines: """
                rcpt b@example.net -> continue
                header X-DKIM-Result: Pass
                header From: a@example.com
                eoh
                queue 4XyZ1
                body Hello -> continue
                end -> continue +DKIM-Signature
                4XyZ1: action=sign rcpts=1 trusted=network signed=example.com/s ms=0
                """
        ),
        MessageScript(
            name: "a login is no host of ours: what it says of us goes",
            source: login,
            lines: """
                rcpt b@example.net -> continue
                header X-DKIM-Result: Pass
                header From: a@example.com
                eoh
                body Hello -> skip
                end -> continue -X-DKIM-Result#1
                NOQUEUE: action=accept rcpts=1 trusted=login ms=0 removed=1
                """
        ),
        MessageScript(
            name: "a header beyond its bound is not signed",
            source: login,
            configuration: smallHeader + signing,
            lines: """
                rcpt b@example.net -> continue
                header From: a@example.com
                large 70000
                header X-DKIM-Result: Pass
                eoh
                body Hello -> skip
                end -> continue -X-DKIM-Result#1
                NOQUEUE: action=accept rcpts=1 trusted=login unsigned="header section beyond limits.max_header" ms=0 removed=1
                """
        ),
        MessageScript(
            name: "a client whose mail is passed by is not signed for",
            source: SignedMessage.Source(trust: .skip, login: nil, isOwnHost: true),
            configuration: signing,
            lines: """
                rcpt b@example.net -> continue
                header From: a@example.com
                eoh
                body Hello -> skip
                end -> continue
                NOQUEUE: action=accept rcpts=1 trusted=skip ms=0
                """
        ),
        MessageScript(
            name: "a field of ours that finds no memory",
            source: ownHost,
            configuration: signing,
            memory: 0,
            lines: """
                rcpt b@example.net -> continue
                header From: a@example.com
                large 9000
                eoh
                body Hello -> skip
                end -> 452 4.3.1
                NOQUEUE: action=tempfail rcpts=1 ms=0 problem="no memory left (limits.max_held)"
                """
        ),
        MessageScript(
            name: "a message of our own that is given up has no line",
            source: ownHost,
            lines: """
                rcpt b@example.net -> continue
                aborted
                no memory
                """
        ),
    ]

    @Test("a message from outside as it is scripted", arguments: judged)
    func judges(_ script: MessageScript) throws {
        let played = try script.played()
        #expect(played == script.lines, "\(played)")
    }

    @Test("a message that is sealed, or not, as it is scripted", arguments: sealed)
    func seals(_ script: MessageScript) throws {
        #expect(try script.played() == script.lines)
    }

    @Test("a message of our own as it is scripted", arguments: signed)
    func signs(_ script: MessageScript) throws {
        let played = try script.played()
        #expect(played == script.lines, "\(played)")
    }

    @Test("recipients beyond the bound that could not be refused", arguments: [nil, ownHost])
    func tooMany(_ source: SignedMessage.Source?) throws {
        let recipients = Array(repeating: "rcpt b -> continue", count: RecipientGate.mostRecipients)
        let script = MessageScript(
            name: "",
            source: source,
            memory: 1 << 24,
            answersRecipients: false,
            lines: (recipients + [
                "rcpt c -> 452 4.5.3", "end -> 452 4.5.3",
                "NOQUEUE: action=tempfail rcpts=50000 ms=0 problem=\"too many recipients\"",
            ]).joined(separator: "\n")
        )
        let played = try script.played()
        #expect(played == script.lines, "\(played)")
    }
}
