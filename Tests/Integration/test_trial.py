"""Rules tried on stored mail: what `postern try` says of the rules that judged it is what they did.

$POSTERN_TRIAL_MESSAGES says how many messages are played, 160 unless told, and $POSTERN_TRIAL_SESSIONS how many at once, 40.
"""

import json
import os
import random
import struct
import subprocess
import threading
import time
import unittest

import daemon
import mail
import milter_client
import mta
from test_undecided import NameServer

COUNT = int(os.environ.get("POSTERN_TRIAL_MESSAGES", "160"))
SESSIONS = int(os.environ.get("POSTERN_TRIAL_SESSIONS", "40"))

ZONE = {
    "pass.example": "v=spf1 ip4:192.0.2.0/24 -all",
    "soft.example": "v=spf1 ~all",
    "fail.example": "v=spf1 -all",
    "slow.example": "v=spf1 -all",
    "slower.example": "v=spf1 -all",
    "_dmarc.pass.example": "v=DMARC1; p=reject",
    "_dmarc.fail.example": "v=DMARC1; p=quarantine",
    "_dmarc.slow.example": "v=DMARC1; p=reject; t=y",
}
# How long answers about a domain take, in seconds; none comes about `silent.example`.
DELAYS = {"slow.example": 0.15, "slower.example": 0.6}
SENDERS = ["a@pass.example", "b@soft.example", "c@fail.example", "d@slow.example", "e@slower.example", "f@silent.example", "g@none.example", ""]
RECIPIENTS = ["ann@open.example", "bob@strict.example", "bob@late.example", "eve@late.example", "list@open.example", "joe@elsewhere.example"]

FIRST = """\
mixed = "@MIXED@"

[checks]
early_wait = "200ms"

[[rules]]
name = "welcome"
when = { recipients = "list@open.example" }
action = "accept"

[[rules]]
name = "spf-strict"
when = { spf = ["fail", "softfail"], recipient_domains = "strict.example" }
unless = { helo = "forwarder.example" }
action = "reject"

[[rules]]
name = "named"
when = { iprev = "permerror", helo = "nobody.example" }
action = "mark"

[[rules]]
name = "trial"
when = { spf = "fail" }
action = "reject"
observe = true

[[rules]]
name = "forged"
when = { dmarc = "fail", recipient_domains = ["late.example", "open.example"] }
unless = { dkim_domains = "pass.example" }
action = "reject"

[[rules]]
name = "hold"
when = { dmarc_policy = "quarantine", dmarc = "fail" }
action = "quarantine"

[[rules]]
name = "weak"
when = { spf = ["softfail", "none"], dkim = "!pass" }
action = "junk"
"""
SECOND = """\
mixed = "junk"

[checks]
early_wait = "200ms"

[[rules]]
name = "nobody"
when = { helo = "nobody.example" }
action = "tempfail"

[[rules]]
name = "spf-fail"
when = { spf = "fail" }
unless = { dkim_aligned = "pass" }
action = "reject"

[[rules]]
name = "bob"
when = { recipients = "bob@late.example", sender_domains = ["soft.example", "none.example"] }
action = "discard"
"""
LETTERS = {domain: mail.letter(author=f"x@{domain}") for domain in ("pass.example", "soft.example", "fail.example", "slow.example", "silent.example", "none.example")}


class SlowNameServer(NameServer):
    """Answers TXT questions by a zone, some of them late and some never; no address has a name."""

    def __init__(self, zone):
        super().__init__()
        self.zone = zone

    def run(self):
        while True:
            try:
                query, client = self.socket.recvfrom(4096)
            except OSError:
                return
            name, answer = self.answer(query)
            if name.endswith("silent.example"):
                continue
            delay = next((delay for domain, delay in DELAYS.items() if name.endswith(domain)), 0)
            if delay:
                threading.Timer(delay, self.send, (answer, client)).start()
            else:
                self.send(answer, client)

    def send(self, answer, client):
        try:
            self.socket.sendto(answer, client)
        except OSError:
            pass

    def answer(self, query):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
            at += 1 + query[at]
        question, name = query[12:at + 5], ".".join(labels)
        text = self.zone.get(name) if question[-4:-2] == b"\0\x10" else None
        flags = 0x8180 | (0 if text or name in DELAYS else 3)
        record = b""
        if text:
            data = b"".join(bytes([len(part)]) + part.encode() for part in (text[i:i + 255] for i in range(0, len(text), 255)))
            # A life of no time: each message waits anew.
            record = b"\xc0\x0c\0\x10\0\1" + struct.pack(">IH", 0, len(data)) + data
        return name, query[:2] + struct.pack(">HHHHH", flags, 1, 1 if record else 0, 0, 0) + question + record


class Player(threading.Thread):
    """An MTA that sends messages of a seeded choice."""

    def __init__(self, postern, letters, count, seed):
        super().__init__()
        self.postern, self.letters, self.count = postern, letters, count
        self.random = random.Random(seed)
        self.problem = None

    def run(self):
        try:
            for number in range(self.count):
                with milter_client.Milter(self.postern.unix) as session:
                    session.negotiate()
                    self.send(session, f"{self.random.getrandbits(40):X}{number}")
        except Exception as error:  # pylint: disable=broad-except
            self.problem = error

    def send(self, session, queue_id):
        pick = self.random.choice
        session.connect("client.example", pick(["192.0.2.1", "198.51.100.9", "2001:db8::9"]))
        session.helo(pick(["mail.example.com", "forwarder.example", "nobody.example"]))
        session.mail(f"<{pick(SENDERS)}>")
        recipients = self.random.sample(RECIPIENTS, self.random.choice([1, 1, 1, 2, 3, 4]))
        replies = [session.rcpt(f"<{recipient}>", macros={"i": queue_id}) for recipient in recipients]
        if all(reply is not None and reply.command == "y" for reply in replies):
            session.abort()
            return
        header, _, body = pick(self.letters).partition(b"\r\n\r\n")
        for line in header.replace(b"\r\n\t", b"\n\t").replace(b"\r\n ", b"\n ").split(b"\r\n"):
            name, _, value = line.partition(b":")
            session.header(name, value)
        session.eoh()
        session.body(body)
        session.eom()


class Tried(unittest.TestCase):
    """Half of the messages by one configuration, half by another."""

    def play(self, postern, letters, count, seed):
        players = [Player(postern, letters, count // SESSIONS, seed * 1000 + number) for number in range(SESSIONS)]
        for player in players:
            player.start()
        for player in players:
            player.join()
            self.assertIsNone(player.problem)

    def tried(self, postern, rules, *options):
        postern.write("tried.toml", rules)
        ended = subprocess.run(
            [daemon.ledger(), "try", postern.path("tried.toml"), "--store", postern.path("store"), "--format", "json", *options],
            capture_output=True, text=True, timeout=120, check=False,
        )
        self.assertEqual(ended.returncode, 0, ended.stderr)
        return json.loads(ended.stdout)

    def assert_unchanged(self, report, count):
        self.assertEqual(report["changes"], [], json.dumps(report["changes"], indent=1)[:3000])
        self.assertEqual(report["tried"] + sum(reason["messages"] for reason in report["untried"]), count)
        self.assertEqual(report["untried"], [])

    def live(self, mixed="junk", addresses="full", mode="enforce"):
        signed = mail.key("pass.example").sign(mail.letter(author="a@pass.example"))
        letters = [*LETTERS.values(), signed, signed.replace(b"Hello", b"Hallo"), mail.letter(author="a@pass.example, b@fail.example")]
        zone = {**ZONE, "s._domainkey.pass.example": mail.key("pass.example").text}
        events = '[events]\nspool = "@DIRECTORY@/spool"\n' + f'addresses = "{addresses}"\n'
        with SlowNameServer(zone) as server:
            first = FIRST.replace("@MIXED@", mixed)
            top, _, rest = first.partition("\n")
            second_top, _, second_rest = SECOND.partition("\n")
            with daemon.Postern("", servers=[server.address], mode=mode, top=top) as postern:
                os.mkdir(postern.path("spool"))
                postern.configure(events + rest)
                postern.reload()
                mta.wait_until(lambda: "events go to" in postern.read("log"), "the spool")
                self.play(postern, letters, COUNT // 2, 1)
                time.sleep(1.1)
                between = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
                time.sleep(1.1)
                postern.top = second_top
                postern.configure(events + second_rest)
                postern.reload()
                mta.wait_until(lambda: postern.read("log").count("configuration reloaded") == 2, "the other rules")
                self.play(postern, letters, COUNT // 2, 2)
                postern.stop_process()
                taken = subprocess.run(
                    [daemon.ledger(), "take", "--config", postern.configuration, "--store", postern.path("store")],
                    capture_output=True, text=True, timeout=120, check=False,
                )
                self.assertEqual(taken.returncode, 0, taken.stderr)
                half = COUNT // 2 // SESSIONS * SESSIONS
                of_first = self.tried(postern, f'mode = "{mode}"\n' + first, "--until", between)
                of_second = self.tried(postern, f'mode = "{mode}"\n' + SECOND, "--since", between)
                return of_first, of_second, half

    def test_the_rules_that_judged_would_do_the_same(self):
        first, second, half = self.live()
        self.assert_unchanged(first, half)
        self.assert_unchanged(second, half)

    def test_in_observe_mode_too(self):
        first, second, half = self.live(mode="observe")
        self.assert_unchanged(first, half)
        self.assert_unchanged(second, half)

    def test_with_messages_put_off(self):
        first, second, half = self.live(mixed="defer")
        self.assert_unchanged(first, half)
        self.assert_unchanged(second, half)

    def test_without_local_parts_rules_about_addresses_are_not_tried(self):
        first, second, half = self.live(addresses="domains")
        for report in (first, second):
            self.assertEqual(report["changes"], [])
            self.assertEqual(report["tried"] + sum(reason["messages"] for reason in report["untried"]), half)
            self.assertGreater(sum(reason["messages"] for reason in report["untried"]), 0)


if __name__ == "__main__":
    unittest.main()
