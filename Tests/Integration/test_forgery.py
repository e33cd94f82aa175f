"""Fields that only we may write, written by a sender."""

import unittest

import mail
from scenario import OnSendmail, Scenario

# Ours, however spelled: these must go.
FORGED = [
    "Authentication-Results: mx.example.org; spf=pass smtp.mailfrom=forged.example",
    "Authentication-Results: mx.example.org;\r\n\tdkim=pass header.d=forged.example;\r\n\tdmarc=pass header.from=forged.example",
    "authentication-results: MX.Example.ORG; dkim=pass header.d=forged.example",
    "Authentication-Results:\r\n mx.example.org\r\n ; spf=pass smtp.mailfrom=forged.example",
    'Authentication-Results: "mx.example.org"; spf=pass smtp.mailfrom=forged.example',
    "Authentication-Results: (a comment) mx.example.org (another); spf=pass smtp.mailfrom=forged.example",
    "Authentication-Results: mx.example.org 1; spf=pass smtp.mailfrom=forged.example",
    "AUTHENTICATION-RESULTS: mx.example.org; forged.example (",
]
FORGED_EXTRA = ["X-SID-Result: Pass", "X-SID-PRA: ceo@forged.example", "X-DKIM-Result: Pass", "X-AUTH-Result: PASS"]
# Others': these must stay.
FOREIGN = [
    "Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=kept1.example",
    "Authentication-Results: notmx.example.org; spf=pass smtp.mailfrom=kept2.example",
    "Authentication-Results: mx.example.org.example.net; dkim=pass header.d=kept3.example",
    "ARC-Authentication-Results: i=1; mx.example.org; spf=pass smtp.mailfrom=kept4.example",
]


class Forgery(Scenario):
    def mixed(self, forged):
        """Forged fields among the foreign ones."""
        rest = list(forged)
        extra = []
        for foreign in FOREIGN:
            extra += rest[:2] + [foreign]
            rest = rest[2:]
        return mail.letter(extra=extra + rest)

    def assert_clean(self, forged):
        self.assertEqual(self.send(self.mixed(forged)).code, 250)
        message = self.delivered()
        self.assertNotIn(b"forged.example", message)
        for number in range(1, len(FOREIGN) + 1):
            self.assertEqual(message.count(f"kept{number}.example".encode()), 1)
        self.assertEqual(len(mail.values(message, "Authentication-Results")), 4)
        self.assertEqual(mail.results(message)["dkim"], "none")
        for name, value in (("X-SID-Result", "Pass"), ("X-DKIM-Result", "None"), ("X-SID-PRA", "a@example.com")):
            self.assertEqual(mail.values(message, name), [value])
        self.assertEqual(mail.values(message, "X-AUTH-Result"), [])
        return message

    def test_three_forged_fields_are_gone(self):
        self.assert_clean(FORGED[:3])

    def test_eight_forged_fields_are_gone(self):
        self.assert_clean(FORGED)

    def test_our_other_fields_are_gone(self):
        self.assert_clean(FORGED + FORGED_EXTRA)

    def test_the_number_removed_is_logged(self):
        self.send(self.mixed(FORGED))
        self.assertRegex(self.line().text, r"\b8\b")

    def test_ours_stand_above_received(self):
        message = self.assert_clean(FORGED)
        names = [name for name, _ in mail.stamped(message)]
        self.assertEqual(names, ["Authentication-Results", "X-SID-PRA", "X-SID-Result", "X-DKIM-Result"])

    def test_only_forged_fields(self):
        """Nothing but fields of one name, so that each deletion moves all the others."""
        self.send(mail.letter(extra=FORGED * 3))
        message = self.delivered()
        self.assertNotIn(b"forged.example", message)
        self.assertEqual(len(mail.values(message, "Authentication-Results")), 1)


class ForgeryOnSendmail(OnSendmail, Forgery):
    pass


class Injection(Scenario):
    """What a sender may write reaches our fields, replies and log; it must not look like more than one value there."""

    hostile = [
        "x;spf=pass", "x(spf=pass", "x)dkim=pass", 'x"dmarc=pass', "x\\", "x=y", "x%0d%0ay", "x%s%n", "a b", "x" * 60 + ";",
    ]

    def assert_single(self, message):
        ours = [value for value in mail.values(message, "Authentication-Results") if value.startswith("mx.example.org")]
        self.assertEqual(len(ours), 1)
        import authres

        parsed = authres.AuthenticationResultsHeader.parse("Authentication-Results: " + " ".join(ours[0].split()))
        self.assertEqual(parsed.authserv_id, "mx.example.org")
        methods = [result.method for result in parsed.results]
        self.assertEqual(methods.count("dmarc"), 1, ours)
        self.assertLessEqual(methods.count("dkim"), 1, ours)
        return parsed

    def test_helo(self):
        for text in self.hostile:
            with self.subTest(helo=text):
                self.server.empty_mailboxes()
                self.seen = len(self.postern.lines())
                outcome = self.send(mail.letter(), helo=text.replace(" ", ""))
                if outcome.code == 250:
                    self.assert_single(self.delivered())
                    self.assertEqual(len(self.postern.lines()) - self.seen, 1)

    def test_mail_from(self):
        for text in self.hostile:
            local = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
            with self.subTest(local=local):
                self.server.empty_mailboxes()
                self.seen = len(self.postern.lines())
                with mail.Session(self.server, client=self.client(10)) as session:
                    # smtplib would read the address its own way.
                    if session.smtp.docmd(f"MAIL FROM:<{local}@example.com>")[0] != 250:
                        continue
                    session.smtp.docmd("RCPT TO:<bob@example.org>")
                    session.smtp.data(mail.letter())
                self.assert_single(self.delivered())
                self.assertEqual(len(self.postern.lines()) - self.seen, 1)

    def test_author(self):
        for text in self.hostile:
            quoted = text.replace("\\", "\\\\").replace('"', '\\"')
            with self.subTest(author=text):
                self.server.empty_mailboxes()
                self.send(mail.letter(author=f'"{quoted}" <"{quoted}"@example.com>'))
                self.assert_single(self.delivered())

    def test_signature_tags(self):
        for text in ("example.com; spf=pass", "example.com\tdkim=pass", '"example.com"', "example.com(x", "x" * 1000):
            with self.subTest(tag=text):
                self.server.empty_mailboxes()
                signature = f"DKIM-Signature: v=1; a=rsa-sha256; d={text}; s={text}; i=@{text}; h=from; bh=AAAA; b=AAAA"
                self.send(mail.letter(extra=[signature]))
                self.assertNotEqual(mail.results(self.delivered()).get("dkim"), "pass")


class InjectionOnSendmail(OnSendmail, Injection):
    pass


if __name__ == "__main__":
    unittest.main()
