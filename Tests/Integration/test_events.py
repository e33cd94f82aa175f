"""What the filter tells the ledger: one event a message, in segments of the spool."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
import unittest

try:
    import jsonschema
except ImportError:
    jsonschema = None

import daemon
import milter_client
import mta

ZONE = """\
example.com. 300 IN TXT "v=spf1 ip4:192.0.2.0/24 -all"
_dmarc.example.com. 300 IN TXT "v=DMARC1; p=reject; rua=mailto:r@example.com"
strict.example. 300 IN TXT "v=spf1 -all"
"""
RULES = """\
[[rules]]
name = "spf-strict"
when = { spf = "fail", recipient_domains = ["protected.example"] }
action = "reject"

[events]
spool = "@DIRECTORY@/spool"
host = "mx1"
"""
SCHEMA = os.path.join(daemon.PACKAGE, "Packaging", "event.schema.json")
# Half a mebibyte.
MANY = [f"{'x' * 240}{number}@open.example" for number in range(2200)]
HEADERS = [("From", "a@example.com"), ("Message-ID", "<1@example.com>")]


def schema():
    """The schema with nothing added: what the filter writes today has its members and no others."""
    with open(SCHEMA, encoding="utf-8") as file:
        whole = json.load(file)

    def close(part):
        if isinstance(part, dict):
            if "properties" in part:
                part["additionalProperties"] = False
            for value in part.values():
                close(value)
        elif isinstance(part, list):
            for value in part:
                close(value)

    close(whole)
    return whole


class Spooled(daemon.Postern):
    """Postern with a spool."""

    def __init__(self, rules=RULES, zone=ZONE, makes=True, **options):
        super().__init__(rules, zone, **options)
        self.spool = self.path("spool")
        if makes:
            os.mkdir(self.spool)

    def segments(self, state="events"):
        return sorted(name for name in os.listdir(self.spool) if name.endswith("." + state))

    def events(self):
        """All events of closed segments, in their order."""
        events = []
        for name in self.segments():
            with open(os.path.join(self.spool, name), encoding="utf-8") as file:
                events += [json.loads(line) for line in file]
        return events

    def end(self):
        """The events, after an ordered end."""
        self.stop_process()
        return self.events()


def send(session, sender="a@example.com", to=("b@example.net",), headers=HEADERS, body=b"Hello.\r\n", macros=None, client="192.0.2.1"):
    """Sends a message in a session; None where every recipient was refused, else the last reply."""
    if not getattr(session, "has_begun", False):
        session.connect("mail.example.com", client)
        session.helo("mail.example.com")
        session.has_begun = True
    session.mail(f"<{sender}>", macros=macros or {})
    replies = [session.rcpt(f"<{recipient}>", macros={"i": "4XyZ"}) for recipient in to]
    if all(reply and reply.command == "y" for reply in replies):
        session.abort()
        return None
    for name, value in headers:
        session.header(name, " " + value)
    session.eoh()
    session.body(body)
    return session.eom().reply


class Written(unittest.TestCase):
    """What an event says."""

    def played(self, play, **options):
        with Spooled(**options) as postern:
            with milter_client.Milter(postern.unix) as session:
                session.negotiate()
                play(session)
            events = postern.end()
        if jsonschema:
            validator = jsonschema.Draft202012Validator(schema())
            for event in events:
                self.assertEqual([error.message for error in validator.iter_errors(event)], [], event)
        return events

    def test_mail_of_programs(self):
        """RFC 3834 § 5: such mail alone does not cause a DMARC report."""

        def play(session):
            for field in (("Subject", "x"), ("Auto-Submitted", "no"), ("Auto-Submitted", "auto-replied"), ("Subject", "Report Domain: a Submitter: b")):
                send(session, headers=[*HEADERS, field])

        self.assertEqual([event.get("auto_submitted") for event in self.played(play)], [None, None, True, True])

    def test_mail_that_a_relay_passes_on(self):
        relays = RULES + '[trust.relays]\nnetworks = ["198.51.100.2"]\nby = ["mx2.example.org"]\n'
        received = ("Received", "from x (unknown [192.0.2.9]) by mx2.example.org (Postfix) with ESMTP id 1")

        def play(session):
            hidden = (received[0], received[1].replace("from x", "from a([192.0.2.10])"))
            for fields in ([received], [], [hidden]):
                send(session, client="198.51.100.2", headers=[*fields, *HEADERS])

        named, unreadable, disguised = self.played(play, rules=relays)
        self.assertEqual(named["relay"], {"ip": "198.51.100.2", "state": "client"})
        self.assertEqual((named["client"]["ip"], named["client"]["helo"], named["spf"]["result"]), ("192.0.2.9", "x", "pass"))
        self.assertEqual(disguised["relay"], {"ip": "198.51.100.2", "state": "disguised"})
        self.assertEqual((disguised["client"]["ip"], disguised["spf"]["result"]), (None, "none"))
        self.assertEqual(unreadable["relay"], {"ip": "198.51.100.2", "state": "unreadable"})
        self.assertEqual((unreadable["client"]["ip"], unreadable["client"]["helo"], unreadable["spf"]), (None, "", None))
        direct, = self.played(send, rules=relays)
        self.assertNotIn("relay", direct)

    def test_a_message_that_passes(self):
        event, = self.played(send)
        self.assertEqual(event["id"], "4XyZ")
        self.assertEqual((event["direction"], event["verdict"]["action"]), ("inbound", "accept"))
        self.assertEqual((event["mail_from"], event["rcpt_to"]), ("a@example.com", ["b@example.net"]))
        self.assertEqual((event["spf"]["result"], event["dmarc"]["result"]), ("pass", "pass"))
        self.assertEqual(event["dmarc"]["rua"], ["mailto:r@example.com"])
        self.assertEqual(event["message_id"], "1@example.com")
        self.assertIsNone(event["dns"]["answers"])
        self.assertIsNone(event["rcpt_stage"])
        self.assertLess(abs(event["time"] - time.time()), 60)

    def test_answers_are_kept_of_what_is_no_clean_pass(self):
        event, = self.played(lambda session: send(session, client="198.51.100.1"))
        record, = (answer for answer in event["dns"]["answers"] if (answer["name"], answer["type"]) == ("example.com", "TXT"))
        self.assertEqual(record["records"], ["v=spf1 ip4:192.0.2.0/24 -all"])
        self.assertEqual(event["spf"]["mechanism"], "-all")

    def test_recipients_refused_before_data(self):
        event, = self.played(lambda session: send(session, "a@strict.example", ["b@protected.example"]))
        self.assertEqual((event["verdict"]["action"], event["verdict"]["stage"]), ("reject", "rcpt"))
        self.assertEqual((event["rcpt_to"], event["refused_rcpt_to"]), ([], ["b@protected.example"]))
        self.assertEqual(event["verdict"]["refused"][0]["rule"], "spf-strict")
        self.assertEqual(event["verdict"]["refused"][0]["refused_rcpt_to"], [0])
        self.assertIsNone(event["author"])

    def test_some_recipients_refused(self):
        event, = self.played(lambda session: send(session, "a@strict.example", ["b@protected.example", "c@open.example"]))
        self.assertEqual(event["verdict"]["action"], "accept")
        self.assertEqual((event["rcpt_to"], event["refused_rcpt_to"]), (["c@open.example"], ["b@protected.example"]))

    def test_a_message_that_is_not_judged(self):
        event, = self.played(lambda session: send(session, headers=[*HEADERS, *[("X-A", "x" * 60000)] * 5]))
        self.assertEqual((event["verdict"]["action"], event["problem"]), ("reject", "header section beyond limits.max_header"))
        self.assertIsNone(event["spf"])

    def test_mail_of_our_own(self):
        event, = self.played(lambda session: send(session, macros={"{auth_authen}": "ann", "{auth_type}": "PLAIN"}))
        self.assertEqual((event["direction"], event["verdict"]["action"]), ("outbound", "accept"))
        self.assertEqual((event["client"]["authenticated"], event["client"]["login"]), (True, "ann"))
        self.assertEqual(event["signed"], [])

    def test_without_local_parts(self):
        rules = RULES + 'addresses = "domains"\nanswers = "all"\n'
        event, = self.played(lambda session: send(session, "secret@example.com", ["secret@example.net", "postmaster"],
            headers=[("From", "secret@example.com"), ("Message-ID", "<secret@example.com>")]), rules=rules)
        self.assertEqual((event["mail_from"], event["rcpt_to"]), ("@example.com", ["@example.net", "@"]))
        self.assertNotIn("secret", json.dumps(event))
        event, = self.played(lambda session: send(session, ""), rules=rules)
        self.assertEqual(event["mail_from"], "")

    def test_hostile_text_is_a_text(self):
        hostile = ['"\\\n\x1b[2J', "\x7f\x00", "é", b"\xff\xfe".decode("latin-1"), "\u2028"]
        for text in hostile:
            with self.subTest(text):
                event, = self.played(lambda session: send(session, text.replace("\0", "") + "@example.com", [text.replace("\0", "").replace("\n", "") + "@b.example"],
                    headers=[("From", text.replace("\0", "") + " <a@example.com>"), ("Message-ID", text.replace("\0", ""))]))
                self.assertEqual(event["verdict"]["action"], "accept")

    def test_many_recipients(self):
        event, = self.played(lambda session: send(session, to=MANY))
        self.assertGreater(event["unnamed_rcpt_to"], 0)
        self.assertEqual(len(event["rcpt_to"]) + event["unnamed_rcpt_to"], len(MANY))
        self.assertLess(len(json.dumps(event)), 2 << 20)


    def test_escapes_count_for_the_size_of_an_event(self):
        to = [f'"{chr(92) * 1700}{number:04}"@open.example' for number in range(400)]
        event, = self.played(lambda session: send(session, to=to))
        self.assertGreater(event["unnamed_rcpt_to"], 0)
        self.assertLess(len(json.dumps(event)), 1 << 20)

    def test_no_odd_mailbox_has_a_local_part(self):
        rules = RULES + 'addresses = "domains"\n'
        zone = ZONE + 'm.example. 300 IN TXT "v=spf1 redirect=%{l}._r.m.example"\n'
        odd = ["hidden@m.example", "hidden", 'x@y@"hidden', "a@m.example (x@y hidden)", '"x@m.example"hidden', "x@[hidden y]", "a@hidden..m.example"]
        for sender in odd:
            with self.subTest(sender):
                event, = self.played(lambda session: send(session, sender, [sender, "b@open.example"], headers=[("From", sender)]), rules=rules, zone=zone)
                text = json.dumps({**event, "author": None, "dmarc": None})
                self.assertNotIn("hidden", text)


class Segments(unittest.TestCase):
    """How events reach the disk."""

    def send(self, postern, count=1):
        with milter_client.Milter(postern.unix) as session:
            session.negotiate()
            for _ in range(count):
                send(session)

    @staticmethod
    def counts(postern):
        return json.loads(postern.ask("status", "--json").stdout)["events"]

    def written(self, postern):
        return self.counts(postern)["written"]

    @staticmethod
    def held(postern):
        """How many events the open segments have."""
        return sum(mta.contents(os.path.join(postern.spool, name)).count(b"\n") for name in postern.segments("open"))

    def test_a_segment_is_closed_after_five_seconds(self):
        with Spooled() as postern:
            self.send(postern)
            mta.wait_until(lambda: postern.segments("open"), "an open segment")
            name, = postern.segments("open")
            self.assertRegex(name, r"^mx1\.[0-9a-f]{16}\.00000001\.open$")
            self.assertEqual(os.stat(os.path.join(postern.spool, name)).st_mode & 0o777, 0o640)
            mta.wait_until(postern.segments, "a closed segment")
            self.assertEqual(postern.segments("open"), [])
            self.assertEqual(len(postern.events()), 1)

    def test_a_large_segment_is_closed(self):
        with Spooled() as postern:
            with milter_client.Milter(postern.unix) as session:
                session.negotiate()
                for _ in range(10):
                    send(session, to=MANY)
            mta.wait_until(postern.segments, "a closed segment")
            self.assertEqual(len(postern.end()), 10)

    def test_without_the_directory_there_are_no_events_and_with_it_there_are(self):
        with Spooled(makes=False) as postern:
            self.send(postern)
            self.assertIn(f"no events are written: there is no directory {postern.spool}", postern.read("log"))
            self.assertRegex(postern.ask("status").stdout, r"events +off: there is no directory ")
            os.mkdir(postern.spool)
            mta.wait_until(lambda: f"events go to {postern.spool}" in postern.read("log"), "the directory", 30)
            self.send(postern)
            self.assertEqual(len(postern.end()), 1)

    def test_a_segment_of_a_process_that_died_is_closed_by_the_next(self):
        with Spooled() as postern:
            self.send(postern)
            mta.wait_until(lambda: self.held(postern) == 1, "an event in an open segment")
            postern.process.send_signal(signal.SIGKILL)
            postern.process.wait()
            os.remove(postern.path("notify"))
            self.assertEqual(postern.segments(), [])
            postern.start()
            mta.wait_until(postern.segments, "a closed segment")
            self.assertEqual(len(postern.events()), 1)
            self.assertIn("closed 1 segment", postern.read("log"))

    def test_a_full_disk_loses_events_and_nothing_else(self):
        with Spooled() as postern:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", postern.spool], check=True)
            with contextlib.ExitStack() as stack:
                stack.callback(subprocess.run, ["umount", "-l", postern.spool], check=False)
                self.send(postern, 5)
                mta.wait_until(lambda: self.written(postern) == 5, "the first events")
                self.send(postern, 100)
                mta.wait_until(lambda: "events are lost: No space left on device" in postern.read("log"), "a line")
                self.assertEqual(postern.read("log").count("events are lost"), 1)
                for _ in range(3):
                    self.send(postern, 20)
                self.assertEqual(postern.read("log").count("events are lost"), 1)
                name, = postern.segments("open")
                with open(os.path.join(postern.spool, name), encoding="utf-8") as file:
                    kept = [json.loads(line) for line in file]
                subprocess.run(["mount", "-o", "remount,size=8m", postern.spool], check=True)
                self.send(postern, 10)
                mta.wait_until(lambda: self.send(postern) or "events are written again" in postern.read("log"), "a line")
                status = json.loads(postern.ask("status", "--json").stdout)["events"]
                self.assertGreaterEqual(status["written"] + status["dropped"], 175)
                self.assertGreater(len(kept), 0)
                postern.stop_process()
                self.assertGreaterEqual(len(postern.events()), status["written"])
                self.assertIn(f"; {status['dropped']} were lost", postern.read("log"))

    def test_the_oldest_segments_go_where_nobody_takes_them(self):
        with Spooled(RULES + 'limit = "8MiB"\n') as postern:
            with milter_client.Milter(postern.unix) as session:
                session.negotiate()
                for _ in range(30):
                    send(session, to=MANY)
            mta.wait_until(lambda: "so the oldest segments in" in postern.read("log"), "a line")
            postern.stop_process()
            size = sum(os.stat(os.path.join(postern.spool, name)).st_size for name in postern.segments())
            self.assertLessEqual(size, 8 << 20)
            # A busy host closes more of them, by age.
            self.assertGreaterEqual(int(postern.segments()[-1].split(".")[-2]), 4)

    def test_a_stop_and_a_start_lose_nothing(self):
        with Spooled() as postern:
            for number in range(1, 4):
                self.send(postern, 5)
                postern.stop_process()
                self.assertEqual(len(postern.events()), 5 * number)
                postern.start()

    def test_a_segment_opened_on_a_full_disk_is_closed_in_time(self):
        with Spooled() as postern:
            subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16k", "none", postern.spool], check=True)
            with contextlib.ExitStack() as stack:
                stack.callback(subprocess.run, ["umount", "-l", postern.spool], check=False)
                with open(os.path.join(postern.spool, "filler"), "wb") as file, contextlib.suppress(OSError):
                    file.write(bytes(16384))
                self.send(postern, 5)
                mta.wait_until(lambda: self.counts(postern)["dropped"] == 5, "the loss of all events")
                self.assertIn("events are lost", postern.read("log"))
                subprocess.run(["mount", "-o", "remount,size=8m", postern.spool], check=True)
                self.send(postern, 3)
                mta.wait_until(postern.segments, "a closed segment")
                self.assertEqual(len(postern.events()), 3)

    def test_events_that_go_with_their_directory_are_counted_as_lost(self):
        with Spooled() as postern:
            self.send(postern, 40)
            mta.wait_until(lambda: self.held(postern) == 40, "the events in an open segment")
            subprocess.run(["rm", "-r", postern.spool], check=True)
            os.mkdir(postern.spool)
            self.send(postern, 5)
            mta.wait_until(postern.segments, "a closed segment")
            events = json.loads(postern.ask("status", "--json").stdout)["events"]
            self.assertEqual((events["written"], events["dropped"], len(postern.events())), (5, 40, 5))
            self.assertIn("and with it 40 events", postern.read("log"))

    def test_the_metrics_and_status_count(self):
        with Spooled() as postern:
            self.send(postern, 3)
            mta.wait_until(postern.segments, "a closed segment")
            self.assertRegex(postern.ask("status").stdout, rf"events +3 written to {postern.spool}, 0 lost")


class Process(unittest.TestCase):
    """What the ledger must not bring into the filter."""

    # The C libraries that judge mail, and what they and the Swift runtime stand on.
    LIBRARIES = {
        "crypto", "idn2", "ldns", "mimalloc", "psl", "sodium", "ssl", "stdc++", "unistring",
        "c", "m", "gcc_s", "BlocksRuntime", "FoundationEssentials", "dispatch",
    }

    def test_the_filter_has_no_library_of_the_ledger(self):
        listed = subprocess.run(["ldd", daemon.executable()], capture_output=True, text=True, check=True).stdout
        names = set(re.findall(r"^\s*lib(\S+?)\.so", listed, re.M))
        self.assertEqual({name for name in names if not name.startswith(("swift", "_Swift"))} - self.LIBRARIES, set())
        self.assertIn("crypto", names)


if __name__ == "__main__":
    unittest.main()
