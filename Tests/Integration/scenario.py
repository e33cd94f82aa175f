"""What the scenarios share: the zone, the mail servers with Postern behind them, and the questions asked of both."""

import contextlib
import unittest

import daemon
import mail
import mta

# Clients end in .10 where the domain's record lets them send and in .66 where it does not. Those in 192.0.2.0/24 are
# presented to Postfix, those in 127.0.0.0/8 connect to Sendmail.
ZONE = """\
$TTL 300
. IN SOA ns.example. hostmaster.example. 1 3600 600 86400 300
mail.example.com. IN A 192.0.2.10
mail.example.com. IN A 127.0.0.10
mail.example.com. IN TXT "v=spf1 a -all"
example.com. IN TXT "v=spf1 ip4:192.0.2.10 ip4:127.0.0.10 ip6:2001:db8::10 -all"
_dmarc.example.com. IN TXT "v=DMARC1; p=reject"
soft.example. IN TXT "v=spf1 ip4:192.0.2.10 ip4:127.0.0.10 ~all"
enrolled.example. IN TXT "spf2.0/pra ip4:192.0.2.99 -all"
relay.example. IN TXT "v=spf1 ip4:192.0.2.10 ip4:127.0.0.10 -all"
10.2.0.192.in-addr.arpa. IN PTR mail.example.com.
10.0.0.127.in-addr.arpa. IN PTR mail.example.com.
66.2.0.192.in-addr.arpa. IN PTR mail.example.net.
"""

# The five judgements of the demonstration.
RULES = """\
[[rules]]
name = "spf-strict"
when = { spf = "fail" }
action = "reject"

[[rules]]
name = "enrolled-sender-id"
when = { sender_id = "fail", sender_domains = ["enrolled.example"], recipient_domains = ["protected.example"] }
action = "reject"
reply = "550 5.7.1 Sender ID (PRA) fail: {explanation}"
"""


class Scenario(unittest.TestCase):
    """Postern with one configuration behind one mail server, for a class of tests."""

    rules = RULES
    mode = "enforce"
    top = ""
    mta = "postfix"
    zone = ZONE
    before = ()
    after = ()

    @classmethod
    def setUpClass(cls):
        cls.servers = contextlib.ExitStack()
        cls.addClassCleanup(cls.servers.close)
        cls.postern = cls.servers.enter_context(daemon.Postern(cls.rules, cls.zone + cls.keys(), cls.mode, top=cls.top))
        cls.server = cls.servers.enter_context(cls.mail_server())

    @classmethod
    def keys(cls):
        return mail.key("example.com").record + mail.key("example.com", "e", "ed25519").record

    @classmethod
    def mail_server(cls):
        if cls.mta == "sendmail":
            return mta.Sendmail(cls.postern.unix, {cls.client(10): "mail.example.com"})
        return mta.Postfix(" ".join([*cls.before, cls.postern.unix, *cls.after]))

    @classmethod
    def client(cls, number):
        return f"127.0.0.{number}" if cls.mta == "sendmail" else f"192.0.2.{number}"

    def setUp(self):
        self.server.empty_mailboxes()
        self.seen = len(self.postern.lines())

    def tearDown(self):
        self.assertTrue(self.postern.running(), "Postern ended:\n" + self.postern.read("log"))

    def send(self, message, sender="a@example.com", to=("bob@example.org",), client=10, **options):
        return mail.send(self.server, message, sender, to, client=self.client(client), **options)

    def line(self):
        """The log line of the newest message of this test."""
        return self.postern.line(after=self.seen)

    def delivered(self, recipient="bob@example.org"):
        """The only message that a recipient got."""
        self.server.settle()
        messages = self.server.delivered(recipient)
        self.assertEqual(len(messages), 1, f"messages for {recipient}")
        return messages[0]

    def assert_nothing_delivered(self):
        self.server.settle()
        self.assertEqual(self.server.mail(), [])

    def assert_reply(self, outcome, stage, pattern):
        """Sendmail writes a recipient between the codes and the text, so the parts are looked for in turn."""
        self.assertEqual(outcome.stage, stage, outcome)
        self.assertRegex(outcome.reply.replace("\n", " "), pattern)


class OnSendmail:
    """The same scenario behind Sendmail."""

    mta = "sendmail"
