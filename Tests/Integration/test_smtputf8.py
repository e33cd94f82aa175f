"""Internationalized mail through two mail servers: with the filter it goes where it goes without."""

import re
import unittest

import daemon
import mail
import mta
from scenario import ZONE

SIGNATURE = (
    "DKIM-Signature: v=1; a=rsa-sha256; d=xn--bcher-kva.example; s=s; i=@b=C3=BCcher.example;\r\n"
    "\th=from; bh=AAAA; b=AAAA"
)
STAMPS = """\
[headers]
received_spf = true
auth_result = true
"""
# What is sent: MAIL FROM, RCPT TO, HELO, further fields, whether SMTPUTF8 is asked for.
MAIL = {
    "plain": ("a@example.com", "bob@dest.example", "mail.example.com", [], False),
    "plain, by SMTPUTF8": ("a@example.com", "bob@dest.example", "mail.example.com", [], True),
    "signed by a U-label": ("a@example.com", "bob@dest.example", "mail.example.com", [SIGNATURE], True),
    "signed by a U-label, without SMTPUTF8": ("a@example.com", "bob@dest.example", "mail.example.com", [SIGNATURE], False),
    "HELO in UTF-8": ("a@example.com", "bob@dest.example", "bücher.example", [], True),
    "HELO in UTF-8, null sender": ("", "bob@dest.example", "bücher.example", [], True),
    "a sender in UTF-8": ("jörg@bücher.example", "bob@dest.example", "mail.example.com", [], True),
    "a sender's domain in UTF-8": ("a@bücher.example", "bob@dest.example", "mail.example.com", [SIGNATURE], True),
    "a recipient in UTF-8": ("a@example.com", "jörg@dest.example", "mail.example.com", [SIGNATURE], True),
    "a subject in UTF-8": ("a@example.com", "bob@dest.example", "mail.example.com", ["X-Subject: Grüße", SIGNATURE], True),
    "a subject in UTF-8, without SMTPUTF8": ("a@example.com", "bob@dest.example", "mail.example.com", ["X-Subject: Grüße"], False),
    "a subject in Latin-1": ("a@example.com", "bob@dest.example", "mail.example.com", [b"X-Subject: Gr\xfc\xdfe", SIGNATURE], False),
}


class Hop:
    """A mail server with or without the filter, and the next one, with SMTPUTF8 or without."""

    def __init__(self, filtered, smtputf8, stack):
        self.postern = stack(daemon.Postern(STAMPS, ZONE)) if filtered else None
        self.next = stack(mta.Postfix("", smtputf8_enable="yes" if smtputf8 else "no"))
        self.first = stack(
            mta.Postfix(
                self.postern.unix if filtered else "",
                smtputf8_enable="yes", virtual_mailbox_domains="", relay_domains="dest.example",
                relay_transport=f"smtp:[127.0.0.1]:{self.next.port}", default_transport="error:nowhere",
                smtp_host_lookup="native", bounce_queue_lifetime="0", maximal_queue_lifetime="0",
            )
        )

    def send(self, sender, recipient, helo, extra, utf8):
        """What SMTP answered, what the log says became of it, and the header that the next server got."""
        self.next.empty_mailboxes()
        seen = len(self.first.read("maillog"))
        with mail.Session(self.first, helo="mail.example.com") as session:
            smtp = session.smtp
            replies = [self.raw(smtp, f"EHLO {helo}")]
            options = " SMTPUTF8" if utf8 else ""
            replies.append(self.raw(smtp, f"MAIL FROM:<{sender}> BODY=8BITMIME{options}"))
            replies.append(self.raw(smtp, f"RCPT TO:<{recipient}>"))
            if replies[-1] == 250:
                try:
                    replies.append(smtp.data(mail.letter(to="bob@dest.example", extra=extra))[0])
                except Exception as error:
                    replies.append(str(error))
        self.first.settle(60)
        self.next.settle()
        log = self.first.read("maillog")[seen:]
        became = sorted(set(re.findall(r"postfix/smtp\S*: \w+: to=.* dsn=([\d.]+), status=(\w+)", log)))
        delivered = [mta.contents(path) for _, path in self.next.mail()]
        # Whether it came is told by its own field: a bounce of ours is none of it.
        header = [message.partition(b"\n\n")[0] for message in delivered if b"Subject: A letter" in message]
        return replies, became, header

    @staticmethod
    def raw(smtp, line):
        smtp.sock.sendall(line.encode() + b"\r\n")
        return smtp.getreply()[0]


class Internationalized(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.hops = {
            (filtered, utf8): Hop(filtered, utf8, cls.enterClassContext)
            for filtered in (False, True)
            for utf8 in (False, True)
        }

    def test_it_goes_where_it_goes_without_the_filter(self):
        bounced = 0
        for name, letter in MAIL.items():
            for utf8 in (True, False):
                with self.subTest(name, next_hop_has_smtputf8=utf8):
                    replies, became, plain = self.hops[False, utf8].send(*letter)
                    filtered = self.hops[True, utf8].send(*letter)
                    self.assertEqual(filtered[:2], (replies, became), filtered[2])
                    self.assertEqual(len(filtered[2]), len(plain))
                    bounced += not plain
                    for before, after in zip(plain, filtered[2]):
                        ours = [line for line in after.split(b"\n") if line.startswith(b"Authentication-Results: mx.example.org")]
                        self.assertEqual(len(ours), 1)
                        if all(octet < 128 for octet in before):
                            self.assertTrue(all(octet < 128 for octet in after), after)
        # The next hop without SMTPUTF8 refuses what really needs it.
        self.assertGreaterEqual(bounced, 3)

    def test_what_is_stamped(self):
        hop = self.hops[True, True]
        for name, wanted in (
            ("signed by a U-label", b"header.i=@xn--bcher-kva.example"),
            ("a recipient in UTF-8", "header.i=@bücher.example".encode()),
            ("a sender in UTF-8", "smtp.mailfrom=jörg@bücher.example".encode()),
            ("HELO in UTF-8, null sender", b"smtp.helo=xn--bcher-kva.example"),
        ):
            with self.subTest(name):
                header = hop.send(*MAIL[name])[2]
                self.assertEqual(len(header), 1)
                self.assertIn(wanted, header[0])


if __name__ == "__main__":
    unittest.main()
