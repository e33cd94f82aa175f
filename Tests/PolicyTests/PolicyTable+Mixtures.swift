extension PolicyTable {
    private static let ofRecipients = ["accept", "junk", "quarantine", "reject", "tempfail", "discard"]
        .map { rule($0, "{ dkim = \"fail\", recipient_domains = \"\($0).example\" }", $0) }.joined()

    /// Recipients for whom the rules differ: each has its own first matching rule, the message has one end.
    static let mixtures = [
        Group(
            "what is done when rules of two actions match, by default",
            ofRecipients,
            """
            dkim=fail to=x@accept.example,y@junk.example -> junk eom junk mixed=1:accept:accept,1:junk:junk
            dkim=fail to=x@accept.example,y@quarantine.example -> junk eom quarantine mixed=1:accept:accept,1:quarantine:quarantine
            dkim=fail to=x@accept.example,y@reject.example -> junk eom reject mixed=1:accept:accept,1:reject:reject
            dkim=fail to=x@accept.example,y@tempfail.example -> junk eom tempfail mixed=1:accept:accept,1:tempfail:tempfail
            dkim=fail to=x@accept.example,y@discard.example -> junk eom discard mixed=1:accept:accept,1:discard:discard
            dkim=fail to=x@junk.example,y@quarantine.example -> junk eom junk mixed=1:junk:junk,1:quarantine:quarantine
            dkim=fail to=x@junk.example,y@reject.example -> junk eom reject mixed=1:junk:junk,1:reject:reject
            dkim=fail to=x@junk.example,y@tempfail.example -> junk eom tempfail mixed=1:junk:junk,1:tempfail:tempfail
            dkim=fail to=x@junk.example,y@discard.example -> junk eom junk mixed=1:junk:junk,1:discard:discard
            dkim=fail to=x@quarantine.example,y@reject.example -> quarantine eom quarantine mixed=1:quarantine:quarantine,1:reject:reject
            dkim=fail to=x@quarantine.example,y@tempfail.example -> quarantine eom quarantine mixed=1:quarantine:quarantine,1:tempfail:tempfail
            dkim=fail to=x@quarantine.example,y@discard.example -> quarantine eom quarantine mixed=1:quarantine:quarantine,1:discard:discard
            dkim=fail to=x@reject.example,y@tempfail.example -> tempfail eom tempfail 451 4.7.20 mixed=1:reject:reject,1:tempfail:tempfail
            dkim=fail to=x@reject.example,y@discard.example -> reject eom reject 550 5.7.20 mixed=1:reject:reject,1:discard:discard
            dkim=fail to=x@tempfail.example,y@discard.example -> tempfail eom tempfail 451 4.7.20 mixed=1:tempfail:tempfail,1:discard:discard
            dkim=fail to=x@none.example,y@discard.example -> junk eom discard mixed=1:accept:-,1:discard:discard
            """
        ),
        Group(
            "mixed = \"defer\" puts off what would be refused for some, and nothing else",
            ofRecipients,
            """
            mixed=defer dkim=fail to=x@accept.example,y@reject.example -> tempfail eom reject 451 4.7.1 mixed=1:accept:accept,1:reject:reject put-off
            mixed=defer dkim=fail to=x@none.example,y@reject.example -> tempfail eom reject 451 4.7.1 mixed=1:accept:-,1:reject:reject put-off
            mixed=defer dkim=fail to=x@none.example,y@tempfail.example -> tempfail eom tempfail 451 4.7.1 mixed=1:accept:-,1:tempfail:tempfail put-off
            mixed=defer dkim=fail to=x@reject.example,y@tempfail.example -> tempfail eom reject 451 4.7.1 mixed=1:reject:reject,1:tempfail:tempfail put-off
            mixed=defer dkim=fail to=x@quarantine.example,y@reject.example -> tempfail eom reject 451 4.7.1 mixed=1:quarantine:quarantine,1:reject:reject put-off
            mixed=defer dkim=fail to=x@reject.example,y@discard.example -> tempfail eom reject 451 4.7.1 mixed=1:reject:reject,1:discard:discard put-off
            mixed=defer dkim=fail to=x@accept.example,y@junk.example -> junk eom junk mixed=1:accept:accept,1:junk:junk
            mixed=defer dkim=fail to=x@accept.example,y@quarantine.example -> junk eom quarantine mixed=1:accept:accept,1:quarantine:quarantine
            mixed=defer dkim=fail to=x@accept.example,y@discard.example -> junk eom discard mixed=1:accept:accept,1:discard:discard
            mixed=defer dkim=fail to=x@reject.example,y@reject.example -> reject eom reject 550 5.7.20
            mixed=defer dkim=pass to=x@accept.example,y@reject.example,z@discard.example -> accept eom
            """
        ),
        Group(
            "mixed = \"accept\" leaves out the refusals and does what the other rules say",
            ofRecipients,
            """
            mixed=accept dkim=fail to=x@accept.example,y@reject.example -> accept eom accept mixed=1:accept:accept,1:reject:reject
            mixed=accept dkim=fail to=x@reject.example,y@none.example -> accept eom mixed=1:reject:reject,1:accept:-
            mixed=accept dkim=fail to=x@junk.example,y@reject.example -> junk eom junk mixed=1:junk:junk,1:reject:reject
            mixed=accept dkim=fail to=x@none.example,y@tempfail.example,z@reject.example -> accept eom mixed=1:accept:-,1:tempfail:tempfail,1:reject:reject
            mixed=accept dkim=fail to=x@none.example,y@junk.example,z@reject.example -> junk eom reject mixed=1:accept:-,1:junk:junk,1:reject:reject
            mixed=accept dkim=fail to=x@quarantine.example,y@reject.example -> quarantine eom quarantine mixed=1:quarantine:quarantine,1:reject:reject
            mixed=accept dkim=fail to=x@none.example,y@discard.example -> junk eom discard mixed=1:accept:-,1:discard:discard
            mixed=accept dkim=fail to=x@reject.example,y@tempfail.example -> tempfail eom tempfail 451 4.7.20 mixed=1:reject:reject,1:tempfail:tempfail
            """
        ),
        Group(
            "a second, open recipient does not open the protected one",
            rule("r", "{ dmarc = \"fail\", recipient_domains = \"protected.example\" }", "reject"),
            """
            dmarc=fail to=a@protected.example -> reject eom r 550 5.7.1
            dmarc=fail to=a@protected.example,b@open.example -> junk eom r mixed=1:reject:r,1:accept:-
            dmarc=fail to=b@open.example,a@protected.example -> junk eom r mixed=1:accept:-,1:reject:r
            dmarc=fail to=a@protected.example*3,b@open.example*2 -> junk eom r mixed=3:reject:r,2:accept:-
            dmarc=fail to=b@open.example,a@protected.example,c@open.example -> junk eom r mixed=2:accept:-,1:reject:r
            dmarc=pass to=a@protected.example,b@open.example -> accept eom
            dmarc=none to=a@protected.example,b@open.example -> accept eom
            mixed=defer dmarc=pass to=a@protected.example,b@open.example -> accept eom
            """
        ),
        Group(
            "postmaster among the recipients does not free the message for everybody",
            rule("x", "{ recipients = \"postmaster@\" }", "accept") + rule("r", "{ dmarc = \"fail\" }", "reject")
                + rule("j", "{ sender_id = \"softfail\" }", "junk"),
            """
            dmarc=fail to=postmaster@example.net -> accept eom x
            dmarc=fail to=b@example.net,postmaster@example.net -> junk eom r mixed=1:reject:r,1:accept:x
            mixed=defer dmarc=fail to=b@example.net,postmaster@example.net -> tempfail eom r 451 4.7.1 mixed=1:reject:r,1:accept:x put-off
            mixed=accept dmarc=fail to=b@example.net,postmaster@example.net -> accept eom x mixed=1:reject:r,1:accept:x
            sender_id=softfail to=b@example.net,postmaster@example.net -> junk eom j mixed=1:junk:j,1:accept:x
            dmarc=pass to=b@example.net,postmaster@example.net -> accept eom mixed=1:accept:-,1:accept:x
            """
        ),
        Group(
            "a rule about content above leaves each recipient its own rule",
            rule("x", "{ dkim_domains = \"list.example\" }", "accept")
                + rule("r", "{ spf = \"fail\", recipient_domains = \"protected.example\" }", "reject"),
            """
            spf=fail to=a@protected.example -> reject eom r 550 5.7.23
            spf=fail to=a@protected.example,b@open.example -> junk eom r mixed=1:reject:r,1:accept:-
            mixed=defer spf=fail to=a@protected.example,b@open.example -> tempfail eom r 451 4.7.1 mixed=1:reject:r,1:accept:- put-off
            spf=fail signed=list.example to=a@protected.example,b@open.example -> accept eom x
            """
        ),
        Group(
            "a rule that matches some recipients ends the evaluation for those alone",
            rule("a", "{ recipient_domains = \"a.example\" }", "accept")
                + rule("b", "{ sender_id = \"fail\", recipient_domains = \"b.example\" }", "reject")
                + rule("c", "{ sender_id = \"fail\" }", "junk"),
            """
            sender_id=fail to=x@a.example,y@b.example,z@c.example -> junk eom b mixed=1:accept:a,1:reject:b,1:junk:c
            sender_id=fail to=y@b.example,z@c.example -> junk eom b mixed=1:reject:b,1:junk:c
            sender_id=fail to=x@a.example,z@c.example -> junk eom c mixed=1:accept:a,1:junk:c
            sender_id=fail to=x@a.example,y@a.example -> accept eom a
            sender_id=pass to=x@a.example,y@b.example,z@c.example -> accept eom a mixed=1:accept:a,2:accept:-
            mixed=accept sender_id=fail to=x@a.example,y@b.example,z@c.example -> junk eom b mixed=1:accept:a,1:reject:b,1:junk:c
            """
        ),
        Group(
            "recipients that different rules refuse are refused together",
            rule("a", "{ dkim = \"fail\", recipient_domains = \"a.example\" }", "reject", "reply = \"550 A\"")
                + rule("b", "{ dkim = \"fail\", recipient_domains = \"b.example\" }", "reject", "reply = \"554 B\""),
            """
            dkim=fail to=x@a.example,y@b.example -> reject eom a 550 5.7.20 mixed=1:reject:a,1:reject:b
            dkim=fail to=y@b.example,x@a.example -> reject eom b 554 5.7.20 mixed=1:reject:b,1:reject:a
            mixed=defer dkim=fail to=x@a.example,y@b.example -> reject eom a 550 5.7.20 mixed=1:reject:a,1:reject:b
            dkim=fail to=x@a.example,y@b.example,z@c.example -> junk eom a mixed=1:reject:a,1:reject:b,1:accept:-
            """
        ),
        Group(
            "an exemption of some recipients",
            rule("r", "{ dmarc = \"fail\" }", "reject", "unless = { recipient_domains = \"optout.example\" }"),
            """
            dmarc=fail to=a@example.net,b@optout.example -> junk eom r exempt=r mixed=1:reject:r,1:accept:-
            mixed=defer dmarc=fail to=a@example.net,b@optout.example -> tempfail eom r 451 4.7.1 exempt=r mixed=1:reject:r,1:accept:- put-off
            dmarc=fail to=b@optout.example,c@optout.example -> accept eom exempt=r
            """
        ),
        Group(
            "refused before DATA, and what is left",
            rule("e", "{ spf = \"fail\", recipient_domains = \"early.example\" }", "reject")
                + rule("l", "{ dkim = \"fail\", recipient_domains = \"late.example\" }", "reject"),
            """
            spf=fail dkim=fail to=x@early.example,y@open.example -> accept eom refused=x@early.example:reject rcpt e 550 5.7.23
            spf=fail dkim=fail to=x@early.example,y@late.example -> reject eom l 550 5.7.20 refused=x@early.example:reject rcpt e 550 5.7.23
            spf=fail dkim=fail to=x@early.example,y@late.example,z@open.example -> junk eom l mixed=1:reject:l,1:accept:- refused=x@early.example:reject rcpt e 550 5.7.23
            mode=observe spf=fail to=x@early.example,y@open.example -> accept eom would=reject:e@rcpt mixed=1:reject:e,1:accept:-
            mode=observe spf=fail dkim=fail to=x@early.example,y@late.example -> accept eom would=reject:l@eom mixed=1:reject:e,1:reject:l
            mode=observe spf=fail dkim=fail to=x@early.example,y@late.example,z@open.example -> accept eom would=junk:l@eom mixed=1:reject:e,1:reject:l,1:accept:-
            mode=observe mixed=defer dkim=fail to=y@late.example,z@open.example -> accept eom would=tempfail:l@eom mixed=1:reject:l,1:accept:- put-off
            mode=observe mixed=accept dkim=fail to=y@late.example,z@open.example -> accept eom mixed=1:reject:l,1:accept:-
            mode=observe spf=fail to=x@early.example,y@early.example -> accept rcpt would=reject:e@rcpt
            """
        ),
    ]
}
