extension PolicyTable {
    /// Checks without an answer of the DNS: what may have been refused is neither refused for good nor let through.
    static let undecided = [
        Group(
            "each check of a rule that refuses",
            rule("s", "{ spf = \"fail\", helo = \"s.example\" }", "reject")
                + rule("h", "{ spf_helo = \"!pass\", helo = \"h.example\" }", "reject")
                + rule("i", "{ sender_id = [\"fail\", \"softfail\"], helo = \"i.example\" }", "reject")
                + rule("k", "{ dkim = [\"none\", \"fail\"], helo = \"k.example\" }", "reject")
                + rule("a", "{ dkim_aligned = \"!pass\", helo = \"a.example\" }", "reject")
                + rule("d", "{ dmarc = \"fail\", helo = \"d.example\" }", "reject")
                + rule("p", "{ dmarc_policy = \"reject\", helo = \"p.example\" }", "reject")
                + rule("n", "{ dmarc_policy = \"absent\", helo = \"n.example\" }", "reject")
                + rule("v", "{ iprev = \"fail\", helo = \"v.example\" }", "reject")
                + rule("c", "{ client_names = \".dynamic.example\", helo = \"c.example\" }", "reject")
                + rule("l", "{ arc = \"fail\", helo = \"l.example\" }", "reject")
                + rule("m", "{ arc_sealers = \"!list.example\", helo = \"m.example\" }", "reject"),
            """
            helo=s.example spf=temperror -> tempfail eom s 451 4.4.3 undecided=s:spf
            helo=h.example spf_helo=temperror -> tempfail eom h 451 4.4.3 undecided=h:spf_helo
            helo=i.example sender_id=temperror -> tempfail eom i 451 4.4.3 undecided=i:sender_id
            helo=k.example dkim=temperror -> tempfail eom k 451 4.4.3 undecided=k:dkim
            helo=a.example aligned=temperror -> tempfail eom a 451 4.4.3 undecided=a:dkim_aligned
            helo=d.example dmarc=temperror -> tempfail eom d 451 4.4.3 undecided=d:dmarc
            helo=p.example dmarc=temperror p=? -> tempfail eom p 451 4.4.3 undecided=p:dmarc_policy
            helo=n.example dmarc=temperror p=? -> tempfail eom n 451 4.4.3 undecided=n:dmarc_policy
            helo=p.example dmarc=temperror p=none -> accept eom
            helo=p.example dmarc=? p=? -> accept eom
            helo=v.example iprev=temperror -> tempfail eom v 451 4.4.3 undecided=v:iprev
            helo=c.example iprev=temperror -> tempfail eom c 451 4.4.3 undecided=c:client_names
            helo=c.example iprev=fail -> accept eom
            helo=l.example arc=temperror -> tempfail eom l 451 4.4.3 undecided=l:arc
            helo=l.example arc=none -> accept eom
            helo=l.example arc=fail -> reject eom l 550 5.7.1
            helo=l.example arc=? -> accept eom
            helo=m.example arc=temperror open_sealers=list.example -> tempfail eom m 451 4.4.3 undecided=m:arc_sealers
            helo=m.example arc=temperror open_sealers=other.example -> reject eom m 550 5.7.1
            helo=m.example arc=pass sealers=list.example -> accept eom
            helo=m.example arc=? sealers=? -> accept eom
            helo=other.example spf=temperror dmarc=temperror -> accept eom
            """
        ),
        Group(
            "an error of a record is an answer, and a check that is switched off hangs on none",
            rule("r", "{ spf = \"fail\" }", "reject", "unless = { client_names = \".fwd.example\" }"),
            """
            spf=permerror -> accept eom
            spf=? -> accept eom wait
            spf=fail names=? -> accept eom exempt=r wait
            spf=temperror names=? -> accept eom wait
            spf=fail iprev=permerror -> reject rcpt r 550 5.7.23
            """
        ),
        Group(
            "an exemption whose name could not be looked up is not absent",
            rule("r", "{ spf = \"fail\" }", "reject", "unless = { client_names = \".fwd.example\" }"),
            """
            spf=fail iprev=temperror -> tempfail eom r 451 4.4.3 undecided=r:client_names
            spf=fail iprev=temperror to=a@x.example,b@y.example -> tempfail eom r 451 4.4.3 undecided=r:client_names
            spf=fail iprev=temperror signed=example.com aligned=pass -> tempfail eom r 451 4.4.3 undecided=r:client_names
            spf=temperror iprev=temperror signed=example.com aligned=pass -> accept eom undecided=r:spf
            spf=pass iprev=temperror -> accept eom
            spf=fail iprev=pass names=out.fwd.example -> accept eom exempt=r
            spf=temperror iprev=pass names=out.fwd.example -> accept eom
            spf=temperror iprev=temperror -> tempfail eom r 451 4.4.3 undecided=r:spf
            mode=observe spf=fail iprev=temperror -> accept eom would=tempfail:r@eom undecided=r:client_names
            """
        ),
        Group(
            "nor is the negation of one",
            rule("r", "{ spf = \"fail\", client_names = \"!.fwd.example\" }", "reject"),
            """
            spf=fail iprev=temperror -> tempfail eom r 451 4.4.3 undecided=r:client_names
            spf=fail iprev=fail -> reject rcpt r 550 5.7.23
            """
        ),
        Group(
            "an exemption by a signature whose key could not be looked up",
            rule(
                "r",
                "{ spf = \"fail\" }",
                "reject",
                "unless = { dkim_domains = [\"list.example\", \"!bad.example\"] }"
            ),
            """
            spf=fail unanswered=list.example -> tempfail eom r 451 4.4.3 undecided=r:dkim_domains
            spf=fail signed=other.example unanswered=list.example -> tempfail eom r 451 4.4.3 undecided=r:dkim_domains
            spf=fail signed=list.example unanswered=other.example -> accept eom exempt=r
            spf=fail signed=list.example unanswered=bad.example -> tempfail eom r 451 4.4.3 undecided=r:dkim_domains
            spf=fail signed=other.example unanswered=third.example -> reject eom r 550 5.7.23
            spf=fail signed=bad.example unanswered=list.example -> reject eom r 550 5.7.23
            """
        ),
        Group(
            "what the author's domain has signed is no forgery",
            rule("r", "{ spf = \"fail\" }", "reject"),
            """
            spf=temperror aligned=pass dkim=pass -> accept eom undecided=r:spf
            spf=temperror aligned=temperror dmarc=temperror signed=example.com -> accept eom undecided=r:spf
            spf=temperror signed=example.org -> tempfail eom r 451 4.4.3 undecided=r:spf
            spf=temperror signed=example.com author=example.com,example.org authors=2 -> tempfail eom r 451 4.4.3 undecided=r:spf
            spf=temperror signed=example.com reading=unreadable -> tempfail eom r 451 4.4.3 undecided=r:spf
            spf=temperror dkim=pass -> tempfail eom r 451 4.4.3 undecided=r:spf
            """
        ),
        Group(
            "undecided = \"accept\": the rule does not act, and the log says so",
            rule("r", "{ spf = \"fail\" }", "reject") + rule("j", "{ dkim = \"none\" }", "junk"),
            """
            undecided=accept spf=temperror dkim=pass -> accept eom undecided=r:spf
            undecided=accept spf=temperror dkim=none -> junk eom j undecided=r:spf
            undecided=tempfail spf=temperror dkim=none -> tempfail eom r 451 4.4.3 undecided=r:spf
            mode=observe undecided=accept spf=temperror dkim=pass -> accept eom undecided=r:spf
            mode=observe spf=temperror dkim=pass -> accept eom would=tempfail:r@eom undecided=r:spf
            """
        ),
        Group(
            "a rule that names temperror has decided",
            rule("t", "{ spf = [\"fail\", \"temperror\"] }", "reject")
                + rule("n", "{ iprev = [\"!pass\", \"!temperror\"] }", "reject"),
            """
            spf=temperror -> reject rcpt t 550 5.7.24
            spf=pass iprev=temperror -> accept eom
            spf=pass iprev=fail -> reject rcpt n 550 5.7.25
            """
        ),
        Group(
            "and one below that names it decides for those above",
            rule("r", "{ spf = \"fail\" }", "reject")
                + rule("e", "{ spf = \"temperror\", dkim = \"none\" }", "junk")
                + rule("x", "{ spf = \"temperror\", dkim = \"pass\" }", "accept")
                + rule("w", "{ spf = \"temperror\" }", "tempfail", "reply = \"451 4.7.1 Later\""),
            """
            spf=temperror dkim=none -> junk eom e undecided=r:spf
            spf=temperror dkim=pass -> accept eom x undecided=r:spf
            spf=temperror dkim=fail -> tempfail eom w 451 4.7.1 undecided=r:spf
            spf=fail dkim=none -> reject rcpt r 550 5.7.23
            """
        ),
        Group(
            "but not one that names another check: who sends a message can have that go unanswered",
            rule("r", "{ spf = \"fail\" }", "reject") + rule("d", "{ dmarc = \"fail\" }", "reject")
                + rule("h", "{ spf_helo = \"temperror\" }", "junk")
                + rule("m", "{ dmarc = \"temperror\", helo = \"m.example\" }", "accept")
                + rule("b", "{ spf = \"temperror\", dmarc = \"temperror\", helo = \"b.example\" }", "accept"),
            """
            spf=temperror spf_helo=temperror -> tempfail eom r 451 4.4.3 undecided=r:spf
            spf_helo=temperror -> junk eom h
            helo=m.example dmarc=temperror -> accept eom m undecided=d:dmarc
            helo=m.example dmarc=temperror spf=temperror -> tempfail eom r 451 4.4.3 undecided=r:spf undecided=d:dmarc
            helo=b.example dmarc=temperror spf=temperror -> accept eom b undecided=r:spf undecided=d:dmarc
            """
        ),
        Group(
            "a rule below decides when nobody is to get the message in any case, not when somebody is",
            rule("r", "{ spf = \"fail\" }", "reject") + rule("d", "{ dmarc = \"fail\" }", "reject")
                + rule("q", "{ dkim = \"policy\" }", "quarantine") + rule("j", "{ dkim = \"fail\" }", "junk")
                + rule("x", "{}", "accept"),
            """
            spf=temperror dmarc=fail -> reject eom d 550 5.7.1 undecided=r:spf
            spf=temperror dkim=policy -> quarantine eom q undecided=r:spf
            spf=temperror dkim=fail -> tempfail eom r 451 4.4.3 undecided=r:spf
            spf=temperror dkim=none -> tempfail eom r 451 4.4.3 undecided=r:spf
            undecided=accept spf=temperror dkim=none -> accept eom x undecided=r:spf
            spf=temperror dmarc=temperror -> tempfail eom r 451 4.4.3 undecided=r:spf undecided=d:dmarc
            """
        ),
        Group(
            "what may have freed the message from a refusal below is not absent either",
            rule("x", "{ client_names = \".partner.example\" }", "accept") + rule("r", "{ spf = \"fail\" }", "reject")
                + rule("j", "{ spf = \"fail\" }", "junk"),
            """
            spf=fail iprev=temperror -> tempfail eom x 451 4.4.3 undecided=x:client_names
            spf=pass iprev=temperror -> accept eom
            spf=fail iprev=fail -> reject rcpt r 550 5.7.23
            spf=fail iprev=temperror aligned=pass -> junk eom j undecided=x:client_names
            undecided=accept spf=fail iprev=temperror -> junk eom j undecided=x:client_names
            mode=observe spf=fail iprev=temperror -> accept eom would=tempfail:x@eom undecided=x:client_names
            """
        ),
        Group(
            "a refusal for good must be certain, one for now need not",
            rule("t", "{ spf = \"softfail\" }", "tempfail") + rule("q", "{ spf_helo = \"fail\" }", "quarantine")
                + rule("r", "{ iprev = \"fail\" }", "reject") + rule("w", "{ iprev = \"permerror\" }", "tempfail"),
            """
            spf=temperror iprev=fail -> tempfail eom t 451 4.4.3 undecided=t:spf
            spf_helo=temperror iprev=fail -> tempfail eom q 451 4.4.3 undecided=q:spf_helo
            spf=temperror iprev=permerror -> tempfail rcpt w 451 4.7.25 undecided=t:spf
            spf=temperror -> tempfail eom t 451 4.4.3 undecided=t:spf
            """
        ),
        Group(
            "what quarantines or discards keeps the message as well",
            rule("q", "{ spf = \"fail\" }", "quarantine") + rule("d", "{ sender_id = \"fail\" }", "discard"),
            """
            spf=temperror -> tempfail eom q 451 4.4.3 undecided=q:spf
            sender_id=temperror -> tempfail eom d 451 4.4.3 undecided=d:sender_id
            spf=temperror sender_id=fail -> tempfail eom q 451 4.4.3 undecided=q:spf
            """
        ),
        Group(
            "a flag is worth no delay: there an error is a word like the others",
            rule("j", "{ sender_id = \"softfail\", dkim_aligned = \"!pass\", dmarc = \"!pass\" }", "junk")
                + rule("k", "{ spf = \"fail\" }", "junk", "unless = { client_names = \".fwd.example\" }")
                + rule("m", "{ dmarc = \"temperror\" }", "mark")
                + rule("t", "{ spf = \"fail\" }", "reject", "observe = true"),
            """
            sender_id=softfail aligned=temperror dmarc=temperror -> junk eom j
            sender_id=temperror aligned=none dmarc=none -> accept eom
            spf=fail iprev=temperror -> junk eom k
            spf=temperror -> accept eom
            dmarc=temperror -> accept eom mark=m
            """
        ),
        Group(
            "refused before DATA is what is certain",
            rule("r", "{ spf = \"fail\" }", "reject") + rule("v", "{ iprev = \"fail\" }", "reject")
                + rule("x", "{ helo = \"x.example\" }", "accept")
                + rule("l", "{ helo = [\"l.example\", \"x.example\"] }", "reject"),
            """
            spf=temperror iprev=fail -> reject rcpt v 550 5.7.25 undecided=r:spf
            spf=temperror helo=l.example -> reject rcpt l 550 5.7.1 undecided=r:spf
            spf=temperror helo=x.example -> tempfail eom r 451 4.4.3 undecided=r:spf
            spf=? iprev=fail -> reject eom v 550 5.7.25 wait
            """
        ),
        Group(
            "where it is not decided for some recipients, the message comes again for all",
            rule("r", "{ dmarc = \"fail\", recipient_domains = \"protected.example\" }", "reject")
                + rule("s", "{ spf = \"fail\", recipient_domains = \"strict.example\" }", "reject"),
            """
            dmarc=temperror to=a@protected.example,b@open.example -> tempfail eom r 451 4.4.3 undecided=r:dmarc mixed=1:tempfail:r,1:accept:-
            mixed=defer dmarc=temperror to=a@protected.example,b@open.example -> tempfail eom r 451 4.4.3 undecided=r:dmarc mixed=1:tempfail:r,1:accept:-
            dmarc=temperror to=b@open.example,c@open.example -> accept eom
            dmarc=temperror spf=temperror to=a@protected.example,c@strict.example -> tempfail eom r 451 4.4.3 undecided=r:dmarc undecided=s:spf mixed=1:tempfail:r,1:tempfail:s
            undecided=accept dmarc=temperror to=a@protected.example,b@open.example -> accept eom undecided=r:dmarc
            """
        ),
    ]
}
