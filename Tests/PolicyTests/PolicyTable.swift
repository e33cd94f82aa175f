import Testing

@Suite("Policy table")
struct PolicyTableTests {
    @Test("inputs give action, stage, rule and reply", arguments: PolicyTable.cases)
    func decides(_ policyCase: PolicyCase) throws {
        #expect(try policyCase.outcome() == policyCase.expected)
    }

    @Test("the table is as large as it claims")
    func size() {
        #expect(PolicyTable.cases.count >= 150)
    }
}

/// Groups of cases: the rules, then lines of facts and what they must give.
enum PolicyTable {
    private static let groups =
        results + identities + recipients + actions + stages + exemptions + modes + replies + mixtures + undecided
        + paths + forwarders

    static let cases = groups.flatMap { group in
        group.lines.split(separator: "\n").map { line in
            let parts = line.split(separator: " -> ", maxSplits: 1).map(String.init)
            return PolicyCase(
                group: group.name,
                rules: group.rules,
                facts: parts.first ?? "",
                expected: parts.last ?? ""
            )
        }
    }

    struct Group {
        let name: String
        let rules: String
        let lines: String

        init(_ name: String, _ rules: String, _ lines: String) {
            self.name = name
            self.rules = rules
            self.lines = lines
        }
    }

    static func rule(_ name: String, _ when: String, _ action: String, _ more: String = "") -> String {
        "[[rules]]\nname = \"\(name)\"\nwhen = \(when)\naction = \"\(action)\"\n\(more)\n"
    }
}

extension PolicyTable {
    /// Conditions on results: each word is itself, and an error is never a fail.
    static let results = [
        Group(
            "spf = fail",
            rule("r", "{ spf = \"fail\" }", "reject"),
            """
            spf=fail -> reject rcpt r 550 5.7.23
            spf=softfail -> accept eom
            spf=neutral -> accept eom
            spf=none -> accept eom
            spf=pass -> accept eom
            spf=temperror -> tempfail eom r 451 4.4.3 undecided=r:spf
            spf=permerror -> accept eom
            spf=? -> accept eom wait
            ~spf=fail -> reject eom r 550 5.7.23 wait
            ~spf=pass -> accept eom wait
            """
        ),
        Group(
            "spf_helo = [fail, permerror]",
            rule("r", "{ spf_helo = [\"fail\", \"permerror\"] }", "reject"),
            """
            spf_helo=fail -> reject rcpt r 550 5.7.23
            spf_helo=permerror -> reject rcpt r 550 5.7.24
            spf_helo=temperror -> tempfail eom r 451 4.4.3 undecided=r:spf_helo
            spf_helo=pass spf=fail -> accept eom
            """
        ),
        Group(
            "spf = !pass",
            rule("r", "{ spf = \"!pass\" }", "reject"),
            """
            spf=pass -> accept eom
            spf=none -> reject rcpt r 550 5.7.23
            spf=temperror -> tempfail eom r 451 4.4.3 undecided=r:spf
            spf=? -> accept eom wait
            """
        ),
        Group(
            "several negations: none of them",
            rule("r", "{ spf = [\"!pass\", \"!none\", \"!temperror\"] }", "reject"),
            """
            spf=pass -> accept eom
            spf=none -> accept eom
            spf=temperror -> accept eom
            spf=softfail -> reject rcpt r 550 5.7.23
            spf=permerror -> reject rcpt r 550 5.7.24
            """
        ),
        Group(
            "sender_id = [fail, softfail]",
            rule("r", "{ sender_id = [\"fail\", \"softfail\"] }", "reject"),
            """
            sender_id=fail -> reject eom r 550 5.7.1
            sender_id=softfail -> reject eom r 550 5.7.1
            sender_id=temperror -> tempfail eom r 451 4.4.3 undecided=r:sender_id
            sender_id=permerror -> accept eom
            sender_id=neutral -> accept eom
            sender_id=? -> accept eom
            sender_id=none spf=fail -> accept eom
            """
        ),
        Group(
            "dkim",
            rule("r", "{ dkim = [\"none\", \"fail\", \"policy\"] }", "reject"),
            """
            dkim=none -> reject eom r 550 5.7.20
            dkim=fail -> reject eom r 550 5.7.20
            dkim=policy -> reject eom r 550 5.7.21
            dkim=pass -> accept eom
            dkim=neutral -> accept eom
            dkim=temperror -> tempfail eom r 451 4.4.3 undecided=r:dkim
            dkim=permerror -> accept eom
            """
        ),
        Group(
            "dkim_aligned",
            rule("r", "{ dkim_aligned = \"!pass\" }", "reject"),
            """
            aligned=pass -> accept eom
            aligned=none dkim=pass -> reject eom r 550 5.7.22
            aligned=fail -> reject eom r 550 5.7.22
            aligned=? -> accept eom
            """
        ),
        Group(
            "dmarc with its policy",
            rule("r", "{ dmarc = \"fail\", dmarc_policy = \"reject\" }", "reject"),
            """
            dmarc=fail p=reject -> reject eom r 550 5.7.1
            dmarc=fail p=quarantine -> accept eom
            dmarc=fail p=none -> accept eom
            dmarc=pass p=reject -> accept eom
            dmarc=temperror p=reject -> tempfail eom r 451 4.4.3 undecided=r:dmarc
            dmarc=permerror p=reject -> accept eom
            dmarc=none p=absent -> accept eom
            dmarc=fail p=? -> accept eom
            """
        ),
        Group(
            "the policy as it is published, beside the one that applies",
            rule("r", "{ dmarc = \"fail\", dmarc_published = \"reject\" }", "reject"),
            """
            dmarc=fail p=quarantine published=reject -> reject eom r 550 5.7.1
            dmarc=fail p=reject published=quarantine -> accept eom
            dmarc=fail p=reject published=? -> accept eom
            """
        ),
        Group(
            "a policy that is not there",
            rule("r", "{ dmarc_policy = \"absent\" }", "junk"),
            """
            p=absent -> junk eom r
            p=none -> accept eom
            p=reject -> accept eom
            """
        ),
        Group(
            "iprev",
            rule("r", "{ iprev = \"fail\" }", "reject"),
            """
            iprev=fail -> reject rcpt r 550 5.7.25
            iprev=pass -> accept eom
            iprev=temperror -> tempfail eom r 451 4.4.3 undecided=r:iprev
            iprev=permerror -> accept eom
            iprev=none -> accept eom
            ~iprev=fail -> reject eom r 550 5.7.25 wait
            """
        ),
        Group(
            "several checks",
            rule(
                "r",
                "{ sender_id = \"softfail\", dkim = [\"none\", \"fail\"], dmarc = [\"fail\", \"none\"] }",
                "reject"
            ),
            """
            sender_id=softfail dkim=none dmarc=none -> reject eom r 550 5.7.26
            sender_id=softfail dkim=fail dmarc=fail -> reject eom r 550 5.7.26
            sender_id=softfail dkim=pass dmarc=none -> accept eom
            sender_id=softfail dkim=none dmarc=pass -> accept eom
            sender_id=fail dkim=none dmarc=none -> accept eom
            sender_id=softfail dkim=temperror dmarc=none -> tempfail eom r 451 4.4.3 undecided=r:dkim
            sender_id=fail dkim=temperror dmarc=none -> accept eom
            """
        ),
    ]

    /// Conditions on who and where.
    static let identities = [
        Group(
            "clients",
            rule("r", "{ clients = [\"192.0.2.0/24\", \"2001:db8::/32\", \"!192.0.2.128/25\"] }", "reject"),
            """
            client=192.0.2.1 -> reject rcpt r 550 5.7.1
            client=192.0.2.127 -> reject rcpt r 550 5.7.1
            client=192.0.2.128 -> accept eom
            client=198.51.100.1 -> accept eom
            client=2001:db8::1 -> reject rcpt r 550 5.7.1
            client=2001:db9::1 -> accept eom
            client=::ffff:192.0.2.1 -> reject rcpt r 550 5.7.1
            client=? -> accept eom
            """
        ),
        Group(
            "clients, everything and single addresses",
            rule("a", "{ clients = [\"198.51.100.7\", \"::1\"] }", "accept")
                + rule("r", "{ clients = \"0.0.0.0/0\" }", "reject"),
            """
            client=198.51.100.7 -> accept eom a
            client=198.51.100.8 -> reject rcpt r 550 5.7.1
            client=::1 -> accept eom a
            client=::2 -> accept eom
            client=255.255.255.255 -> reject rcpt r 550 5.7.1
            """
        ),
        Group(
            "helo",
            rule("r", "{ helo = [\"mx.example.org\", \".dynamic.example\"] }", "reject"),
            """
            helo=MX.Example.ORG -> reject rcpt r 550 5.7.1
            helo=a.b.dynamic.example -> reject rcpt r 550 5.7.1
            helo=dynamic.example -> accept eom
            helo=notdynamic.example -> accept eom
            helo=[192.0.2.1] -> accept eom
            helo=? -> accept eom
            """
        ),
        Group(
            "client_names",
            rule("r", "{ client_names = \".forwarder.example\" }", "reject"),
            """
            names=out1.forwarder.example -> reject rcpt r 550 5.7.1
            names=other.example,out1.forwarder.example -> reject rcpt r 550 5.7.1
            names=forwarder.example -> accept eom
            names=? -> accept eom wait
            """
        ),
        Group(
            "sender_domains: MAIL FROM or PRA",
            rule("r", "{ sender_domains = [\"example.org\", \".sub.example.org\"] }", "reject"),
            """
            from=a@example.org -> reject rcpt r 550 5.7.1
            from=a@EXAMPLE.org -> reject rcpt r 550 5.7.1
            from=a@x.sub.example.org -> reject rcpt r 550 5.7.1
            from=a@sub.example.org -> accept eom
            from=a@other.example pra=b@example.org -> reject eom r 550 5.7.1
            from=<> pra=b@example.org -> reject eom r 550 5.7.1
            from=<> pra=<> -> accept eom
            from=postmaster pra=<> -> accept eom
            from=a@other.example pra=? -> accept eom
            """
        ),
        Group(
            "sender_domains, negated: neither of them",
            rule("r", "{ sender_domains = \"!example.org\" }", "reject"),
            """
            from=a@example.org pra=a@other.example -> accept eom
            from=a@other.example pra=a@example.org -> accept eom
            from=a@other.example pra=a@other.example -> reject eom r 550 5.7.1
            """
        ),
        Group(
            "from_domains",
            rule("r", "{ from_domains = \"example.org\" }", "reject"),
            """
            author=example.org -> reject eom r 550 5.7.1
            author=example.com,example.org authors=2 -> reject eom r 550 5.7.1
            author=sub.example.org -> accept eom
            author=? -> accept eom
            """
        ),
        Group(
            "sender_id_aligned",
            rule("r", "{ sender_id_aligned = [\"!pass\", \"!temperror\"] }", "junk"),
            """
            sender_id=pass sender_id_aligned=pass -> accept eom
            sender_id=pass sender_id_aligned=none -> junk eom r
            sender_id_aligned=temperror -> accept eom
            sender_id_aligned=? -> accept eom
            """
        ),
        Group(
            "author",
            rule("r", "{ author = \"unreadable\" }", "junk"),
            """
            reading=unreadable -> junk eom r
            reading=repaired -> accept eom
            reading=readable -> accept eom
            reading=? -> accept eom
            """
        ),
        Group(
            "author = !readable",
            rule("r", "{ author = \"!readable\" }", "mark"),
            """
            reading=unreadable -> accept eom mark=r
            reading=repaired -> accept eom mark=r
            reading=readable -> accept eom
            """
        ),
        Group(
            "from_count",
            rule("r", "{ from_count = [\">1\", 0] }", "reject"),
            """
            authors=0 -> reject eom r 550 5.7.1
            authors=1 -> accept eom
            authors=2 -> reject eom r 550 5.7.1
            authors=? -> accept eom
            """
        ),
        Group(
            "from_count = !1",
            rule("r", "{ from_count = \"!1\" }", "mark"),
            """
            authors=1 -> accept eom
            authors=0 -> accept eom mark=r
            authors=3 -> accept eom mark=r
            """
        ),
        Group(
            "dkim_domains",
            rule("r", "{ dkim_domains = [\"list.example\", \".list.example\"] }", "junk"),
            """
            signed=list.example -> junk eom r
            signed=other.example,a.list.example -> junk eom r
            signed=other.example -> accept eom
            signed=? -> accept eom
            """
        ),
        Group(
            "authenticated",
            rule("r", "{ authenticated = false, spf = \"fail\" }", "reject"),
            """
            auth=false spf=fail -> reject rcpt r 550 5.7.23
            auth=true spf=fail -> accept eom
            auth=? spf=fail -> accept eom
            """
        ),
        Group(
            "internationalized names",
            rule("r", "{ sender_domains = \"bücher.example\" }", "reject"),
            """
            from=a@bücher.example -> reject rcpt r 550 5.7.1
            from=a@xn--bcher-kva.example -> reject rcpt r 550 5.7.1
            """
        ),
    ]

    /// Recipient conditions: each recipient has its own rule.
    static let recipients = [
        Group(
            "recipient_domains, decided at RCPT",
            rule("r", "{ spf = \"fail\", recipient_domains = [\"hotmail.example\", \"msn.example\"] }", "reject"),
            """
            spf=fail to=a@hotmail.example -> reject rcpt r 550 5.7.23
            spf=fail to=a@other.example -> accept eom
            spf=fail to=a@msn.example,b@other.example -> accept eom refused=a@msn.example:reject rcpt r 550 5.7.23
            spf=fail to=b@other.example,a@msn.example -> accept eom refused=a@msn.example:reject rcpt r 550 5.7.23
            ~spf=fail to=a@msn.example,b@other.example -> junk eom r mixed=1:reject:r,1:accept:- wait
            ~spf=fail to=a@msn.example,b@hotmail.example -> reject eom r 550 5.7.23 wait wait
            spf=fail to=none -> accept eom
            """
        ),
        Group(
            "recipient_domains, decided at the end",
            rule("r", "{ sender_id = \"fail\", recipient_domains = \"hotmail.example\" }", "reject"),
            """
            sender_id=fail to=a@hotmail.example -> reject eom r 550 5.7.1
            sender_id=fail to=a@hotmail.example,b@hotmail.example -> reject eom r 550 5.7.1
            sender_id=fail to=a@hotmail.example,b@other.example -> junk eom r mixed=1:reject:r,1:accept:-
            sender_id=fail to=b@other.example -> accept eom
            sender_id=pass to=a@hotmail.example -> accept eom
            """
        ),
        Group(
            "recipients",
            rule(
                "r",
                "{ recipients = [\"postmaster@\", \"joe@example.net\", \"@all.example\", \"!abuse@all.example\"] }",
                "tempfail"
            ),
            """
            to=Postmaster@any.example -> tempfail rcpt r 451 4.7.1
            to=joe@example.net -> tempfail rcpt r 451 4.7.1
            to=JOE@EXAMPLE.NET -> tempfail rcpt r 451 4.7.1
            to=joe@example.org -> accept eom
            to=x@all.example -> tempfail rcpt r 451 4.7.1
            to=abuse@all.example -> accept eom
            to=postmaster -> tempfail rcpt r 451 4.7.1
            to=joe -> accept eom
            """
        ),
        Group(
            "some recipients exempt themselves",
            rule("x", "{ recipients = \"postmaster@\" }", "accept") + rule("r", "{ dmarc = \"fail\" }", "reject"),
            """
            dmarc=fail to=postmaster@example.net -> accept eom x
            dmarc=fail to=b@example.net -> reject eom r 550 5.7.1
            dmarc=fail to=postmaster@example.net,b@example.net -> junk eom r mixed=1:accept:x,1:reject:r
            """
        ),
        Group(
            "marks and trials end nothing, and are named when they match some recipient",
            rule("m", "{ recipient_domains = \"a.example\" }", "mark")
                + rule("t", "{ recipient_domains = \"a.example\" }", "reject", "observe = true")
                + rule("r", "{ dkim = \"fail\" }", "junk"),
            """
            to=x@a.example -> accept eom trial=t:reject mark=m
            to=x@a.example,x@b.example -> accept eom trial=t:reject mark=m
            to=x@b.example -> accept eom
            to=x@a.example,x@b.example dkim=fail -> junk eom r trial=t:reject mark=m
            """
        ),
    ]

    /// What each action does, and that the first match decides.
    static let actions = [
        Group(
            "each action at the end of the message",
            ["accept", "junk", "quarantine", "reject", "tempfail", "discard", "mark"]
                .map { rule($0, "{ from_domains = \"\($0).example\" }", $0) }.joined(),
            """
            author=accept.example -> accept eom accept
            author=junk.example -> junk eom junk
            author=quarantine.example -> quarantine eom quarantine
            author=reject.example -> reject eom reject 550 5.7.1
            author=tempfail.example -> tempfail eom tempfail 451 4.7.1
            author=discard.example -> discard eom discard
            author=mark.example -> accept eom mark=mark
            """
        ),
        Group(
            "each action with facts of the envelope: only refusals act at RCPT",
            ["accept", "junk", "quarantine", "reject", "tempfail", "discard", "mark"]
                .map { rule($0, "{ helo = \"\($0).example\" }", $0) }.joined(),
            """
            helo=accept.example -> accept eom accept
            helo=junk.example -> junk eom junk
            helo=quarantine.example -> quarantine eom quarantine
            helo=reject.example -> reject rcpt reject 550 5.7.1
            helo=tempfail.example -> tempfail rcpt tempfail 451 4.7.1
            helo=discard.example -> discard eom discard
            helo=mark.example -> accept eom mark=mark
            """
        ),
        Group(
            "the first match decides",
            rule("one", "{ spf = [\"fail\", \"softfail\"] }", "junk") + rule("two", "{ spf = \"fail\" }", "reject")
                + rule("three", "{ spf = \"pass\" }", "accept") + rule("four", "{}", "quarantine"),
            """
            spf=fail -> junk eom one
            spf=softfail -> junk eom one
            spf=pass -> accept eom three
            spf=none -> quarantine eom four
            """
        ),
        Group(
            "mark goes on",
            rule("m1", "{ spf = \"fail\" }", "mark") + rule("m2", "{ dkim = \"none\" }", "mark")
                + rule("r", "{ spf = \"fail\" }", "reject"),
            """
            spf=fail dkim=none -> reject rcpt r 550 5.7.23 mark=m1
            ~spf=fail dkim=none -> reject eom r 550 5.7.23 mark=m1 mark=m2 wait
            spf=pass dkim=none -> accept eom mark=m2
            spf=pass dkim=pass -> accept eom
            """
        ),
    ]
}
