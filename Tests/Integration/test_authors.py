"""Messages in which two readers see different authors (Tests/Vectors/forged-authors.json), through both mail servers."""

import json
import os
import re
import unittest

import dkim

import daemon
import mail
from scenario import OnSendmail, Scenario

with open(os.path.join(daemon.PACKAGE, "Tests/Vectors/forged-authors.json"), encoding="utf-8") as file:
    VECTORS = json.load(file)

# Where the attacker publishes a key: everywhere that is the attacker's own.
KEY_NAMES = ["selector._domainkey.attacker.test", "selector._domainkey.victim.test'a.attacker.test"]


def signed(case, message):
    """The message with the case's signature, made with the attacker's key."""
    signature = case["signature"]
    if not signature:
        return message
    key = mail.key("attacker.test", "selector")
    names = (signature["s"].encode(), signature["d"].encode())
    return dkim.sign(message, *names, key.pem, include_headers=[b"from"]) + message


class ForgedAuthors(Scenario):
    rules = ""

    @classmethod
    def keys(cls):
        record = mail.key("attacker.test", "selector").record.partition(". ")[2]
        return "".join(f"{name}. {record}" for name in KEY_NAMES)

    zone = "$TTL 300\n. IN SOA ns.example. hostmaster.example. 1 3600 600 86400 300\n" + "".join(
        re.sub(r" TXT", " IN TXT", line) + "\n" for line in VECTORS["zone"]
    )

    def through(self, case):
        """The reply, and the message if it was delivered."""
        self.server.empty_mailboxes()
        header = "".join(field + "\r\n" for field in case["fields"]).encode()
        message = signed(case, header + b"Subject: " + case["id"].encode() + b"\r\n\r\nHello.\r\n")
        with mail.Session(self.server, client=self.client(66), helo=case["helo"]) as session:
            for stage, command in (("mail", f"MAIL FROM:<{case['mail_from']}>"), ("rcpt", "RCPT TO:<bob@example.org>")):
                code, text = session.smtp.docmd(command)
                if code >= 400:
                    return f"{stage}: {code} {text.decode()}", None
            try:
                code, text = session.smtp.data(message)
            except mail.smtplib.SMTPDataError as error:
                code, text = error.smtp_code, error.smtp_error
        if code >= 400:
            return f"data: {code} {text.decode()}", None
        return f"data: {code}", self.delivered()

    def test_nothing_passes_for_the_victim(self):
        table = []
        for case in VECTORS["cases"]:
            with self.subTest(case=case["id"], what=case["what"]):
                reply, message = self.through(case)
                if message is None:
                    table.append((case["id"], reply[:90]))
                    continue
                results = mail.results(message)
                ours = next(value for value in mail.values(message, "Authentication-Results"))
                table.append((case["id"], " ".join(ours.split())))
                for result in ours.split(";")[1:]:
                    if "=pass" in result.split()[0]:
                        self.assertNotRegex(result, r"[=@.]victim\.test(?![\w.'(-])", ours)
                delivered = [value.replace("\n", "\r\n") for value in map(":".join, mail.fields(message))]
                unchanged = all(
                    re.sub(r":\s*", ":", field, count=1) in delivered for field in case["fields"]
                )
                if unchanged:
                    self.assertEqual(results["dmarc"], case["dmarc"], ours)
        print(f"\n{self.server.name}:")
        for name, text in table:
            print(f"  {name:4} {text}")
        self.assertEqual(len(table), 19)


class ForgedAuthorsOnSendmail(OnSendmail, ForgedAuthors):
    pass


if __name__ == "__main__":
    unittest.main()
