"""DMARC reports by mail: from messages judged behind Postfix to a receiver that answers as it likes."""

import contextlib
import email
import email.policy
import gzip
import json
import os
import socket
import subprocess
import threading
import unittest
import xml.etree.ElementTree

import daemon
import mail
import mta
from test_events import Spooled

ZONE = """\
owner.example. 300 IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
_dmarc.owner.example. 300 IN TXT "v=DMARC1; p=quarantine; rua=mailto:dmarc@owner.example,mailto:in@reports.example,mailto:x@stranger.example"
owner.example._report._dmarc.reports.example. 300 IN TXT "v=DMARC1"
silent.example. 300 IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
_dmarc.silent.example. 300 IN TXT "v=DMARC1; p=none"
gated.example. 300 IN TXT "v=spf1 -all"
_dmarc.gated.example. 300 IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@gated.example"
_dmarc.example.org. 300 IN TXT "v=DMARC1; p=reject"
"""
SETTINGS = """\
[[signing]]
domain = "example.org"
keys = [{ selector = "s", file = "@DIRECTORY@/keys/s.pem" }]

[events]
spool = "@DIRECTORY@/spool"
host = "mx1"

[ledger]
store = "@DIRECTORY@/ledger.sqlite"

[reports]
organization = "Beispiel & Söhne"
address = "dmarc-reports@example.org"
smtp = "127.0.0.1:@PORT@"
# Its last hour is the first of the day, so that yesterday is closed at any time.
window = "00:00-01:00"
rate = 6000
"""
NAMESPACE = {"r": "urn:ietf:params:xml:ns:dmarc-2.0"}
DAY = 86400


class Receiver:
    """A mail server that answers by a script: a reply, "hang" or "close" for RCPT or, with "." before it, after the message."""

    def __init__(self, **script):
        self.script = script
        self.taken = []
        self.asked = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.ended = threading.Event()

    def __enter__(self):
        threading.Thread(target=self.run, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.socket.close()

    def run(self):
        while True:
            try:
                connection = self.socket.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError), connection, connection.makefile("rwb", buffering=0) as stream:
            recipient = ""
            stream.write(b"220 receiver\r\n")
            while line := stream.readline():
                command = line.split(b":")[0].strip().upper()
                if command == b"RCPT TO":
                    recipient = line.split(b"<")[1].split(b">")[0].decode()
                    self.asked.append(recipient)
                    if not self.answer(stream, self.script.get(recipient.split("@", maxsplit=1)[0], "250 ok")):
                        return
                elif command == b"DATA":
                    stream.write(b"354 go on\r\n")
                    self.taken.append((recipient, self.message(stream)))
                    if not self.answer(stream, self.script.get("." + recipient.split("@", maxsplit=1)[0], "250 taken")):
                        return
                else:
                    stream.write(b"221 bye\r\n" if command == b"QUIT" else b"250 ok\r\n")

    @staticmethod
    def message(stream):
        lines = []
        while (line := stream.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def answer(self, stream, reply):
        if reply == "hang":
            self.ended.wait(120)
        if reply in ("hang", "close"):
            return False
        stream.write(reply.encode() + b"\r\n")
        return True


class Reporting(Spooled):
    """Postern with a spool that signs for example.org, and its ledger."""

    def __init__(self):
        super().__init__("", ZONE + mail.key("example.org").record, trusted=["127.0.0.0/8"])
        os.mkdir(self.path("keys"), 0o700)
        self.write("keys/s.pem", mail.key("example.org").pem.decode(), 0o600)

    def ledger(self, *arguments, status=0):
        ended = subprocess.run(
            [daemon.ledger(), *arguments, "--config", self.configuration], capture_output=True, text=True, timeout=120, check=False
        )
        if ended.returncode != status:
            raise AssertionError(f"{arguments}: {ended.returncode}\n{ended.stdout}{ended.stderr}")
        return ended.stdout

    def close_day(self):
        """Ends the filter, calls its messages those of yesterday, and takes them in."""
        self.stop_process()
        for name in self.segments():
            path = os.path.join(self.spool, name)
            with open(path, encoding="utf-8") as file:
                events = [json.loads(line) for line in file]
            with open(path, "w", encoding="utf-8") as file:
                for event in events:
                    event["time"] -= DAY
                    file.write(json.dumps(event) + "\n")
        self.ledger("take")

    def states(self):
        """What became of each destination."""
        lines = self.ledger("report", "list", "--format", "json").splitlines()
        return {
            delivery["destination"]: delivery["state"] for line in lines for delivery in json.loads(line)["deliveries"]
        }


def letters(server, pick=mail.letter):
    """A day's mail: what passes, what is forged, and what nobody asks about."""
    for _ in range(3):
        mail.send(server, pick(author="a@owner.example"), "a@owner.example")
    mail.send(server, pick(author="a@owner.example"), "a@other.example", client="198.51.100.9")
    mail.send(server, pick(author="a@gated.example"), "a@gated.example", client="198.51.100.9")
    mail.send(server, pick(author="a@silent.example"), "a@silent.example")


def attached(message):
    """The report in a message, as its name and its XML."""
    parsed = email.message_from_bytes(message, policy=email.policy.default)
    parts = [part for part in parsed.walk() if part.get_content_type() == "application/gzip"]
    assert len(parts) == 1, message[:2000]
    return parts[0].get_filename(), xml.etree.ElementTree.fromstring(gzip.decompress(parts[0].get_content()))


class ReportMail(unittest.TestCase):
    """The filter, the ledger and Postfix on one host."""

    def day(self, stack, **settings):
        """A day behind Postfix, by which reports leave too: the filter has ended, and its messages are taken in."""
        postern = Reporting()
        server = mta.Postfix(
            postern.inet, virtual_mailbox_domains="example.org",
            **{"smtpd_recipient_restrictions": "permit_mynetworks,reject_unauth_destination", **settings},
        )
        postern.configure(SETTINGS.replace("@PORT@", str(server.port)))
        stack.enter_context(postern)
        stack.enter_context(server)
        letters(server)
        server.settle()
        postern.close_day()
        return postern, server

    @staticmethod
    def flush(server, condition):
        """Has Postfix try again what waits, until a condition holds."""

        def tried():
            subprocess.run(["/usr/sbin/postqueue", "-c", server.path("etc"), "-f"], check=True, capture_output=True, timeout=30)
            return condition()

        mta.wait_until(tried, "the reports", 60)

    def assert_report(self, message):
        name, root = attached(message)
        self.assertRegex(name, r"^example\.org!owner\.example!\d+!\d+!\w+\.xml\.gz$")
        self.assertEqual(root.findtext("r:policy_published/r:domain", namespaces=NAMESPACE), "owner.example")
        self.assertEqual(root.findtext("r:report_metadata/r:org_name", namespaces=NAMESPACE), "Beispiel & Söhne")
        rows = {
            row.findtext("r:source_ip", namespaces=NAMESPACE): int(row.findtext("r:count", namespaces=NAMESPACE))
            for row in root.iterfind("r:record/r:row", NAMESPACE)
        }
        self.assertEqual(rows, {"192.0.2.10": 3, "198.51.100.9": 1})

    def assert_passes(self, postern, message):
        """The report passes DMARC where it arrives."""
        path = postern.path("arrived")
        with open(path, "wb") as file:
            file.write(message)
        told = subprocess.run(
            [daemon.executable(), "check", path, "--zone", postern.path("zone"), "--client-ip", "203.0.113.9", "--mail-from",
             "dmarc-reports@example.org", "--helo", "mx.example.org", "--format", "json"],
            capture_output=True, text=True, timeout=30, check=False,
        )
        self.assertEqual(json.loads(told.stdout)["dmarc"]["result"], "pass", told.stdout + told.stderr)

    def test_signed_on_its_way_and_trusted_where_it_arrives(self):
        with contextlib.ExitStack() as stack:
            receiver = stack.enter_context(Receiver())
            postern, server = self.day(stack, relayhost=f"[127.0.0.1]:{receiver.port}")
            # The filter signs what the ledger hands over.
            postern.start()
            told = postern.ledger("report", "send", status=1)
            server.settle()
            self.assertEqual(
                postern.states(),
                {"dmarc@owner.example": "sent", "in@reports.example": "sent", "x@stranger.example": "not authorized"}, told,
            )
            self.assertEqual(sorted(who for who, _ in receiver.taken), ["dmarc@owner.example", "in@reports.example"])
            for _, message in receiver.taken:
                self.assertEqual(len(mail.values(message, "DKIM-Signature")), 1)
                self.assert_report(message)
                self.assert_passes(postern, message)
            postern.ledger("report", "send")
            server.settle()
            self.assertEqual(len(receiver.taken), 2, "a report goes once")

    def test_refused_where_it_arrives(self):
        """The mail server returns what it cannot deliver, to people; that is no cause of a report."""
        with contextlib.ExitStack() as stack:
            receiver = stack.enter_context(Receiver(dmarc="550 5.1.1 no such user"))
            receiver.script[".in"] = "554 5.7.1 not here"
            postern, server = self.day(stack, relayhost=f"[127.0.0.1]:{receiver.port}")
            postern.start()
            postern.ledger("report", "send", status=1)
            mta.wait_until(lambda: len(server.delivered("dmarc-reports@example.org")) == 2, "both bounces")
            self.assertEqual(postern.states()["dmarc@owner.example"], "sent")
            self.assertEqual(postern.states()["in@reports.example"], "sent")

    def test_late_where_it_arrives(self):
        """The mail server tries again, and the ledger has done its part; what comes then is what was signed."""
        with contextlib.ExitStack() as stack:
            receiver = stack.enter_context(Receiver(dmarc="450 4.2.0 later", **{"in": "hang"}))
            postern, server = self.day(
                stack, relayhost=f"[127.0.0.1]:{receiver.port}", smtp_rcpt_timeout="2s", minimal_backoff_time="1s"
            )
            postern.start()
            postern.ledger("report", "send", status=1)
            self.assertEqual(postern.states()["in@reports.example"], "sent")
            mta.wait_until(lambda: len(receiver.asked) > 1, "both attempts")
            receiver.script.clear()
            self.flush(server, lambda: len(receiver.taken) == 2)
            for _, message in receiver.taken:
                self.assert_passes(postern, message)

    def test_refused_on_this_host(self):
        """A milter or a rule of the mail server that says no is known at once."""
        with contextlib.ExitStack() as stack:
            receiver = stack.enter_context(Receiver())
            postern, server = self.day(
                stack, relayhost=f"[127.0.0.1]:{receiver.port}",
                smtpd_recipient_restrictions="check_recipient_access inline:{{dmarc@owner.example = 550 5.1.1 no}, {in@reports.example = 450 4.2.0 later}},"
                "permit_mynetworks,reject_unauth_destination",
            )
            postern.start()
            postern.ledger("report", "send", status=1)
            self.assertEqual(
                postern.states(),
                {"dmarc@owner.example": "refused", "in@reports.example": "deferred", "x@stranger.example": "not authorized"},
            )
            self.assertIn("dmarc@owner.example", postern.ledger("report", "suppress", "list"))
            server.settle()
            self.assertEqual(receiver.taken, [])


if __name__ == "__main__":
    unittest.main()
