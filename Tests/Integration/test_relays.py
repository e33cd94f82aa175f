"""Mail that a host of our own passes on, by real mail servers: postern-cases(7), "Behind a relay"."""

import re
import unittest

import daemon
import mail
import mta
from scenario import RULES, ZONE

# Where relays connect from, each with a loopback address of its own; none is this host to the filter.
BACKUP, GATEWAY = "127.0.0.2", "127.0.0.3"
RELAYS = f"""\
[trust.relays]
networks = ["{BACKUP}", "{GATEWAY}"]
by = ["mx2.example.org", "gateway.example.org"]
"""


def relay(name, address, port):
    """A mail server of our own that takes mail from everybody and passes it on."""
    return mta.Postfix(
        "", relayhost=f"[127.0.0.1]:{port}", virtual_mailbox_domains="", myhostname=name, smtp_bind_address=address,
        mynetworks="127.0.0.0/8 192.0.2.0/24 [2001:db8::]/32", smtpd_recipient_restrictions="permit_mynetworks,reject",
    )


class Relays(unittest.TestCase):
    """A backup MX in front of our mail server, and a gateway in front of the backup MX."""

    def setUpServers(self, configuration=RELAYS, mode="enforce"):
        self.postern = self.enterContext(daemon.Postern(RULES + configuration, ZONE, mode))
        self.server = self.enterContext(mta.Postfix(self.postern.unix))
        self.backup = self.enterContext(relay("mx2.example.org", BACKUP, self.server.port))

    def send(self, server, client, message=None, sender="a@example.com", **options):
        """Sends mail to a server as a client, and gives its line when it has come to the filter."""
        seen = len(self.postern.lines())
        outcome = mail.send(server, message or mail.letter(), sender, ["bob@example.org"], client=client, **options)
        self.assertEqual(outcome.code, 250, outcome)
        return self.postern.line(after=seen)

    def take(self):
        self.server.settle()
        message, = self.server.delivered("bob@example.org")
        self.server.empty_mailboxes()
        return message

    def stamp(self, message):
        stamp, = [value for value in mail.values(message, "Authentication-Results") if value.startswith("mx.example.org")]
        return re.sub(r"\s+", " ", stamp)

    def test_the_client_of_the_relay_is_judged(self):
        self.setUpServers()
        line = self.send(self.backup, "192.0.2.10")
        self.assertEqual(
            [line.get(name) for name in ("action", "client", "relay", "helo", "spf", "spf_helo", "dmarc", "iprev")],
            ["accept", "192.0.2.10", BACKUP, "mail.example.com", "pass", "pass", "pass", "pass"],
        )
        self.assertIn("spf=pass smtp.mailfrom=a@example.com smtp.remote-ip=192.0.2.10", self.stamp(self.take()))

    def test_a_forger_is_flagged_and_nobody_gets_a_bounce(self):
        self.setUpServers()
        forged = [
            "Received: from mail.example.com (mail.example.com [192.0.2.10]) by mx2.example.org (Postfix) with ESMTP id 1",
            "Received: from mx2.example.org (mx2.example.org [127.0.0.2]) by gateway.example.org (Postfix) with ESMTP id 2",
        ]
        for fields in ([], forged[:1], forged[::-1]):
            line = self.send(self.backup, "192.0.2.66", mail.letter(extra=fields))
            self.assertEqual(
                [line.get(name) for name in ("action", "relayed", "rule", "stage", "client", "spf")],
                ["junk", "reject", "spf-strict", "eom", "192.0.2.66", "fail"],
            )
            self.assertEqual(mail.values(self.take(), "X-Spam-Flag"), ["YES"])
        self.backup.settle()
        self.assertEqual(len(self.postern.lines()), 3)

    def test_a_forger_cannot_make_the_field_unreadable(self):
        """A HELO name of any length: Postfix cuts a line of 998 octets wherever that is, also in the address."""
        self.setUpServers("""\
[[rules]]
name = "dmarc"
when = { dmarc = "fail", dmarc_policy = "reject" }
action = "reject"
""" + RELAYS)
        first = len("Received: from ")
        for length in (300, 998 - first, 998 - first - len(" (unk"), 998 - first - len(" (unknown [192.0."), 1500, 1900):
            line = self.send(self.backup, "192.0.2.66", sender="a@soft.example", helo="a" * length)
            self.assertEqual(
                [line.get(name) for name in ("action", "relayed", "rule", "client", "spf", "dmarc")],
                ["junk", "reject", "dmarc", "192.0.2.66", "softfail", "fail"], length,
            )
            self.assertIsNone(line.get("problem"), length)
        self.server.settle()
        self.server.empty_mailboxes()

    def test_two_relays(self):
        self.setUpServers()
        gateway = self.enterContext(relay("gateway.example.org", GATEWAY, self.backup.port))
        for client, result in (("192.0.2.10", "pass"), ("192.0.2.66", "fail"), ("2001:db8::10", "pass")):
            line = self.send(gateway, client)
            self.assertEqual([line.get(name) for name in ("client", "relay", "spf")], [client, BACKUP, result])

    def test_what_others_are_refused_for_whatever_the_rules_say(self):
        self.setUpServers(RELAYS + "[limits]\nmax_header = '64KiB'\n")
        forged = "X-DKIM-Result: forged"
        for extra, left, problem in (
            ([forged] * 101, 0, '"too many forged header fields"'),
            ([forged] * 1010, 10, '"too many forged header fields"'),
            ([f"X-Large: {'x' * 900}"] * 80, 0, '"header section beyond limits.max_header"'),
        ):
            line = self.send(self.backup, "192.0.2.10", mail.letter(extra=extra))
            self.assertEqual(
                [line.get(name) for name in ("action", "relayed", "rule", "client", "spf", "problem")],
                ["junk", "reject", None, "192.0.2.10", "pass", problem],
            )
            message = self.take()
            self.assertEqual(message.count(b"forged"), left)
            self.assertEqual(mail.values(message, "X-Spam-Flag"), ["YES"])
            self.assertIn("spf=pass", self.stamp(message))
        self.backup.settle()
        self.assertEqual(len(self.postern.lines()), 3)

    def test_refuse(self):
        self.setUpServers(RELAYS + "refuse = true\n")
        line = self.send(self.backup, "192.0.2.66")
        self.assertEqual((line["action"], line.get("relayed"), line["stage"]), ("reject", None, "eom"))

    def test_observe(self):
        self.setUpServers(mode="observe")
        line = self.send(self.backup, "192.0.2.66")
        self.assertEqual((line["action"], line["would"], line["relayed"]), ("accept", "junk", "reject"))

    def test_another_name_makes_it_unreadable(self):
        self.setUpServers(RELAYS.replace("mx2.example.org", "mx3.example.org"))
        line = self.send(self.backup, "192.0.2.66")
        self.assertEqual(
            [line.get(name) for name in ("action", "client", "relay", "spf", "dmarc")],
            ["accept", None, BACKUP, None, None],
        )
        self.assertIn("by mx2.example.org, which is not in trust.relays.by", line["problem"])
        stamp = self.stamp(self.take())
        self.assertNotIn("spf=", stamp)
        self.assertNotIn(BACKUP, stamp)

    def test_results_of_the_relay(self):
        self.setUpServers(RELAYS.replace("by = ", 'results = "mx2.example.org" #'))
        results = "Authentication-Results: mx2.example.org; spf=fail smtp.mailfrom=a@example.com smtp.remote-ip=192.0.2.77"
        line = self.send(self.backup, "192.0.2.10", mail.letter(extra=[results]))
        self.assertEqual(
            [line.get(name) for name in ("action", "relayed", "client", "relay", "spf")],
            ["junk", "reject", "192.0.2.77", BACKUP, "fail"],
        )
        # From any other address the field is nobody's word.
        line = self.send(self.server, "192.0.2.10", mail.letter(extra=[results]))
        self.assertEqual([line.get(name) for name in ("action", "client", "relay", "spf")], ["accept", "192.0.2.10", None, "pass"])

    def test_xclient_needs_nothing(self):
        """Where the mail server learns the true client, the filter does not see the relay."""
        self.setUpServers()
        line = self.send(self.server, "192.0.2.10")
        self.assertEqual([line.get(name) for name in ("client", "relay", "spf")], ["192.0.2.10", None, "pass"])
        outcome = mail.send(self.server, mail.letter(), "a@example.com", ["bob@example.org"], client="192.0.2.66")
        self.assertEqual((outcome.stage, outcome.code), ("rcpt", 550))

    def test_mail_of_our_own_by_a_relay_is_not_signed(self):
        signing = '[[signing]]\ndomain = "example.com"\nkeys = [{ selector = "s", file = "@DIRECTORY@/key.pem" }]\n'
        postern = daemon.Postern(RELAYS + signing, ZONE, trusted=["127.0.0.0/8"])
        postern.write("key.pem", mail.key("example.com").pem.decode(), 0o600)
        self.postern = self.enterContext(postern)
        self.server = self.enterContext(mta.Postfix(postern.unix))
        self.backup = self.enterContext(relay("mx2.example.org", BACKUP, self.server.port))
        line = self.send(self.backup, "192.0.2.66")
        self.assertEqual([line.get(name) for name in ("client", "relay", "spf", "trusted")], ["192.0.2.66", BACKUP, "fail", None])
        self.assertEqual(mail.values(self.take(), "DKIM-Signature"), [])


if __name__ == "__main__":
    unittest.main()
