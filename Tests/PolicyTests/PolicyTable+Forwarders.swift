extension PolicyTable {
    /// How a message came.
    static let paths = [
        Group(
            "list_id, which anybody can write, and list_verified",
            rule("l", "{ list_id = \".lists.example\" }", "mark")
                + rule(
                    "d",
                    "{ dmarc = \"fail\" }",
                    "reject",
                    "unless = { list_id = \".lists.example\", list_verified = true }"
                ),
            """
            dmarc=fail -> reject eom d 550 5.7.1
            dmarc=fail list=users.lists.example -> reject eom d 550 5.7.1 mark=l
            dmarc=fail list=users.lists.example verified=yes -> accept eom mark=l exempt=d excused=mailing_list/users.lists.example
            dmarc=fail list=users.other.example verified=yes -> reject eom d 550 5.7.1
            dmarc=fail list=users.lists.example verified=open -> tempfail eom d 451 4.4.3 mark=l undecided=d:list_verified
            dmarc=fail list=users.lists.example verified=? -> accept eom mark=l exempt=d
            dmarc=pass list=users.lists.example verified=yes -> accept eom mark=l
            """
        ),
        Group(
            "a flag takes a list without an answer for none",
            rule("d", "{ dmarc = \"fail\", list_verified = false }", "junk"),
            """
            dmarc=fail verified=open -> junk eom d
            dmarc=fail verified=yes -> accept eom
            """
        ),
        Group(
            "forwarded",
            rule("f", "{ spf = \"fail\" }", "reject", "unless = { forwarded = true }"),
            """
            spf=fail forwarded=yes -> accept eom exempt=f
            spf=fail forwarded=no -> reject eom f 550 5.7.23
            spf=fail forwarded=open -> tempfail eom f 451 4.4.3 undecided=f:forwarded
            """
        ),
        Group(
            "permitted_by, before DATA",
            rule("p", "{ spf = \"fail\" }", "reject", "unless = { permitted_by = [\"a.example\", \"b.example\"] }"),
            """
            spf=fail -> reject rcpt p 550 5.7.23
            spf=fail permits=b.example -> accept eom exempt=p
            spf=fail ~permits=b.example -> accept eom exempt=p wait
            spf=fail open_permits=a.example -> tempfail eom p 451 4.4.3 undecided=p:permitted_by
            spf=fail open_permits=c.example -> reject rcpt p 550 5.7.23
            spf=fail permits=? -> accept eom exempt=p wait
            """
        ),
        Group(
            "spf_open, before DATA",
            rule("o", "{ spf_open = true }", "reject"),
            """
            spf=pass spf_open=yes -> reject rcpt o 550 5.7.1
            spf=pass spf_open=no -> accept eom
            spf=temperror spf_open=open -> tempfail eom o 451 4.4.3 undecided=o:spf_open
            """
        ),
    ]

    private static let forwarder = """
        [[trusted_forwarders]]
        name = "uni"
        clients = "198.51.100.0/24"
        names = ".uni.example"
        sealers = "uni.example"
        [[trusted_forwarders]]
        name = "alumni"
        names = "mx.alumni.example"
        recipients = ["a.example", ".a.example"]

        """

    /// Forwarders that the rules on DMARC do not see fail.
    static let forwarders = [
        Group(
            "each sign of a forwarder is enough",
            forwarder + rule("d", "{ dmarc = \"fail\", dmarc_policy = \"reject\" }", "reject"),
            """
            dmarc=fail p=reject -> reject eom d 550 5.7.1
            dmarc=fail p=reject client=198.51.100.7 -> accept eom excused=trusted_forwarder/uni
            dmarc=fail p=reject names=out.uni.example -> accept eom excused=trusted_forwarder/uni
            dmarc=fail p=reject arc=pass sealers=uni.example -> accept eom excused=trusted_forwarder/uni
            dmarc=fail p=reject arc=pass sealers=later.example -> reject eom d 550 5.7.1
            dmarc=fail p=reject arc=fail -> reject eom d 550 5.7.1
            dmarc=fail p=none client=198.51.100.7 -> accept eom
            dmarc=pass p=reject client=198.51.100.7 -> accept eom
            """
        ),
        Group(
            "without an answer, and with a check that was not made",
            forwarder + rule("d", "{ dmarc = \"fail\" }", "reject"),
            """
            dmarc=temperror client=198.51.100.7 -> accept eom
            dmarc=fail iprev=temperror -> tempfail eom d 451 4.4.3 undecided=d:client_names
            dmarc=fail iprev=temperror open_names=x.uni.example -> tempfail eom d 451 4.4.3 undecided=d:client_names
            dmarc=fail iprev=temperror open_names=x.other.example -> reject eom d 550 5.7.1
            dmarc=fail iprev=temperror client=198.51.100.7 -> accept eom excused=trusted_forwarder/uni
            dmarc=fail iprev=? names=? arc=? sealers=? -> reject eom d 550 5.7.1
            """
        ),
        Group(
            "every rule on DMARC, whatever it does; no other rule, and no exemption",
            forwarder + rule("m", "{ dmarc = \"!pass\" }", "mark") + rule("p", "{ dmarc_policy = \"reject\" }", "junk")
                + rule("s", "{ spf = \"softfail\" }", "junk", "unless = { dmarc = \"pass\" }")
                + rule("n", "{ dkim_aligned = \"fail\" }", "junk"),
            """
            dmarc=fail p=reject client=198.51.100.7 -> accept eom excused=trusted_forwarder/uni
            dmarc=fail p=reject client=198.51.100.7 spf=softfail -> junk eom s excused=trusted_forwarder/uni
            dmarc=fail p=reject client=198.51.100.7 aligned=fail -> junk eom n excused=trusted_forwarder/uni
            dmarc=none client=198.51.100.7 -> accept eom mark=m
            dmarc=permerror client=198.51.100.7 -> accept eom mark=m
            """
        ),
        Group(
            "for some recipients only",
            forwarder + rule("d", "{ dmarc = \"fail\" }", "reject"),
            """
            dmarc=fail names=mx.alumni.example to=x@a.example -> accept eom excused=trusted_forwarder/alumni
            dmarc=fail names=mx.alumni.example to=x@b.example -> reject eom d 550 5.7.1
            dmarc=fail names=mx.alumni.example to=none -> reject eom d 550 5.7.1
            dmarc=fail names=mx.alumni.example,x.uni.example to=x@b.example -> accept eom excused=trusted_forwarder/uni
            dmarc=fail names=mx.alumni.example to=x@a.example,y@b.example -> junk eom d excused=trusted_forwarder/alumni mixed=1:accept:-,1:reject:d
            """
        ),
    ]
}
