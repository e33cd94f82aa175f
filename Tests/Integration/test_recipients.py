"""Messages to recipients for whom the rules differ, from mail servers that try again."""

import re
import unittest

import daemon
import mail
import mta
from scenario import ZONE, OnSendmail, Scenario

RULES = """\
[[rules]]
name = "forged"
when = { dmarc = "fail", recipient_domains = ["protected.example"] }
action = "reject"
"""

PROTECTED, OPEN = "bob@protected.example", "eve@open.example"


def flags(message):
    return mail.values(message, "X-Spam-Flag")


class Mixed(Scenario):
    """Behind one mail server, by a client that the test plays."""

    rules = RULES

    def send_forged(self, to, session=None):
        """From a client that the author's domain does not let send."""
        options = {} if session else {"client": 66}
        return (session or self).send(mail.letter(), "a@relay.example", to, **options)


class Junked(Mixed):
    def test_a_second_recipient_does_not_open_the_protected_one(self):
        self.assertEqual(self.send_forged([PROTECTED, OPEN]).code, 250)
        for recipient in (PROTECTED, OPEN):
            self.assertEqual(flags(self.delivered(recipient)), ["YES"])
        line = self.line()
        self.assertEqual((line["action"], line["rule"]), ("junk", "forged"))
        self.assertEqual(line["mixed"], '"1 reject forged, 1 accept"')

    def test_each_alone_meets_its_own_rule(self):
        self.assert_reply(self.send_forged([PROTECTED]), "data", r"^550 5\.7\.1 ")
        self.assertEqual(self.send_forged([OPEN]).code, 250)
        self.assertEqual(flags(self.delivered(OPEN)), [])

    def test_honest_mail_to_both_goes_in_one_transaction(self):
        signed = mail.key("example.com").sign(mail.letter())
        outcome = self.send(signed, "a@example.com", [PROTECTED, OPEN])
        self.assertEqual((outcome.code, outcome.refused), (250, {}))
        for recipient in (PROTECTED, OPEN):
            self.assertEqual(flags(self.delivered(recipient)), [])
        self.assertNotIn("mixed", self.line().names)

    def test_why_names_each_recipient(self):
        outcome = self.send_forged([PROTECTED, OPEN])
        story = self.postern.command("why", outcome.queue_id)
        self.assertRegex(story, rf'reject, by rule "forged", .*\n *<{re.escape(PROTECTED)}>')
        self.assertRegex(story, rf"accept, no rule decides.*\n *<{re.escape(OPEN)}>")


class JunkedOnSendmail(OnSendmail, Junked):
    pass


class Deferred(Mixed):
    top = 'mixed = "defer"'

    def test_it_is_put_off_once_and_then_taken_apart(self):
        with mail.Session(self.server, client=self.client(66)) as session:
            first = self.send_forged([OPEN, PROTECTED], session)
            self.assert_reply(first, "data", r"^451 4\.7\.1 ")
            self.assert_nothing_delivered()
            second = self.send_forged([OPEN, PROTECTED], session)
            self.assertEqual(second.code, 250)
            self.assertEqual(list(second.refused), [PROTECTED])
            self.assertRegex(second.refused[PROTECTED].replace("\n", " "), r"^452 4\.5\.3 .*separate transaction")
            self.assertEqual(flags(self.delivered(OPEN)), [])
            self.assertEqual(self.line().get("sent_away"), "1")
            third = self.send_forged([PROTECTED], session)
            self.assert_reply(third, "data", r"^550 5\.7\.1 ")
        self.assertEqual([who for who, _ in self.server.mail()], [OPEN])
        status = self.postern.command("status")
        self.assertRegex(status, r"put off +[1-9]\d* messages? to mixed recipients, [1-9]\d* recipients? sent away")

    def test_honest_mail_is_never_delayed(self):
        signed = mail.key("example.com").sign(mail.letter())
        for _ in range(2):
            outcome = self.send(signed, "honest@example.com", [PROTECTED, OPEN])
            self.assertEqual((outcome.code, outcome.refused), (250, {}))

    def test_no_more_than_eight_are_sent_away(self):
        to = [name.format(n) for n in range(10) for name in ("o{}@open.example", "p{}@protected.example")]
        with mail.Session(self.server, client=self.client(66)) as session:
            self.assertEqual(session.send(mail.letter(), "eight@relay.example", to).code, 451)
            outcome = session.send(mail.letter(), "eight@relay.example", to)
            self.assertEqual(outcome.code, 250)
            self.assertEqual(sorted(outcome.refused), [f"p{n}@protected.example" for n in range(8)])
        self.server.settle()
        delivered = {who: path for who, path in self.server.mail()}
        self.assertEqual(sorted(delivered), sorted(set(to) - set(outcome.refused)))
        for path in delivered.values():
            self.assertEqual(flags(mta.contents(path)), ["YES"])
        line = self.line()
        self.assertEqual((line["action"], line["sent_away"]), ("junk", "8"))
        self.assertIn("not put off: too many recipients to separate", line["mixed"])


class DeferredOnSendmail(OnSendmail, Deferred):
    pass


class Accepted(Mixed):
    top = 'mixed = "accept"'

    def test_it_is_delivered_as_to_those_whom_no_rule_refuses(self):
        self.assertEqual(self.send_forged([PROTECTED, OPEN]).code, 250)
        for recipient in (PROTECTED, OPEN):
            self.assertEqual(flags(self.delivered(recipient)), [])
        self.assertEqual(self.line()["mixed"], '"1 reject forged, 1 accept"')


class Observed(Mixed):
    mode = "observe"

    def test_the_log_says_what_would_become_of_it(self):
        self.assertEqual(self.send_forged([PROTECTED, OPEN]).code, 250)
        line = self.line()
        self.assertEqual((line["action"], line["would"], line["rule"]), ("accept", "junk", "forged"))
        self.assertEqual(line["mixed"], '"1 reject forged, 1 accept"')


class RetriedByMailServers(unittest.TestCase):
    """A mail server with mail for two kinds of recipients in turns, and one behind it that has the rules.

    The limits on errors are Postfix' own: what is answered 452 must not cost the session.
    """

    limits = {"smtpd_error_sleep_time": "1s", "smtpd_soft_error_limit": "10", "smtpd_hard_error_limit": "20"}

    def relay(self, client, count, mixed="defer"):
        """Sends a forged message to `count` recipients of each kind; what was delivered, and the log's lines."""
        filter = daemon.Postern(RULES, ZONE, top=f'mixed = "{mixed}"')
        with filter as postern, mta.Postfix(postern.unix, **self.limits) as server:
            with client(server.port) as relay:
                to = [name.format(n) for n in range(count) for name in ("o{}@open.example", "p{}@protected.example")]
                outcome = mail.send(relay, mail.letter(), "a@relay.example", to, client="127.0.0.1")
                self.assertEqual((outcome.code, outcome.refused), (250, {}), outcome)
                relay.try_all()
                runs = 1
                while relay.queued() and runs < 6:
                    relay.run_queue()
                    runs += 1
                self.assertLessEqual(runs, 3, "queue runs")
                self.assertFalse(relay.queued())
            server.settle()
            mails = [(who, flags(mta.contents(path))) for who, path in server.mail() if who in to]
            lines = [line for line in postern.lines() if line["from"] == "<a@relay.example>"]
        self.assertEqual(len({who for who, _ in mails}), len(mails), "nobody gets a message twice")
        self.assertEqual({who for who in to if "open" in who}, {who for who, _ in mails if "open" in who})
        unflagged = [who for who, flag in mails if not flag]
        self.assertEqual([who for who in unflagged if "protected" in who], [])
        return mails, lines

    def assert_exact(self, client):
        """Up to eight of a kind: each meets its own rule, as if it had been the only one."""
        mails, lines = self.relay(client, 8)
        self.assertEqual([flag for _, flag in mails if flag], [])
        self.assertEqual(len(mails), 8)
        self.assertEqual([line["action"] for line in lines], ["tempfail", "accept", "reject"])

    def test_postfix_settles_sixteen_exactly(self):
        self.assert_exact(mta.RelayingPostfix)

    def test_sendmail_settles_sixteen_exactly(self):
        self.assert_exact(mta.RelayingSendmail)

    def assert_settled(self, client):
        """More than eight of a kind in a transaction: eight are taken apart, the others get it flagged."""
        mails, lines = self.relay(client, 50)
        self.assertEqual([line["action"] for line in lines], ["tempfail", "junk", "reject"])
        self.assertEqual([line.get("sent_away") for line in lines], [None, "8", None])
        self.assertEqual(len(mails), 92)

    def test_postfix_settles_a_hundred(self):
        self.assert_settled(lambda port: mta.RelayingPostfix(port, smtp_destination_recipient_limit="200"))

    def test_postfix_sorts_a_hundred_by_domain_before_it_sends_fifty_at_a_time(self):
        mails, lines = self.relay(mta.RelayingPostfix, 50)
        self.assertEqual(sorted(line["action"] for line in lines), ["accept", "reject"])
        self.assertEqual(len(mails), 50)

    def test_sendmail_settles_a_hundred(self):
        self.assert_settled(mta.RelayingSendmail)

    def test_by_default_nothing_comes_again(self):
        for client in (mta.RelayingPostfix, mta.RelayingSendmail):
            with self.subTest(client=client.name):
                mails, lines = self.relay(client, 4, mixed="junk")
                self.assertEqual((len(mails), [line["action"] for line in lines]), (8, ["junk"]))


del Mixed

if __name__ == "__main__":
    unittest.main()
