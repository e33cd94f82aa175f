"""A host that forwards and seals, in front of one that believes its seals: postern-cases(7), "ARC: whether you want it"."""

import re
import unittest

import dkim

import daemon
import mail
import mta
from scenario import ZONE

SEALING = """\
[sealing]
domain = "forward.example"
selector = "s"
key = "@DIRECTORY@/key.pem"
recipient_domains = ["forward.example"]
"""
BELIEVING = """\
[checks.arc]
enabled = true

[[rules]]
name = "dmarc-fail"
when = { dmarc = "fail", dmarc_policy = "reject" }
unless = { arc_sealers = "forward.example" }
action = "reject"
"""
# Aliases of the first host: one in the domain whose mail is sealed, one in another.
ALIASES = "inline:{ { bob@forward.example = bob@example.org }, { bob@unsealed.example = bob@example.org } }"
SEALED, UNSEALED = "bob@forward.example", "bob@unsealed.example"


class Forwarder(mta.Postfix):
    """A private Postfix that has aliases alone, and passes their mail on to another server on loopback."""

    def __init__(self, milter, port):
        super().__init__(
            milter, myhostname="forward.example", virtual_mailbox_domains="", virtual_alias_maps=ALIASES,
            virtual_alias_domains="forward.example unsealed.example",
            relay_domains="example.org", default_transport="discard:", relay_transport=f"smtp:[127.0.0.1]:{port}",
        )


class Sealing(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.key, cls.other = mail.key("forward.example"), mail.key("list.example")
        zone = ZONE + cls.key.record + cls.other.record + mail.key("example.com").record
        first = daemon.Postern(SEALING, zone)
        first.write("key.pem", cls.key.pem.decode(), 0o600)
        cls.first = cls.enterClassContext(first)
        cls.second = cls.enterClassContext(daemon.Postern(BELIEVING, zone))
        cls.server = cls.enterClassContext(mta.Postfix(cls.second.unix))
        cls.forwarder = cls.enterClassContext(Forwarder(cls.first.unix, cls.server.port))

    def setUp(self):
        self.server.empty_mailboxes()
        self.seen = len(self.first.lines()), len(self.second.lines())

    def forward(self, message, to=SEALED):
        """Sends a message that SPF permits; what both hosts log of it, and what was delivered."""
        outcome = mail.send(self.forwarder, message, to=[to])
        self.assertEqual(outcome.code, 250, outcome)
        self.forwarder.settle()
        self.server.settle()
        lines = self.first.line(after=self.seen[0]), self.second.line(after=self.seen[1])
        return *lines, self.server.delivered("bob@example.org")

    def assert_sealed(self, line, instance, status):
        self.assertEqual((line["sealed"], line["i"], line["cv"]), ("forward.example/s", str(instance), status))

    def arc_by_dkimpy(self, message):
        keys = {f"{key.selector}._domainkey.{key.domain}.": key.text.encode() for key in (self.key, self.other)}
        crlf = re.sub(rb"\r?\n", b"\r\n", message)
        return dkim.arc_verify(crlf, dnsfunc=lambda name, timeout=5: keys.get(name.decode()))[0].decode()

    def sealed_by_list(self, message):
        """A message with a first set by another."""
        field = b"Authentication-Results: list.example; dkim=pass\r\n"
        private = self.other.pem
        sets = dkim.ARC(field + message).sign(b"s", b"list.example", private, b"list.example")
        return b"".join(sets) + message

    def test_a_forwarded_message_is_believed_for_its_seal(self):
        bodies = b"Hello.\r\n", b"", b"\r\n\r\n", b"a \t b \r\n.\r\n..\r\n\r\n", "Grüße\r\n".encode(), b"x" * 900 + b"\r\n"
        for body in bodies:
            with self.subTest(body=body[:20]):
                self.setUp()
                folded = mail.letter(body=body, to=SEALED, extra=["List-Id: a\r\n\tlist  <l.example>"])
                first, second, delivered = self.forward(folded)
                self.assertEqual((first["action"], first["dmarc"], first["arc"]), ("accept", "pass", "none"))
                self.assert_sealed(first, 1, "none")
                self.assertEqual((second["dmarc"], second["arc"], second["arc_sealer"]), ("fail", "pass", "forward.example"))
                self.assertEqual((second["action"], second["exempted"]), ("accept", "dmarc-fail"))
                self.assertEqual([self.arc_by_dkimpy(message) for message in delivered], ["pass"])

    def test_the_set_stands_above_our_stamps_and_says_the_same(self):
        _, _, (message,) = self.forward(mail.letter(to=SEALED))
        names = [name for name, _ in mail.fields(message)]
        place = names.index("ARC-Seal")
        self.assertEqual(names[place + 1:place + 3], ["ARC-Message-Signature", "ARC-Authentication-Results"])
        results = mail.values(message, "ARC-Authentication-Results")[0]
        self.assertRegex(results, r"^i=1; mx\.example\.org;\s+spf=pass\s")
        for result in ("dkim=none", "dmarc=pass", "arc=none"):
            self.assertIn(result, results)

    def test_without_a_seal_it_is_refused(self):
        first, second, delivered = self.forward(mail.letter(to=UNSEALED), to=UNSEALED)
        self.assertIsNone(first.get("sealed"))
        self.assertEqual((second["action"], second["arc"], delivered), ("reject", "none", []))

    def test_a_chain_is_continued(self):
        first, second, (message,) = self.forward(self.sealed_by_list(mail.letter(to=SEALED)))
        self.assert_sealed(first, 2, "pass")
        self.assertEqual((second["arc"], second["arc_sealer"]), ("pass", "forward.example"))
        self.assertEqual(self.arc_by_dkimpy(message), "pass")

    def test_a_chain_that_has_failed_is_believed_no_more(self):
        broken = self.sealed_by_list(mail.letter(to=SEALED)).replace(b"Hello", b"Hallo")
        first, second, delivered = self.forward(broken)
        self.assert_sealed(first, 2, "fail")
        self.assertEqual((second["action"], second["arc"], delivered), ("reject", "fail", []))

    def test_a_new_key_is_in_force_after_a_reload(self):
        new = mail.Key("forward.example")
        try:
            self.first.write("key.pem", new.pem.decode(), 0o600)
            self.first.command("reload")
            _, second, _ = self.forward(mail.letter(to=SEALED))
            self.assertEqual(second["arc"], "fail")
        finally:
            self.first.write("key.pem", self.key.pem.decode(), 0o600)
            self.first.command("reload")


if __name__ == "__main__":
    unittest.main()
