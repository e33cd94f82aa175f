"""Every action at every stage, for one recipient and for several, through both mail servers."""

import unittest

import mail
from scenario import ZONE, OnSendmail, Scenario

# A message names its case by the domain of its author, "reject-eom.example". At RCPT the recipient's domain decides,
# "reject-rcpt.example"; at the end of the message the author's, which only the header tells, at "hit.example".
ACTIONS = ("reject", "tempfail", "discard", "quarantine", "junk", "accept", "mark")

RULES = {
    "rcpt": """\
[[rules]]
name = "{action}-rcpt"
when = {{ recipient_domains = ["{action}-rcpt.example"] }}
action = "{action}"

""",
    "eom": """\
[[rules]]
name = "{action}-eom"
when = {{ from_domains = ["{action}-eom.example"], recipient_domains = ["hit.example"] }}
action = "{action}"

""",
}

# What "accept" and "mark" do shows in whether this one is reached.
LAST = """\
[[rules]]
name = "last"
when = { from_domains = ["accept-rcpt.example", "accept-eom.example", "mark-rcpt.example", "mark-eom.example"] }
action = "reject"
reply = "550 5.7.1 The last rule"
"""


def hit(action, stage, *names):
    """Recipients that the rule is for."""
    domain = "hit.example" if stage == "eom" else f"{action}-rcpt.example"
    return [f"{name}@{domain}" for name in names or ("bob",)]


class Actions(Scenario):
    # A rule that only the header can decide leaves those below it to the end of the message.
    rules = "".join(RULES[stage].format(action=action) for stage in ("rcpt", "eom") for action in ACTIONS) + LAST
    zone = ZONE

    def try_case(self, action, stage, to, session=None):
        letter = mail.letter(author=f"a@{action}-{stage}.example", to=to[0])
        return (session or self).send(letter, "a@relay.example", to)

    def fresh(self):
        self.server.empty_mailboxes()
        self.seen = len(self.postern.lines())

    def recipients(self):
        self.server.settle()
        return sorted(recipient for recipient, _ in self.server.mail())

    def each(self, *actions):
        """The actions at both stages, with nothing left of the case before."""
        for action in actions:
            for stage in ("rcpt", "eom"):
                self.fresh()
                yield action, stage

    def assert_logged(self, action, rule, stage=None):
        line = self.line()
        self.assertEqual((line["action"], line.get("rule")), (action, rule), line)
        if stage:
            self.assertEqual(line["stage"], stage, line)

    # One recipient.

    def test_reject_and_tempfail(self):
        for action, stage in self.each("reject", "tempfail"):
            with self.subTest(action=action, stage=stage):
                outcome = self.try_case(action, stage, hit(action, stage))
                pattern = r"^550 5\.7\.1 " if action == "reject" else r"^451 4\.7\.1 "
                self.assert_reply(outcome, "rcpt" if stage == "rcpt" else "data", pattern)
                self.assertEqual(self.recipients(), [])
                self.assert_logged(action, f"{action}-{stage}", stage)

    def test_discard(self):
        for action, stage in self.each("discard"):
            with self.subTest(action=action, stage=stage):
                self.assertEqual(self.try_case("discard", stage, hit("discard", stage)).code, 250)
                self.assertEqual(self.recipients(), [])
                self.assertEqual(self.server.held(), [])
                self.assert_logged("discard", f"discard-{stage}")

    def test_quarantine(self):
        for action, stage in self.each("quarantine"):
            with self.subTest(action=action, stage=stage):
                held = len(self.server.held())
                self.assertEqual(self.try_case("quarantine", stage, hit("quarantine", stage)).code, 250)
                self.assertEqual(self.recipients(), [])
                self.assertEqual(len(self.server.held()), held + 1)
                self.assert_logged("quarantine", f"quarantine-{stage}")

    def test_junk(self):
        for action, stage in self.each("junk"):
            with self.subTest(action=action, stage=stage):
                self.assertEqual(self.try_case("junk", stage, hit("junk", stage)).code, 250)
                message = self.delivered(*hit(action, stage))
                self.assertIn(("X-Spam-Flag", "YES"), mail.stamped(message))
                self.assert_logged("junk", f"junk-{stage}")

    def test_accept_stops(self):
        for action, stage in self.each("accept"):
            with self.subTest(action=action, stage=stage):
                self.assertEqual(self.try_case("accept", stage, hit("accept", stage)).code, 250)
                self.assertTrue(mail.results(self.delivered(*hit(action, stage))))
                self.assert_logged("accept", f"accept-{stage}")

    def test_mark_goes_on(self):
        for action, stage in self.each("mark"):
            with self.subTest(action=action, stage=stage):
                outcome = self.try_case("mark", stage, hit("mark", stage))
                self.assert_reply(outcome, "data", r"^550 5\.7\.1 .*The last rule")
                line = self.line()
                self.assertEqual((line["action"], line["rule"]), ("reject", "last"))
                self.assertIn(f"mark-{stage}", line.text)

    # Several recipients: refused one by one before DATA; at the end what becomes of one becomes of all.

    def test_refused_before_data_is_one_recipient(self):
        for action in ("reject", "tempfail"):
            self.fresh()
            with self.subTest(action=action):
                bob, al = hit(action, "rcpt", "bob", "al")
                to = [bob, "eve@miss.example", al]
                outcome = self.try_case(action, "rcpt", to)
                self.assertEqual(sorted(outcome.refused), [al, bob])
                self.assertEqual(outcome.code, 250)
                self.assertEqual(self.recipients(), ["eve@miss.example"])

    def test_at_the_end_it_is_all(self):
        for action, code in (("reject", 550), ("tempfail", 451)):
            self.fresh()
            with self.subTest(action=action):
                outcome = self.try_case(action, "eom", hit(action, "eom", "bob", "al"))
                self.assertEqual((outcome.stage, outcome.code), ("data", code))
                self.assertEqual(self.recipients(), [])

    def test_or_junk(self):
        to = ["bob@hit.example", "eve@miss.example"]
        for action in ("reject", "tempfail", "discard", "quarantine"):
            self.fresh()
            with self.subTest(action=action):
                held = len(self.server.held())
                self.assertEqual(self.try_case(action, "eom", to).code, 250)
                self.assertEqual(self.recipients(), sorted(to))
                self.assertEqual(len(self.server.held()), held)
                self.assertIn(("X-Spam-Flag", "YES"), mail.stamped(self.delivered(to[1])))
                line = self.line()
                self.assertEqual((line["action"], line["rule"]), ("junk", f"{action}-eom"), line)
                self.assertEqual(line["mixed"], f'"1 {action} {action}-eom, 1 accept"')

    # Several messages on a connection: nothing of one stays for the next.

    def test_messages_on_one_connection(self):
        with mail.Session(self.server, client=self.client(10)) as session:
            for _ in range(2):
                for action, stage, where, code in (
                    ("reject", "rcpt", "rcpt", 550), ("junk", "eom", "data", 250), ("tempfail", "eom", "data", 451),
                    ("accept", "rcpt", "data", 250), ("discard", "eom", "data", 250), ("reject", "eom", "data", 550),
                    ("tempfail", "rcpt", "rcpt", 451),
                ):
                    with self.subTest(action=action, stage=stage):
                        outcome = self.try_case(action, stage, hit(action, stage), session)
                        self.assertEqual((outcome.stage, outcome.code), (where, code), outcome)
        self.server.settle()
        messages = self.server.delivered("bob@hit.example") + self.server.delivered("bob@accept-rcpt.example")
        self.assertEqual(len(messages), 4)
        self.assertEqual(sum(bool(mail.values(message, "X-Spam-Flag")) for message in messages), 2)


class ActionsOnSendmail(OnSendmail, Actions):
    pass


class ActionsObserved(Scenario):
    """The same rules in `observe`: all is delivered, and the log says what would have been done."""

    rules = Actions.rules
    mode = "observe"

    def test_nothing_is_done(self):
        for action in ("reject", "tempfail", "discard", "quarantine", "junk"):
            for stage in ("rcpt", "eom"):
                self.server.empty_mailboxes()
                self.seen = len(self.postern.lines())
                with self.subTest(action=action, stage=stage):
                    outcome = Actions.try_case(self, action, stage, hit(action, stage))
                    self.assertEqual(outcome.code, 250, outcome)
                    self.assertEqual(mail.values(self.delivered(*hit(action, stage)), "X-Spam-Flag"), [])
                    line = self.line()
                    self.assertEqual((line["action"], line["would"]), ("accept", action), line)
                    self.assertEqual(line["rule"], f"{action}-{stage}")
        self.assertEqual(self.server.held(), [])


class ActionsObservedOnSendmail(OnSendmail, ActionsObserved):
    pass


if __name__ == "__main__":
    unittest.main()
