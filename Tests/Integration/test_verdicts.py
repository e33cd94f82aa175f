"""Real mail, judged: what is stamped, what is refused, what is logged."""

import unittest

import mail
import mta
from scenario import OnSendmail, Scenario


class Verdicts(Scenario):
    def assert_passes(self, message):
        results = mail.results(message)
        self.assertEqual(
            {method: results.get(method) for method in ("spf", "sender-id", "dkim", "dmarc")},
            {"spf": "pass", "sender-id": "pass", "dkim": "pass", "dmarc": "pass"},
        )
        self.assertEqual(mail.values(message, "X-SID-PRA"), ["a@example.com"])
        self.assertEqual(mail.values(message, "X-SID-Result"), ["Pass"])
        self.assertEqual(mail.values(message, "X-DKIM-Result"), ["Pass"])

    def test_signed_mail_of_a_permitted_client_passes(self):
        outcome = self.send(mail.key("example.com").sign(mail.letter()))
        self.assertEqual(outcome.code, 250, outcome)
        message = self.delivered()
        self.assert_passes(message)
        names = [name for name, _ in mail.stamped(message)]
        self.assertEqual(names, ["Authentication-Results", "X-SID-PRA", "X-SID-Result", "X-DKIM-Result"])
        line = self.line()
        self.assertEqual(line.queue_id, outcome.queue_id)
        self.assertEqual(line.get("action"), "accept")
        self.assertEqual((line["spf"], line["sender_id"], line["dkim"], line["dmarc"]), ("pass",) * 4)
        self.assertEqual((line["client"], line["rcpts"], line["from"]), (self.client(10), "1", "<a@example.com>"))

    def test_an_ed25519_signature_passes(self):
        self.send(mail.key("example.com", "e", "ed25519").sign(mail.letter()))
        self.assert_passes(self.delivered())

    def test_the_log_line_has_its_fields_in_order(self):
        self.send(mail.letter())
        order = "action rule stage client helo from rcpts spf spf_helo sender_id pra dkim dmarc policy dns ms".split()
        names = [name for name in self.line().names if name in order]
        self.assertEqual(names, [name for name in order if name in names])
        self.assertLessEqual(set("action client helo from rcpts spf sender_id dkim dmarc dns ms".split()), set(names))

    def test_a_body_altered_after_signing_fails(self):
        signed = mail.key("example.com").sign(mail.letter(body=b"The sum is 10.\r\n"))
        self.send(signed.replace(b"sum is 10", b"sum is 99"))
        message = self.delivered()
        self.assertEqual(mail.results(message)["dkim"], "fail")
        self.assertEqual(mail.values(message, "X-DKIM-Result"), ["Fail"])
        self.assertEqual(self.line()["dkim"], "fail")

    def test_an_unsigned_message_says_none(self):
        self.send(mail.letter())
        message = self.delivered()
        self.assertEqual(mail.results(message)["dkim"], "none")
        self.assertEqual(mail.values(message, "X-DKIM-Result"), ["None"])

    def test_spf_fail_is_refused_before_data(self):
        outcome = self.send(mail.letter(), client=66)
        self.assert_reply(outcome, "rcpt", r"^550 5\.7\.23 ")
        self.assert_nothing_delivered()
        line = self.line()
        self.assertEqual((line["action"], line["rule"], line["stage"], line["spf"]), ("reject", "spf-strict", "rcpt", "fail"))

    def test_an_enrolled_sender_is_refused_at_a_protected_domain(self):
        letter = mail.letter(author="news@enrolled.example", to="bob@protected.example")
        outcome = self.send(letter, "bounce@relay.example", "bob@protected.example")
        self.assert_reply(outcome, "data", r"^550 5\.7\.1 Sender ID \(PRA\) fail: ")
        self.assert_nothing_delivered()
        line = self.line()
        self.assertEqual((line["rule"], line["stage"], line["sender_id"]), ("enrolled-sender-id", "eom", "fail"))

    def test_an_enrolled_sender_is_stamped_at_another_domain(self):
        letter = mail.letter(author="news@enrolled.example", to="bob@open.example")
        self.assertEqual(self.send(letter, "bounce@relay.example", "bob@open.example").code, 250)
        message = self.delivered("bob@open.example")
        self.assertEqual(mail.results(message)["sender-id"], "fail")
        self.assertEqual(mail.values(message, "X-SID-Result"), ["Fail"])
        self.assertEqual(self.line()["action"], "accept")

    def test_several_messages_on_a_connection_are_judged_apart(self):
        signed = mail.key("example.com").sign(mail.letter())
        with mail.Session(self.server, client=self.client(10)) as session:
            for message in (signed, mail.letter(), signed.replace(b"Hello", b"Hallo"), signed):
                self.assertEqual(session.send(message).code, 250)
        self.server.settle()
        found = sorted(mail.results(message)["dkim"] for message in self.server.delivered("bob@example.org"))
        self.assertEqual(found, ["fail", "none", "pass", "pass"])

    def test_the_null_sender_is_judged_by_its_helo(self):
        self.assertEqual(self.send(mail.letter(), sender="").code, 250)
        self.assertEqual(mail.results(self.delivered())["spf"], "pass")


class VerdictsOnSendmail(OnSendmail, Verdicts):
    pass


class VerdictsOfPostfixAlone(Scenario):
    """What only XCLIENT or Postfix's chain of milters can show."""

    def test_an_ipv6_client_passes(self):
        self.send(mail.letter(), client="2001:db8::10")
        self.assertEqual(mail.results(self.delivered())["spf"], "pass")
        self.assertEqual(self.line()["client"], "2001:db8::10")

    @classmethod
    def client(cls, number):
        return number if isinstance(number, str) else super().client(number)

    def test_a_login_is_not_judged(self):
        self.assertEqual(self.send(mail.letter(), client=66, login="alice").code, 250)
        self.assertEqual(mail.values(self.delivered(), "X-SID-Result"), [])


class SignedByOpenDKIM(Scenario):
    """opendkim signs first, in the same chain of milters."""

    @classmethod
    def mail_server(cls):
        signer = cls.servers.enter_context(mta.OpenDKIM(mail.key("example.com")))
        cls.before = (signer.milter,)
        return super().mail_server()

    def test_a_signature_by_opendkim_passes(self):
        self.send(mail.letter())
        message = self.delivered()
        self.assertEqual(len(mail.values(message, "DKIM-Signature")), 1)
        self.assertEqual(mail.results(message)["dkim"], "pass")


class FollowedByOpenDKIM(Scenario):
    """opendkim signs after us, in the same chain of milters."""

    @classmethod
    def mail_server(cls):
        signer = cls.servers.enter_context(mta.OpenDKIM(mail.key("example.com")))
        cls.after = (signer.milter,)
        return super().mail_server()

    def test_our_fields_stand_above_received_beside_those_of_a_milter_after_us(self):
        forged = ("Authentication-Results: mx.example.org; dkim=pass header.d=bank.example", "X-SID-Result: Pass")
        self.send(mail.letter(extra=forged))
        message = self.delivered()
        names = [name for name, _ in mail.stamped(message)]
        ours = ["Authentication-Results", "X-SID-PRA", "X-SID-Result", "X-DKIM-Result"]
        self.assertEqual([name for name in names if name in ours], ours)
        self.assertIn("DKIM-Signature", names)
        self.assertEqual(len(mail.values(message, "Authentication-Results")), 1)
        self.assertEqual(len(mail.values(message, "X-SID-Result")), 1)
        self.assertEqual(mail.results(message)["dkim"], "none")


class Observed(Scenario):
    mode = "observe"

    def test_what_would_be_refused_is_delivered_and_logged(self):
        self.assertEqual(self.send(mail.letter(), client=66).code, 250)
        self.assertEqual(mail.results(self.delivered())["spf"], "fail")
        line = self.line()
        self.assertEqual((line["action"], line["would"], line["rule"]), ("accept", "reject", "spf-strict"))


class ObservedOnSendmail(OnSendmail, Observed):
    pass


if __name__ == "__main__":
    unittest.main()
