extension PolicyTable {
    /// What is decided when: nothing before DATA that the end of the message would decide otherwise.
    static let stages = [
        Group(
            "an undecided rule above stops an early refusal",
            rule("x", "{ dkim = \"pass\" }", "accept") + rule("r", "{ spf = \"fail\" }", "reject"),
            """
            spf=fail dkim=pass -> accept eom x
            spf=fail dkim=none -> reject eom r 550 5.7.23
            ~spf=fail dkim=none -> reject eom r 550 5.7.23
            """
        ),
        Group(
            "an undecided junk or discard above stops it too",
            rule("j", "{ dkim = \"fail\" }", "junk") + rule("d", "{ sender_id = \"fail\" }", "discard")
                + rule("r", "{ spf = \"fail\" }", "reject"),
            """
            spf=fail dkim=fail -> junk eom j
            spf=fail sender_id=fail -> discard eom d
            spf=fail -> reject eom r 550 5.7.23
            """
        ),
        Group(
            "a rule above that cannot match any more does not",
            rule("x", "{ dkim = \"pass\", clients = \"198.51.100.0/24\" }", "accept")
                + rule("r", "{ spf = \"fail\" }", "reject"),
            """
            spf=fail dkim=pass -> reject rcpt r 550 5.7.23
            spf=fail dkim=pass client=198.51.100.1 -> accept eom x
            spf=fail dkim=none client=198.51.100.1 -> reject eom r 550 5.7.23
            """
        ),
        Group(
            "an undecided mark or trial above does not",
            rule("m", "{ dkim = \"pass\" }", "mark") + rule("t", "{ dmarc = \"fail\" }", "reject", "observe = true")
                + rule("r", "{ spf = \"fail\" }", "reject"),
            """
            spf=fail dkim=pass -> reject rcpt r 550 5.7.23
            spf=pass dkim=pass dmarc=fail -> accept eom trial=t:reject mark=m
            """
        ),
        Group(
            "waiting is worth it only for what comes before DATA",
            rule("r", "{ spf = \"fail\", dmarc = \"fail\" }", "reject"),
            """
            ~spf=fail dmarc=fail -> reject eom r 550 5.7.26
            spf=fail dmarc=pass -> accept eom
            """
        ),
        Group(
            "waiting for one rule serves those below it",
            rule("q", "{ spf = \"softfail\" }", "quarantine") + rule("r", "{ iprev = \"fail\" }", "reject"),
            """
            ~spf=softfail iprev=fail -> quarantine eom q wait
            spf=softfail iprev=fail -> quarantine eom q
            spf=pass iprev=fail -> reject rcpt r 550 5.7.25
            spf=pass ~iprev=fail -> reject eom r 550 5.7.25 wait
            """
        ),
        Group(
            "no rule refuses before DATA, so nothing waits",
            rule("q", "{ spf = \"fail\" }", "quarantine")
                + rule("t", "{ spf = \"softfail\" }", "reject", "observe = true"),
            """
            ~spf=fail -> quarantine eom q
            spf=softfail -> accept eom trial=t:reject
            """
        ),
        Group(
            "tempfail for errors",
            rule("t", "{ spf = \"temperror\" }", "tempfail") + rule("p", "{ spf = \"permerror\" }", "reject"),
            """
            spf=temperror -> tempfail rcpt t 451 4.7.24
            spf=permerror -> reject rcpt p 550 5.7.24
            spf=fail -> accept eom
            """
        ),
        Group(
            "sender_domains by MAIL FROM decides early, by PRA at the end",
            rule("r", "{ spf = \"fail\", sender_domains = \"example.org\" }", "reject"),
            """
            spf=fail from=a@example.org -> reject rcpt r 550 5.7.23
            spf=fail from=a@other.example pra=a@example.org -> reject eom r 550 5.7.23
            spf=fail from=a@other.example pra=a@other.example -> accept eom
            """
        ),
    ]

    /// `unless`.
    static let exemptions = [
        Group(
            "one table: all of it must hold",
            rule(
                "r",
                "{ spf = \"fail\" }",
                "reject",
                "unless = { clients = \"198.51.100.0/24\", helo = \"relay.example\" }"
            ),
            """
            spf=fail -> reject rcpt r 550 5.7.23
            spf=fail client=198.51.100.1 -> reject rcpt r 550 5.7.23
            spf=fail client=198.51.100.1 helo=relay.example -> accept eom exempt=r
            spf=pass client=198.51.100.1 helo=relay.example -> accept eom
            """
        ),
        Group(
            "a list of tables: one of them must hold",
            rule(
                "r",
                "{ spf = \"fail\" }",
                "reject",
                "unless = [ { clients = \"198.51.100.0/24\" }, { client_names = \".forwarder.example\" }, { dkim_domains = \"list.example\" } ]"
            ),
            """
            spf=fail client=198.51.100.1 -> accept eom exempt=r
            spf=fail names=out.forwarder.example -> accept eom exempt=r
            spf=fail signed=list.example -> accept eom exempt=r
            spf=fail signed=other.example -> reject eom r 550 5.7.23
            spf=fail names=out.other.example -> reject eom r 550 5.7.23
            """
        ),
        Group(
            "an exemption that is not known keeps the rule from acting",
            rule("r", "{ spf = \"fail\" }", "reject", "unless = { client_names = \".forwarder.example\" }"),
            """
            spf=fail names=? -> accept eom exempt=r wait
            spf=fail ~names=out.forwarder.example -> accept eom exempt=r wait
            spf=fail ~names=out.other.example -> reject eom r 550 5.7.23 wait
            spf=fail names=out.other.example -> reject rcpt r 550 5.7.23
            """
        ),
        Group(
            "an exempted rule leaves the word to the next",
            rule("one", "{ spf = \"fail\" }", "reject", "unless = { helo = \"relay.example\" }")
                + rule("two", "{ spf = \"fail\" }", "junk"),
            """
            spf=fail -> reject rcpt one 550 5.7.23
            spf=fail helo=relay.example -> junk eom two exempt=one
            """
        ),
        Group(
            "an exemption of recipients",
            rule("r", "{ spf = \"fail\" }", "reject", "unless = { recipients = \"postmaster@\" }"),
            """
            spf=fail to=a@example.net -> reject rcpt r 550 5.7.23
            spf=fail to=postmaster@example.net -> accept eom exempt=r
            ~spf=fail to=a@example.net,postmaster@example.net -> junk eom r exempt=r mixed=1:reject:r,1:accept:- wait
            """
        ),
    ]

    /// `mode` and `observe`.
    static let modes = [
        Group(
            "observe says what enforce would do",
            rule("r", "{ spf = \"fail\" }", "reject") + rule("t", "{ iprev = \"temperror\" }", "tempfail")
                + rule("j", "{ dkim = \"fail\" }", "junk") + rule("x", "{ dkim = \"pass\" }", "accept"),
            """
            mode=observe spf=fail -> accept rcpt would=reject:r@rcpt
            mode=observe ~spf=fail -> accept rcpt would=reject:r@rcpt
            mode=observe iprev=temperror -> accept rcpt would=tempfail:t@rcpt
            mode=observe dkim=fail -> accept eom would=junk:j@eom
            mode=observe dkim=pass -> accept eom x
            mode=observe dkim=none -> accept eom
            """
        ),
        Group(
            "observe with several recipients",
            rule("r", "{ spf = \"fail\", recipient_domains = \"a.example\" }", "reject")
                + rule("j", "{ dkim = \"fail\" }", "junk"),
            """
            mode=observe spf=fail to=x@a.example,y@a.example -> accept rcpt would=reject:r@rcpt
            mode=observe spf=fail to=x@a.example,y@b.example -> accept eom would=reject:r@rcpt mixed=1:reject:r,1:accept:-
            mode=observe spf=fail to=x@a.example,y@b.example dkim=fail -> accept eom would=junk:j@eom mixed=1:reject:r,1:junk:j
            """
        ),
        Group(
            "a rule on trial beside enforced ones",
            rule("t", "{ spf = \"fail\" }", "reject", "observe = true") + rule("j", "{ spf = \"fail\" }", "junk"),
            """
            spf=fail -> junk eom j trial=t:reject
            spf=pass -> accept eom
            mode=observe spf=fail -> accept eom would=junk:j@eom trial=t:reject
            """
        ),
    ]

    /// Codes, own and standard.
    static let replies = [
        Group(
            "codes left out are the standard ones",
            rule("a", "{ helo = \"a.example\", spf = \"fail\" }", "reject", "reply = \"Go away\"")
                + rule("b", "{ helo = \"b.example\", spf = \"fail\" }", "reject", "reply = \"554 Go away\"")
                + rule("c", "{ helo = \"c.example\", spf = \"fail\" }", "reject", "reply = \"5.7.0 Go away\"")
                + rule("d", "{ helo = \"d.example\", spf = \"fail\" }", "reject", "reply = \"521 5.7.2 Go away\"")
                + rule("e", "{ helo = \"e.example\", spf = \"fail\" }", "tempfail", "reply = \"450 Wait\""),
            """
            spf=fail helo=a.example -> reject rcpt a 550 5.7.23
            spf=fail helo=b.example -> reject rcpt b 554 5.7.23
            spf=fail helo=c.example -> reject rcpt c 550 5.7.0
            spf=fail helo=d.example -> reject rcpt d 521 5.7.2
            spf=fail helo=e.example -> tempfail rcpt e 450 4.7.23
            """
        )
    ]
}
