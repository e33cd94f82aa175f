"""Sessions of a scripted MTA: what no real one can be made to do."""

import unittest

import daemon
import mail
import milter_client

ZONE = 'example.com. 300 IN TXT "v=spf1 -all"\n'
REFUSING = """\
[[rules]]
name = "spf"
when = { spf = "fail" }
action = "reject"
"""
HEADERS = [("From", "a@example.com"), ("Subject", "hello")]


def begin(milter):
    milter.connect("mail.example.com", "192.0.2.1")
    milter.helo("mail.example.com")
    milter.mail("<a@example.com>")


def header(milter):
    for name, value in HEADERS:
        milter.header(name, " " + value)
    milter.eoh()


def end(milter):
    header(milter)
    milter.body(b"Hello.\r\n")
    return milter.eom().reply


class Session(unittest.TestCase):
    def connect(self, postern, protocol=milter_client.ALL_PROTOCOL):
        milter = milter_client.Milter(postern.unix)
        self.addCleanup(milter.close)
        milter.negotiate(protocol=protocol)
        return milter


class Recipients(Session):
    def answers_recipients(self, milter):
        return not milter.protocol & milter_client.NR["R"]

    def test_a_rule_that_can_refuse_a_recipient_is_asked(self):
        with daemon.Postern(REFUSING, ZONE) as postern:
            milter = self.connect(postern)
            self.assertTrue(self.answers_recipients(milter))
            begin(milter)
            self.assertRegex(milter.rcpt("<b@example.org>").text, r"^550 5\.7\.23 ")

    def test_without_such_a_rule_no_answer_is_needed(self):
        for mode, rules in (("observe", REFUSING), ("enforce", "")):
            with daemon.Postern(rules, ZONE, mode=mode) as postern:
                milter = self.connect(postern)
                self.assertFalse(self.answers_recipients(milter), mode)
                begin(milter)
                self.assertIsNone(milter.rcpt("<b@example.org>"))
                self.assertIn(end(milter).command, "ac")

    def test_rules_that_come_later_refuse_at_the_end(self):
        with daemon.Postern("", ZONE) as postern:
            milter = self.connect(postern)
            postern.configure(REFUSING)
            postern.reload()
            daemon.wait_until(lambda: "configuration reloaded" in postern.read("log"), "a reload")
            begin(milter)
            self.assertIsNone(milter.rcpt("<b@example.org>"))
            self.assertRegex(end(milter).text, r"^550 5\.7\.23 ")
            self.assertEqual(postern.line()["action"], "reject")

    def test_too_many_are_never_delivered_unjudged(self):
        with daemon.Postern("", ZONE) as postern:
            milter = self.connect(postern)
            begin(milter)
            for number in range(50_001):
                milter.rcpt(f"<{number}@example.org>")
            self.assertRegex(end(milter).text, r"^452 4\.5\.3 ")
            self.assertEqual(postern.line()["action"], "tempfail")


class Bodies(Session):
    """Chunks of a body have answers where few connections are open, and none where there are many."""

    def setUp(self):
        self.postern = self.enterContext(daemon.Postern("", ZONE))

    def answers_bodies(self, milter):
        return not milter.protocol & milter_client.NR["B"]

    def send(self, milter):
        begin(milter)
        milter.rcpt("<b@example.org>")
        header(milter)
        answers = [milter.body(b"Hello.\r\n") for _ in range(2)]
        return answers, milter.eom().reply

    def test_the_fifth_connection_waits_for_none(self):
        milters = [self.connect(self.postern) for _ in range(5)]
        self.assertEqual([self.answers_bodies(each) for each in milters], [True, True, True, True, False])
        answers, reply = self.send(milters[0])
        # Nothing is signed, so nothing of the body is wanted.
        self.assertEqual([each.command for each in answers], ["s", "s"])
        self.assertIn(reply.command, "ac")
        answers, reply = self.send(milters[4])
        self.assertEqual(answers, [None, None])
        self.assertIn(reply.command, "ac")

    def test_connections_that_ended_do_not_count(self):
        def answers_next():
            with milter_client.Milter(self.postern.unix) as milter:
                milter.negotiate()
                return self.answers_bodies(milter)

        for _ in range(6):
            answers_next()
        daemon.wait_until(answers_next, "answers to bodies")

    def test_an_mta_that_needs_answers_has_them(self):
        for _ in range(4):
            self.connect(self.postern)
        milter = self.connect(self.postern, milter_client.ALL_PROTOCOL & ~milter_client.NR["B"])
        answers, reply = self.send(milter)
        self.assertEqual([each.command for each in answers], ["s", "s"])
        self.assertIn(reply.command, "ac")


KEY = """\
[[signing]]
domain = "example.com"
keys = [{ selector = "s", file = "@DIRECTORY@/key.pem" }]
"""


class Trust(Session):
    """Who is judged, who is signed for, and who is neither."""

    def postern(self, rules, **options):
        postern = daemon.Postern(rules + KEY, ZONE, **options)
        postern.write("key.pem", mail.key("example.com").pem.decode(), 0o600)
        return postern

    def send(self, postern, client, login=None, socket=None):
        milter = milter_client.Milter(socket or postern.unix)
        self.addCleanup(milter.close)
        milter.negotiate()
        milter.connect("mail.example.com", client)
        milter.helo("mail.example.com")
        milter.mail("<a@example.com>", macros={"auth_authen": login, "auth_type": "PLAIN"} if login else {})
        milter.rcpt("<b@example.org>")
        for name, value in [("Authentication-Results", "mx.example.org; spf=pass"), *HEADERS]:
            milter.header(name, " " + value)
        milter.eoh()
        milter.body(b"Hello.\r\n")
        outcome = milter.eom()
        return outcome.reply.command, [name for _, _, name, value in outcome.header_changes() if value]

    def test_each_kind_of_client(self):
        judged = ["X-DKIM-Result", "X-SID-Result", "X-SID-PRA", "Authentication-Results"]
        signed = ["DKIM-Signature"]
        roles = "".join(
            f'[[listen]]\nsocket = "unix:@DIRECTORY@/{role}.sock"\nrole = "{role}"\n' for role in ("inbound", "outbound")
        )
        trust = {"trusted": ["192.0.2.0/28"], "skipped": ["192.0.2.5", "198.51.100.0/24"]}
        with self.postern(roles, **trust) as postern:
            inbound, outbound = ("unix:" + postern.path(f"{role}.sock") for role in ("inbound", "outbound"))
            for client, login, socket, added, trusted in (
                ("203.0.113.1", None, None, judged, None),
                ("192.0.2.1", "ann", None, signed, "login"),
                ("203.0.113.1", "ann", None, signed, "login"),
                # Neither judged nor signed, whatever the socket and whatever else its network is.
                ("198.51.100.7", None, None, [], "skip"),
                ("198.51.100.7", None, inbound, [], "skip"),
                ("198.51.100.7", None, outbound, [], "skip"),
                ("192.0.2.5", None, None, [], "skip"),
                # A login from such an address is a login.
                ("198.51.100.7", "ann", None, signed, "login"),
                ("192.0.2.1", None, inbound, judged, None),
                # What we have judged comes from outside, though our own address brings it.
                ("192.0.2.1", None, None, [], "network"),
                ("203.0.113.1", None, outbound, [], None),
            ):
                with self.subTest(client=client, login=login, socket=socket):
                    seen = len(postern.lines())
                    command, names = self.send(postern, client, login, socket)
                    self.assertIn(command, "ac")
                    self.assertEqual(sorted(names), sorted(added))
                    self.assertEqual(postern.line(after=seen).get("trusted"), trusted)


class Forged(Session):
    """Fields that pass for ours, in headers that no honest mail has."""

    PADDING = [("X-Padding", " " + "x" * 60_000)] * 20
    FORGED = [
        ("Authentication-Results", " mx.example.org; dkim=pass header.d=bank.example"),
        ("X-DKIM-Result", " Pass"),
        ("Authentication-Results", " other.example; spf=pass"),
        ("X-Spam-Flag", " NO"),
    ]

    def send(self, postern, fields, login=None):
        milter = self.connect(postern)
        milter.connect("mail.example.com", "192.0.2.1")
        milter.helo("mail.example.com")
        milter.mail("<a@example.com>", macros={"auth_authen": login, "auth_type": "PLAIN"} if login else {})
        milter.rcpt("<b@example.org>")
        fields = [*fields, *HEADERS]
        for name, value in fields:
            milter.header(name, value)
        milter.eoh()
        milter.body(b"Hello.\r\n")
        outcome = milter.eom()
        return outcome.reply, [(name, value.strip()) for name, value in outcome.headers_after(fields) if value]

    def assert_left(self, fields, names):
        self.assertEqual([name for name, _ in fields if name not in ("X-Padding", "From", "Subject")], names)

    def test_they_go_from_a_header_of_any_size(self):
        with daemon.Postern("", ZONE, mode="observe") as postern:
            for place in (0, 10, 20):
                fields = self.PADDING[:place] + self.FORGED + self.PADDING[place:]
                reply, after = self.send(postern, fields)
                self.assertIn(reply.command, "ac")
                self.assert_left(after, ["Authentication-Results"])
                self.assertIn(("Authentication-Results", "other.example; spf=pass"), after)
                line = postern.line()
                self.assertEqual((line["action"], line["would"], line["removed"]), ("accept", "reject", "3"))

    def test_such_a_header_is_refused_where_the_rules_act(self):
        with daemon.Postern("", ZONE) as postern:
            reply, _ = self.send(postern, self.PADDING + self.FORGED)
            self.assertRegex(reply.text, r"^552 5\.3\.4 ")

    def test_they_go_from_mail_of_a_login(self):
        for mode in ("observe", "enforce"):
            with daemon.Postern("", ZONE, mode=mode) as postern:
                reply, after = self.send(postern, self.PADDING + self.FORGED, login="alice")
                self.assertIn(reply.command, "ac")
                self.assert_left(after, ["Authentication-Results"])
                self.assertEqual(postern.line()["removed"], "3")

    def test_they_stay_where_the_configuration_says_so(self):
        with daemon.Postern("[headers]\nremove_forged = false\n", ZONE, mode="observe") as postern:
            _, after = self.send(postern, self.PADDING + self.FORGED)
            self.assert_left(after, [name for name, _ in self.FORGED])

    def test_a_hundred_are_deleted_and_more_refused(self):
        for count, refused in ((100, False), (101, True)):
            with daemon.Postern("", ZONE) as postern:
                reply, after = self.send(postern, self.FORGED[:1] * count)
                if refused:
                    self.assertRegex(reply.text, r"^552 5\.3\.4 ")
                else:
                    self.assertEqual(sum("bank" in value for _, value in after), 0)

    def test_observing_refuses_none_and_deletes_what_an_mta_can_take(self):
        for count, left in ((101, 0), (1000, 0), (10_000, 9000)):
            with daemon.Postern("[limits]\nmax_header = '2MiB'\n", ZONE, mode="observe") as postern:
                reply, after = self.send(postern, self.FORGED[:1] * count)
                self.assertIn(reply.command, "ac")
                self.assertEqual(sum("bank" in value for _, value in after), left)
                line = postern.line()
                self.assertEqual((line["action"], line["would"]), ("accept", "reject"))
                self.assertEqual(line["removed"], str(count - left))
                self.assertEqual(line["problem"], '"too many forged header fields"')
                # Ours stands above all that is left.
                self.assertTrue(after[0][1].startswith("mx.example.org;\n\tspf=fail"))


if __name__ == "__main__":
    unittest.main()
