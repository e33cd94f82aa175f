"""DMARC reports: what the ledger makes of a day's events, and what becomes of them at mail servers of every kind."""

import collections
import gzip
import json
import os
import re
import signal
import socketserver
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from email import message_from_bytes

import daemon
import mta
from test_trial import SlowNameServer

sys.path.append(os.path.join(daemon.PACKAGE, "Tests", "Ledger"))
import generate

CONFIGURATION = """\
[dns]
servers = ["{dns}"]
timeout = "4s"
attempt_timeout = "1s"

[events]
spool = "{folder}/spool"

[ledger]
store = "{folder}/store"

[reports]
organization = "Example Org"
address = "dmarc@example.org"
smtp = "127.0.0.1:{port}"
window = "00:00-24:00"
rate = 6000
exclude = "excluded.example"
"""
RECORD = "v=DMARC1; p=reject"
ZONE = {f"_dmarc.{name}.example": RECORD for name in ("ok", "later", "never", "closes", "hangs", "outside", "stranger", "quiet")}
ZONE["outside.example._report._dmarc.collector.example"] = "v=DMARC1"
ZONE["later.example._report._dmarc.ok.example"] = "v=DMARC1"


class Receiver(socketserver.ThreadingTCPServer):
    """A mail server that does with a message what the local part of its recipient says."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Session)
        self.port = self.server_address[1]
        self.messages = collections.defaultdict(list)
        self.tried = collections.Counter()
        # While it is cleared, no reply comes to the final dot of a message to `slow`.
        self.replies = threading.Event()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Session(socketserver.StreamRequestHandler):
    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")

    def handle(self):
        self.say("220 receiver.example")
        recipient = ""
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"RCPT":
                recipient = re.search(r"<(.*)@", line.decode()).group(1)
                self.server.tried[recipient] += 1
                if recipient == "closes":
                    return
                if recipient == "hangs":
                    time.sleep(600)
                self.say({"later": "450 4.2.0 later", "never": "550 5.1.1 nobody"}.get(recipient, "250 ok"))
            elif verb == b"DATA":
                self.say("354 go on")
                self.take(recipient)
            elif verb == b"QUIT":
                self.say("221 bye")
                return
            else:
                self.say("250 ok")

    def take(self, recipient):
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                self.server.messages[recipient].append(b"".join(lines))
                if recipient == "slow" and not self.server.replies.is_set():
                    time.sleep(600)
                self.say("250 2.0.0 taken")
                return
            lines.append(line.removeprefix(b"."))


def mail(number, domain, moment, rua, **change):
    """A message of a domain that asks for reports, and passes DMARC."""
    event = generate.event(number, moment)
    event["author"]["domains"] = [domain]
    event["mail_from"] = f"a@{domain}"
    event["dmarc"].update(result="pass", domain=domain, organizational=domain, rua=[rua], aligned=["dkim"], **{"from": domain})
    event["verdict"].update(action="accept", stage="eom", would=None)
    event.update(change)
    return event


class Reports(unittest.TestCase):
    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        os.mkdir(os.path.join(self.folder, "spool"))
        self.receiver = self.enterContext(Receiver())
        self.dns = self.enterContext(SlowNameServer(ZONE))
        self.configuration = os.path.join(self.folder, "postern.toml")
        with open(self.configuration, "w", encoding="utf-8") as file:
            file.write(CONFIGURATION.format(dns=self.dns.address, folder=self.folder, port=self.receiver.port))
        self.sequence = 0
        now = time.time()
        self.yesterday = now // 86400 * 86400 - 43200
        self.day = time.strftime("%Y-%m-%d", time.gmtime(self.yesterday))
        # Of today, so that yesterday is over; the clock of a test just after midnight waits for that.
        self.today = max(now // 86400 * 86400 + 11, now)
        time.sleep(self.today - now)

    def write(self, events):
        self.sequence += 1
        name = os.path.join(self.folder, "spool", f"mx1.{generate.BOOT}.{self.sequence:08}.events")
        with open(name + ".new", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(event) + "\n" for event in events)
        os.rename(name + ".new", name)

    def arguments(self, *words):
        return [daemon.ledger(), *words, "--config", self.configuration]

    def ask(self, *words, status=0):
        ended = subprocess.run(self.arguments(*words), capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(ended.returncode, status, ended.stderr + ended.stdout)
        return ended.stdout

    def day_of(self, *destinations):
        """Yesterday's mail: two messages each of domains that name a destination, and one of today, which closes the day."""
        events = []
        for domain, rua in destinations:
            events += [mail(len(events) + number, domain, self.yesterday + number, rua) for number in range(2)]
        self.write(events)
        self.write([mail(1000, "today.example", self.today, "mailto:ok@today.example")])
        self.ask("take")

    def states(self):
        reports = [json.loads(line) for line in self.ask("report", "list", "--day", self.day, "--format", "json").splitlines()]
        return {report["domain"]: [each["state"] for each in report["deliveries"]] or report["state"] for report in reports}

    def test_every_answer_has_its_state(self):
        self.day_of(
            ("ok.example", "mailto:ok@ok.example"), ("later.example", "mailto:later@later.example"),
            ("never.example", "mailto:never@never.example"), ("closes.example", "mailto:closes@closes.example"),
            ("outside.example", "mailto:ok@collector.example"), ("stranger.example", "mailto:ok@stranger-collector.example"),
            ("quiet.example", "mailto:ok@silent.example"), ("excluded.example", "mailto:ok@excluded.example"),
        )
        self.assertIn("later.example", self.ask("report", "send", "--dry-run"))
        self.assertEqual(self.receiver.tried, {})
        self.ask("report", "send", status=1)
        expected = {
            "ok.example": ["sent"], "later.example": ["deferred"], "never.example": ["refused"], "closes.example": ["deferred"],
            "outside.example": ["sent"], "stranger.example": ["not authorized"], "quiet.example": ["unverified"],
            "excluded.example": "excluded",
        }
        self.assertEqual(self.states(), expected)
        self.assertEqual([each.split()[0] for each in self.ask("report", "suppress", "list").splitlines()], ["never@never.example"])
        # Only what waits goes again.
        self.ask("report", "send", status=1)
        self.assertEqual(self.states(), expected)
        self.assertEqual(self.receiver.tried, {"ok": 2, "later": 2, "never": 1, "closes": 2})
        self.assertIn("550 5.1.1 nobody", self.ask("report", "show", "never.example"))
        status = json.loads(self.ask("report", "status", "--format", "json"))
        self.assertNotIn("server_problem", status)
        self.assertGreaterEqual(status["last_sent"], self.today)
        self.assertIn(f"server      127.0.0.1:{self.receiver.port} answers", self.ask("report", "status"))
        self.assertIn(" said at RCPT: 450 4.2.0 later", self.ask("report", "show", "later.example"))
        self.assertIn("closed the connection at RCPT", self.ask("report", "show", "closes.example"))
        said = self.ask_error("report", "preview", "--domain", "later.example")
        self.assertIn(f"of {self.day}: 1 report\n  postern report preview --domain later.example --day {self.day}\n", said)
        self.assertIn("not closed", self.ask_error("report", "send", "--day", time.strftime("%Y-%m-%d", time.gmtime(self.today))))
        self.assertEqual(self.ask("check"), "the store is sound\n")

    def ask_error(self, *words):
        return subprocess.run(self.arguments(*words), capture_output=True, text=True, timeout=120, check=False).stderr

    def test_a_receiver_sees_a_whole_report(self):
        self.day_of(("ok.example", "mailto:ok@ok.example"))
        preview = self.ask("report", "preview", "--domain", "ok.example", "--day", self.day)
        self.ask("report", "send")
        message = message_from_bytes(self.receiver.messages["ok"][0])
        attachment = next(part for part in message.walk() if part.get_content_type() == "application/gzip")
        xml = gzip.decompress(attachment.get_payload(decode=True)).decode()
        self.assertEqual(xml, preview)
        self.assertEqual(sum(map(int, re.findall("<count>(\\d+)</count>", xml))), 2)
        os.mkdir(os.path.join(self.folder, "files"))
        self.ask("report", "send", "--directory", os.path.join(self.folder, "files"))
        with gzip.open(os.path.join(self.folder, "files", attachment.get_filename())) as file:
            self.assertEqual(file.read().decode(), xml)

    def test_a_bound_says_which_it_is(self):
        self.day_of(
            ("ok.example", "mailto:ok@ok.example"), ("later.example", "mailto:ok@ok.example"),
            ("outside.example", "mailto:ok@collector.example"),
        )
        for bound, status, words in (
            ("per_host = 1", 1, "1 report to ok.example for another day: [reports] per_host is reached\n"),
            ("per_host = 9\nper_day = 2", 75, "T00:00:00Z: [reports] per_day is reached\n"),
        ):
            with open(self.configuration, encoding="utf-8") as file:
                text = file.read().partition("per_host")[0]
            with open(self.configuration, "w", encoding="utf-8") as file:
                file.write(text + bound + "\n")
            sent = subprocess.run(self.arguments("report", "send"), capture_output=True, text=True, timeout=120, check=False)
            self.assertEqual(sent.returncode, status, sent.stderr + sent.stdout)
            self.assertIn(words, sent.stderr)
        self.assertEqual(len(self.receiver.messages["ok"]), 2)

    def test_looking_changes_nothing(self):
        self.day_of(("ok.example", "mailto:ok@ok.example"), ("never.example", "mailto:never@never.example"))
        files = os.path.join(self.folder, "files")
        self.assertIn("files: No such file", self.ask_error("report", "send", "--directory", files))
        os.mkdir(files)
        before = self.ask("report", "status"), self.ask("report", "list", "--day", self.day)
        self.assertIn("never@never.example", self.ask("report", "send", "--dry-run"))
        self.assertEqual(self.ask("report", "send", "--directory", files), "2 reports written\n")
        self.assertEqual((self.ask("report", "status"), self.ask("report", "list", "--day", self.day)), before)
        self.assertEqual(self.ask("report", "send", "--directory", files), "0 reports written; 2 reports there already\n")
        first, second = sorted(os.listdir(files))
        os.unlink(os.path.join(files, second))
        with open(os.path.join(files, first), "w", encoding="utf-8") as file:
            file.write("mine")
        # The others go on.
        self.assertEqual(self.ask("report", "send", "--directory", files, status=73), "1 report written\n")
        with open(os.path.join(files, first), encoding="utf-8") as file:
            self.assertEqual(file.read(), "mine")
        self.assertEqual(self.receiver.tried, {})

    def test_after_a_crash_the_same_report_goes_again(self):
        self.day_of(("ok.example", "mailto:slow@ok.example"))
        with subprocess.Popen(self.arguments("report", "send"), stdout=subprocess.PIPE) as sender:
            mta.wait_until(lambda: self.receiver.messages["slow"], "the message")
            sender.send_signal(signal.SIGKILL)
        self.assertEqual(self.states(), {"ok.example": ["sending"]})
        self.receiver.replies.set()
        self.ask("report", "send")
        self.assertEqual(self.states(), {"ok.example": ["sent"]})
        first, second = self.receiver.messages["slow"]
        self.assertEqual(first, second)

    def test_a_server_that_hangs_holds_up_no_intake(self):
        self.day_of(("hangs.example", "mailto:hangs@hangs.example"))
        with subprocess.Popen(self.arguments("serve"), stderr=subprocess.DEVNULL) as serve:
            try:
                store = os.path.join(self.folder, "store")
                mta.wait_until(lambda: self.states() == {"hangs.example": ["waiting"]}, "the plan", 60)
                with sqlite3.connect(store, timeout=10) as database:
                    database.execute("UPDATE report_delivery SET due = 0")
                mta.wait_until(lambda: self.receiver.tried["hangs"], "the attempt", 60)
                self.write([mail(2000, "hangs.example", self.today, "mailto:hangs@hangs.example", id="NEW")])
                mta.wait_until(lambda: "NEW" in self.ask("history", "--id", "NEW"), "the intake")
                self.assertEqual(self.states(), {"hangs.example": ["sending"]})
                # One who sends by hand hears why not.
                late = mail(3000, "hangs.example", self.yesterday, "mailto:hangs@hangs.example")
                self.write([late])
                mta.wait_until(lambda: ", 1 too late" in self.ask("report", "status"), "the late message")
            finally:
                serve.send_signal(signal.SIGTERM)
                self.assertEqual(serve.wait(20), 0)
        self.assertIn(self.states()["hangs.example"], (["deferred"], ["sending"]))


if __name__ == "__main__":
    unittest.main()
