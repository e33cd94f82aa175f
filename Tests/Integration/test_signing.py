"""Mail signed by us on its way through a mail server still verifies where it is delivered."""

import base64
import contextlib
import os
import subprocess
import tempfile
import unittest

import dkim

import daemon
import mail
from scenario import OnSendmail, Scenario

SIGNING = """\
[[signing]]
domain = "example.com"
subdomains = true
keys = [
    { selector = "s", file = "@DIRECTORY@/keys/s.pem" },
    { selector = "e", file = "@DIRECTORY@/keys/e.pem" },
]
"""


class Signing(Scenario):
    rules = SIGNING

    @classmethod
    def setUpClass(cls):
        cls.servers = contextlib.ExitStack()
        cls.addClassCleanup(cls.servers.close)
        postern = daemon.Postern(cls.rules, cls.zone, trusted=[cls.client(10) + "/32"])
        os.mkdir(postern.path("keys"), 0o700)
        for name, kind in (("s", "rsa"), ("e", "ed25519")):
            postern.write(f"keys/{name}.pem", mail.key("example.com", name, kind).pem.decode(), 0o600)
        cls.postern = cls.servers.enter_context(postern)
        cls.server = cls.servers.enter_context(cls.mail_server())

    @staticmethod
    def lookup(name, timeout=5):
        selector = name.decode().partition(".")[0]
        kind = {"s": "rsa", "e": "ed25519"}[selector]
        public = mail.key("example.com", selector, kind).public
        return f"v=DKIM1; k={kind}; p={base64.b64encode(public).decode()}".encode()

    def assert_verifies(self, letter, **options):
        self.send(letter, **options)
        message = self.delivered()
        self.assertEqual(len(mail.values(message, "DKIM-Signature")), 2, message[:2000])
        # A mailbox has bare line feeds; verification is of the message as it travels.
        travelled = message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        for index in range(2):
            verifier = dkim.DKIM(travelled)
            self.assertTrue(verifier.verify(index, dnsfunc=self.lookup), f"signature {index + 1} of\n{message[:2000]}")
            self.assertEqual(verifier.domain, b"example.com")
        return message

    def test_plain(self):
        self.assert_verifies(mail.letter())

    def test_empty_body(self):
        self.assert_verifies(mail.letter(body=b""))

    def test_only_empty_lines(self):
        self.assert_verifies(mail.letter(body=b"\r\n\r\n\r\n"))

    def test_8_bit(self):
        self.assert_verifies(mail.letter(body="Grüße, 你好\r\n".encode() * 50))

    def test_long_lines(self):
        self.assert_verifies(mail.letter(body=b"x" * 900 + b"\r\n" + b"y " * 400 + b"\r\n"))

    def test_dots(self):
        self.assert_verifies(mail.letter(body=b".\r\n..\r\n.x\r\n"))

    def test_folded_fields(self):
        subject = "A long\r\n subject\r\n\tin   three lines"
        self.assert_verifies(mail.letter(subject=subject, to="bob@example.org,\r\n\tal@example.org"))

    def test_large_body(self):
        self.assert_verifies(mail.letter(body=(b"0123456789 " * 7 + b"\r\n") * 20_000))

    def test_subdomain(self):
        message = self.assert_verifies(mail.letter(author="a@news.example.com"))
        self.assertIn("d=example.com", mail.values(message, "DKIM-Signature")[0].replace(" ", ""))

    def test_another_domain_is_not_signed(self):
        self.send(mail.letter(author="a@example.net"))
        self.assertEqual(mail.values(self.delivered(), "DKIM-Signature"), [])

    def test_several_authors_are_not_signed(self):
        self.send(mail.letter(extra=["From: b@example.com"]))
        self.assertEqual(mail.values(self.delivered(), "DKIM-Signature"), [])

    def test_an_untrusted_client_is_not_signed(self):
        self.send(mail.letter(), client=66)
        self.assertEqual(mail.values(self.delivered(), "DKIM-Signature"), [])

    def test_what_the_server_adds_breaks_nothing(self):
        """Sendmail adds Date and Message-ID after its filters, Postfix before them."""
        letter = b"".join(
            line for line in mail.letter().splitlines(True) if not line.startswith((b"Date:", b"Message-ID:"))
        )
        message = self.assert_verifies(letter)
        if self.mta == "sendmail":
            self.assertEqual((len(mail.values(message, "Date")), len(mail.values(message, "Message-ID"))), (1, 1))
            self.assertEqual(self.line()["warning"], '"no Date field, no Message-ID field"')

    def test_what_sendmail_rewrites_is_warned_of(self):
        self.send(mail.letter(to="<bob@example.org>,<carol@example.org>"))
        self.delivered()
        self.assertEqual(self.line()["warning"], '"no space behind a comma between addresses"')

    def test_opendkim_agrees(self):
        """What we sign, opendkim verifies too."""
        self.send(mail.letter())
        message = self.delivered()
        self.assertEqual(len(mail.values(message, "DKIM-Signature")), 2)
        with tempfile.TemporaryDirectory() as directory:
            paths = {name: os.path.join(directory, name) for name in ("keys", "conf", "message")}
            record = self.lookup(b"s._domainkey.example.com.").decode()
            for name, text in (
                ("keys", f"s._domainkey.example.com {record}\n".encode()),
                ("conf", f"Mode v\nTestPublicKeys {paths['keys']}\nSyslog no\n".encode()),
                ("message", message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")),
            ):
                with open(paths[name], "wb") as file:
                    file.write(text)
            told = subprocess.run(
                ["/usr/sbin/opendkim", "-x", paths["conf"], "-vv", "-t", paths["message"]],
                capture_output=True, text=True, timeout=30, check=True,
            ).stdout
        self.assertRegex(told, r"dkim=pass [^;]*header\.s=s\b")


class SigningOnSendmail(OnSendmail, Signing):
    pass


if __name__ == "__main__":
    unittest.main()
